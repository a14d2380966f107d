#!/usr/bin/python3
"""Measures edgewatch beside a Flask service and node_exporter, in one run, and holds it to its targets.

    make bench

Debian's Python, since it has Debian's Flask. Everything listens on loopback, every loop is bounded, and nothing outlives this
program. Absolute figures depend on the machine and on what else it does; the ratios and the targets count. Each peer runs alone
for a round, the rounds take turns, and the table shows medians.
"""

import contextlib
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from peer import EDGEWATCH, REQUEST_TIMEOUT, ROOT, START_TIMEOUT, UNIT_ENVIRONMENT, Client, Figures, Peer, broker, cpu_seconds, die_with_parent, machine, memory, running, source_names

ROUNDS = 3
PACED_SCRAPES = 300  # at 100 a second
LOAD_SECONDS = 3
COLD_SCRAPES = 20  # at 1 a second
SOAK_WARM_UP = 50_000
SOAK_REQUESTS = 200_000
SOAK_GROWTH_KIB = 512
TOPICS = 5
MOST_RSS_KIB = 5 << 10  # with everything on, and the topics
MOST_CPU = 1 / 5  # of node_exporter's for a cold scrape, for the same families
SAME_FAMILIES = ["interrupts", "processes", "tcpstat"]
COLD = ["cpu_cold", "cpu_gzip"]

# With these alone the service tells what the original told: sensor_cpu_spike comes from the first, process_* from the second.
SEED_SOURCES = ["cpu", "process"]


def paced(port: int) -> Figures:
    """Scrapes at a steady 100 a second over one connection: what a scrape takes when nothing queues."""
    client = Client(port)
    durations = []
    begin = time.perf_counter()
    for number in range(PACED_SCRAPES):
        time.sleep(max(0.0, begin + number / 100 - time.perf_counter()))
        start = time.perf_counter()
        client.get()
        durations.append((time.perf_counter() - start) * 1e3)
    client.close()
    cuts = statistics.quantiles(durations, n=100)
    return {"p50": cuts[49], "p99": cuts[98]}


def wrk(*arguments: str) -> tuple[int, float]:
    """Requests answered, and answers a second."""
    command = ["wrk", "--threads", "1", "--connections", "16", "--timeout", "5", *arguments]
    output = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60, preexec_fn=die_with_parent).stdout
    if "Non-2xx" in output:
        raise RuntimeError(output)
    return int(re.search(r"(\d+) requests in", output)[1]), float(re.search(r"Requests/sec: +([\d.]+)", output)[1])


def load(pid: int, port: int) -> Figures:
    """As many scrapes as 16 connections get."""
    before = cpu_seconds(pid)
    requests, rate = wrk("--duration", f"{LOAD_SECONDS}s", f"http://127.0.0.1:{port}/metrics")
    return {"rate": rate, "cpu_hot": (cpu_seconds(pid) - before) * 1e3 / requests, "rss_loaded": memory(pid)["Rss"]}


def one_round(peer: Peer) -> None:
    with running(peer) as (pid, port):
        client = Client(port)
        for _ in range(20):
            client.get()
            time.sleep(0.05)
        client.close()
        time.sleep(0.5)
        peer.note({"rss_started": memory(pid)["Rss"]})
        peer.note(paced(port))
        peer.note(load(pid, port))


def cold(peers: list[Peer]) -> None:
    """CPU time of one scrape a second: the caches are cold, as on a device. All peers run at once and are asked in turn.

    A scrape is charged with what its process uses from the request on for a tenth of a second, so that threads can end; all else
    is the process at rest. First plain, then as Prometheus asks, which takes gzip; edgewatch compresses for other machines only.
    Memory is read at the end: each has had the time to give back what only its start needed.
    """
    window = 0.1
    with contextlib.ExitStack() as stack:
        children = [(peer, *stack.enter_context(running(peer))) for peer in peers]
        for figure, headers in (("cpu_cold", ""), ("cpu_gzip", "Accept-Encoding: gzip\r\n")):
            clients = [Client(port, headers=headers) for _, _, port in children]
            charged: list[list[float]] = [[] for _ in peers]
            before = [cpu_seconds(pid) for _, pid, _ in children]
            begin = time.monotonic()
            for tick in range(COLD_SCRAPES):
                for number, (client, (_, pid, _)) in enumerate(zip(clients, children)):
                    time.sleep(max(0.0, begin + tick + number / len(clients) - time.monotonic()))
                    start = cpu_seconds(pid)
                    client.get()
                    time.sleep(window)
                    charged[number].append((cpu_seconds(pid) - start) * 1e3)
            elapsed = time.monotonic() - begin
            for (peer, pid, _), start, costs in zip(children, before, charged):
                resting = (cpu_seconds(pid) - start) * 1e3 - sum(costs)
                peer.note({figure: statistics.median(costs), "cpu_rest": resting / (elapsed - window * len(costs))})
        for peer, pid, _ in children:
            peer.note(memory(pid))


def soak(peer: Peer) -> tuple[int, float, float, float]:
    """Requests sent after the warm-up, and RSS before, after, and at most.

    The allocator gives memory back at moments of its own choosing, which moves RSS by some 300 KiB up and down between one second
    and the next. So each figure is the median of readings over some seconds; a leak would pass through that.
    """
    script = 'local n = 0\nfunction request()\n  n = n + 1\n  return wrk.format("GET", n % 2 == 0 and "/metrics" or "/sensor")\nend\n'
    with running(peer) as (pid, port), tempfile.NamedTemporaryFile("w", suffix=".lua") as alternate:
        alternate.write(script)
        alternate.flush()

        def send(least: int) -> tuple[int, list[float]]:
            sent, readings = 0, []
            for _ in range(120):
                if sent >= least:
                    return sent, readings
                sent += wrk("--duration", "1s", "--script", alternate.name, f"http://127.0.0.1:{port}/")[0]
                readings.append(memory(pid)["Rss"])
            raise RuntimeError(f"the soak takes too long: {sent} of {least} requests")

        _, before = send(SOAK_WARM_UP)
        sent, after = send(SOAK_REQUESTS)
        return sent, statistics.median(before[-5:]), statistics.median(after[-5:]), max(after)


def scrape(port: int) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=REQUEST_TIMEOUT) as answer:
        return answer.read()


def describe(peer: Peer, messages: int = 0) -> None:
    """The size of a scrape: once the broker's messages of so many topics have come."""
    with running(peer) as (_, port):
        deadline = time.monotonic() + START_TIMEOUT
        text = scrape(port)
        while messages and int((re.search(rb'^edge_mqtt_messages_total{result="taken"} (\d+)$', text, re.M) or [0, 0])[1]) < messages:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{peer.name} has no messages of {messages} topics")
            time.sleep(0.2)
            text = scrape(port)
    peer.note({"bytes": len(text), "samples": sum(1 for line in text.splitlines() if line and not line.startswith(b"#"))})


def edgewatch(directory: Path, name: str, settings: str) -> Peer:
    def command(port: int) -> list[str]:
        file = directory / f"{port}.toml"
        file.write_text(f'http.listen = ["127.0.0.1:{port}"]\n{settings}')
        return [str(EDGEWATCH), "serve", "--config", str(file)]

    return Peer(name, command, UNIT_ENVIRONMENT)


ROWS = [
    ("samples in a scrape", "samples", "{:.0f}"),
    ("bytes in a scrape", "bytes", "{:.0f}"),
    ("start to the first answer, ms", "start", "{:.0f}"),
    ("RSS two seconds after the start, KiB", "rss_started", "{:.0f}"),
    ("RSS at a scrape a second, KiB", "Rss", "{:.0f}"),
    ("of it anonymous, KiB", "Anonymous", "{:.0f}"),
    ("RSS after the load, KiB", "rss_loaded", "{:.0f}"),
    ("paced scrape, p50, ms", "p50", "{:.3f}"),
    ("paced scrape, p99, ms", "p99", "{:.3f}"),
    ("requests a second, 16 connections", "rate", "{:.0f}"),
    ("CPU of a scrape under load, ms", "cpu_hot", "{:.3f}"),
    ("CPU of a cold scrape, ms", "cpu_cold", "{:.3f}"),
    ("CPU of a cold scrape that takes gzip, ms", "cpu_gzip", "{:.3f}"),
    ("CPU at rest, ms a second", "cpu_rest", "{:.3f}"),
    ("CPU at a scrape in 15 s, % of a core", "cpu_total", "{:.4f}"),
]


def print_table(ours: list[Peer], others: list[Peer]) -> None:
    ratios = [(mine, other) for mine in ours for other in others]
    heads = [peer.name for peer in ours + others] + [f"{mine.name} : {other.name}" for mine, other in ratios]
    print("| |", " | ".join(heads), "|")
    print("| --- |", " --: |" * len(heads), sep="")
    for title, key, form in ROWS:
        cells = [form.format(peer.median(key)) for peer in ours + others]
        cells += [ratio(mine.median(key), other.median(key)) for mine, other in ratios]
        print("|", title, "|", " | ".join(cells), "|")


def ratio(ours: float, theirs: float) -> str:
    return f"{ours / theirs:.3g}" if theirs else "–"


def main() -> int:
    # Without this, a signal would end the program past every `finally`.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    print(machine(), "\n", flush=True)
    with tempfile.TemporaryDirectory() as temporary, broker(TOPICS) as mqtt:
        directory = Path(temporary)
        off = [name for name in source_names(directory) if name not in SEED_SOURCES]
        full = edgewatch(directory, "edgewatch", "simulated.enabled = true\n")
        seed = edgewatch(directory, "seed's metrics", "".join(f"sources.{name}.enabled = false\n" for name in off))
        everything = edgewatch(
            directory,
            "everything on",
            f'collect = "full"\nsimulated.enabled = true\nmqtt.url = "{mqtt}"\nmqtt.presets = ["zigbee2mqtt"]\n',
        )
        flask = Peer("Flask", lambda port: [sys.executable, str(ROOT / "benches/flask_sensor.py"), str(port)])
        command = lambda port: ["prometheus-node-exporter", f"--web.listen-address=127.0.0.1:{port}"]
        exporter = Peer("node_exporter", command)
        # What it has not by default, and “everything on” has.
        whole = Peer("node_exporter, the same families", lambda port: command(port) + [f"--collector.{name}" for name in SAME_FAMILIES])
        peers = [full, everything, seed, flask, exporter]
        for peer in peers:
            describe(peer, TOPICS if peer is everything else 0)
        for _ in range(ROUNDS):
            for peer in peers:
                one_round(peer)
        cold([*peers, whole])
        for peer in peers:
            peer.note({"cpu_total": (peer.median("cpu_gzip") / 15 + peer.median("cpu_rest")) / 10})
        requests, before, after, peak = soak(full)

    print_table([full, everything, seed], [flask, exporter])
    print(f"\n“edgewatch” has every source on; “everything on” also all families of node_exporter, and {TOPICS} MQTT topics; “seed's metrics” only {' and '.join(SEED_SOURCES)}, as the Flask service.")
    print(f"Soak: {requests} requests, RSS {before:.0f} KiB before, {after:.0f} KiB after, at most {peak:.0f} KiB.\n")
    targets = [
        ("everything on: RSS ≤ 1/6 of Flask's", everything.median("Rss") / flask.median("Rss") <= 1 / 6),
        ("everything on: RSS ≤ 1/4 of node_exporter's", everything.median("Rss") / exporter.median("Rss") <= 1 / 4),
        ("seed's metrics: ≥ 20 times Flask's requests a second", seed.median("rate") / flask.median("rate") >= 20),
        ("every source on: ≥ 10 times Flask's requests a second", full.median("rate") / flask.median("rate") >= 10),
        ("seed's metrics: ≤ 1/3 of Flask's CPU of a cold scrape", seed.median("cpu_cold") / flask.median("cpu_cold") <= 1 / 3),
        (
            f"everything on: RSS ≤ {MOST_RSS_KIB} KiB ({everything.median('Rss'):.0f})",
            everything.median("Rss") <= MOST_RSS_KIB,
        ),
        (
            f"everything on: ≤ 1/5 of node_exporter's CPU of a cold scrape with {', '.join(SAME_FAMILIES)} on, plain and as Prometheus asks "
            f"({', '.join(ratio(everything.median(key), whole.median(key)) for key in COLD)})",
            all(everything.median(key) / whole.median(key) <= MOST_CPU for key in COLD),
        ),
        (f"soak: RSS grows by less than {SOAK_GROWTH_KIB} KiB", after - before < SOAK_GROWTH_KIB),
    ]
    for target, held in targets:
        print(f"- {target}: {'held' if held else 'MISSED'}")
    return 0 if all(held for _, held in targets) else 1


if __name__ == "__main__":
    sys.exit(main())
