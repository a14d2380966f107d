#!/usr/bin/python3
"""Measures Prometheus with the flags of budget.toml under several GOMEMLIMITs, with and without samples sent elsewhere.

    make build
    benches/prometheus_memory.py --speed 1 --minutes 100 --at-once 18     # in real time
    benches/prometheus_memory.py                                          # over two blocks, as a device has them in five hours

Each row is a Prometheus of its own with the shipped configuration and rules, that scrapes one sensor service with every source on.
`--speed 15` puts 15 times as much into a minute: scrapes every second stand for those every 15 s, and blocks of 8 minutes for those
of 2 hours. What is given for a minute is divided by it again. What goes by the clock is not accelerated: Go collects once in two
minutes in any case, and gives memory back at its own pace, so that a healthy rate reads lower than in real time, and anon higher.

Every collection is counted, in the runtime's own trace (GODEBUG=gctrace=1), which also tells what was found alive. No cgroup: what
MemoryHigh makes of it is shown in a booted machine, by vm-tests/scenarios/compaction.sh.
"""

import argparse
import contextlib
import http.server
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

from peer import EDGEWATCH, ROOT, UNIT_ENVIRONMENT, cpu_seconds, free_port, machine

BUDGET = tomllib.loads((ROOT / "budget.toml").read_text())["prometheus"]
SCRAPE_INTERVAL = 15  # seconds, as shipped
BLOCK = 2 * 3600  # seconds, as Prometheus has it
# Before the head begins its second chunk of each series (120 samples, 30 minutes), it is smaller than it will ever be again.
SETTLED = 40 * 60
# The same queue as nixos/remote-write.nix.
QUEUE = {"max_shards": "2", "capacity": "2500", "max_samples_per_send": "500"}
# Of the thread that starts it; not preexec_fn, which is no good beside threads.
DIES_WITH_PARENT = ["setpriv", "--pdeathsig", "KILL"]
# A block is written in a second or two.
LOOK_EVERY = 0.5
ASK_EVERY = 60.0
START_TIMEOUT = 120.0


class Receiver(http.server.BaseHTTPRequestHandler):
    """Takes what is sent and forgets it, or refuses everything for now."""

    protocol_version = "HTTP/1.1"
    status = 204

    def handle(self) -> None:
        # How Prometheus leaves: it is killed.
        with contextlib.suppress(ConnectionResetError):
            super().handle()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class Refusing(Receiver):
    status = 503


RECEIVERS: dict[str, type[Receiver] | None] = {"none": None, "taking": Receiver, "refusing": Refusing}


@contextlib.contextmanager
def receiver(kind: str) -> Iterator[int | None]:
    """Yields its port, or None where nothing is to be sent."""
    handler = RECEIVERS[kind]
    if handler is None:
        yield None
        return
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class Run:
    """One Prometheus, and what was seen of it."""

    program: str
    limit: int  # MiB
    sends: str
    speed: float
    anon: list[tuple[float, float]] = field(default_factory=list)  # (seconds since its start, MiB)
    cpu: list[tuple[float, float]] = field(default_factory=list)  # (seconds since its start, CPU seconds)
    compactions: list[tuple[float, float]] = field(default_factory=list)  # (seconds since its start, how many so far)
    collections: list[tuple[float, float]] = field(default_factory=list)  # (seconds since its start, MiB alive)
    series: int = 0

    def per_minute(self) -> list[float]:
        """Collections in each whole minute since it has settled, by the clock of a device."""
        width = 60 / self.speed
        first, last = SETTLED / 60, int(self.anon[-1][0] / width)
        counts = dict.fromkeys(range(int(first), last), 0)
        for when, _ in self.collections:
            if (minute := int(when / width)) in counts:
                counts[minute] += 1
        return list(counts.values()) or [float("nan")]

    def row(self) -> list[str]:
        settled = SETTLED / self.speed
        rates = self.per_minute()
        anon = [mib for when, mib in self.anon if when > settled] or [float("nan")]
        alive = [mib for when, mib in self.collections if when > settled] or [float("nan")]
        cpu = [(when, seconds) for when, seconds in self.cpu if when > settled]
        per_second = (cpu[-1][1] - cpu[0][1]) / (cpu[-1][0] - cpu[0][0]) / self.speed * 1e3 if len(cpu) > 1 else float("nan")
        return [
            version(self.program),
            f"{self.limit}",
            self.sends,
            f"{self.anon[-1][0] * self.speed / 3600:.1f}",
            f"{self.compactions[-1][1] if self.compactions else 0:.0f}",
            f"{statistics.mean(rates):.1f}",
            # A minute of a fast run is a few seconds: ten of them make a rate.
            f"{max(statistics.mean(rates[at : at + 10]) for at in range(max(1, len(rates) - 9))):.1f}",
            f"{statistics.median(alive):.0f}",
            f"{statistics.median(anon):.1f}",
            f"{max(anon):.1f}",
            f"{per_second:.1f}",
            f"{self.series}",
        ]


HEADS = [
    "Prometheus",
    "GOMEMLIMIT",
    "receiver",
    "hours",
    "compactions",
    "collections a minute",
    "most in 10 minutes",
    "alive, MiB",
    "anon, MiB",
    "most",
    "CPU, ms a second",
    "series",
]


def version(program: str) -> str:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=30, check=True)
    return re.search(r"version (\d+\.\d+)", said.stdout + said.stderr)[1]


def milliseconds(seconds: float) -> str:
    return f"{max(1, round(seconds * 1000))}ms"


def configuration(directory: Path, service: int, port: int, sends_to: int | None, speed: float) -> Path:
    """The shipped one, with other addresses and at another speed."""
    text = (ROOT / "prometheus/prometheus.yml").read_text()
    # Not one after the other: a port may be 9090.
    ports = {"127.0.0.1:8000": service, "127.0.0.1:9090": port}
    text = re.sub("|".join(ports), lambda shipped: f"127.0.0.1:{ports[shipped[0]]}", text)
    for key in ("scrape_interval", "scrape_timeout", "evaluation_interval"):
        text = re.sub(rf"(?m)^( *{key}): (\d+)s", lambda line: f"{line[1]}: {milliseconds(int(line[2]) / speed)}", text)
    text = text.replace("out_of_order_time_window: 2h", f"out_of_order_time_window: {milliseconds(7200 / speed)}")
    if sends_to:
        queue = QUEUE | {"batch_send_deadline": milliseconds(5 / speed), "max_backoff": milliseconds(60 / speed)}
        text += f"\nremote_write:\n  - url: http://127.0.0.1:{sends_to}/\n    queue_config:\n"
        text += "".join(f"      {key}: {value}\n" for key, value in queue.items())
    os.symlink(ROOT / "prometheus/rules", directory / "rules")
    (directory / "prometheus.yml").write_text(text)
    return directory / "prometheus.yml"


def flags(speed: float) -> list[str]:
    """What budget.toml says, with times that fit the speed."""
    sizes = ("query_max_concurrency", "query_max_samples", "query_timeout", "web_max_connections")
    chosen = [f"--{key.replace('_', '.', 1).replace('_', '-')}={BUDGET[key]}" for key in sizes]
    return [
        *chosen,
        f"--storage.tsdb.retention.time={milliseconds(12 * 3600 / speed)}",
        f"--storage.tsdb.retention.size={BUDGET['retention_size']}",
        f"--storage.tsdb.wal-segment-size={BUDGET['wal_segment_size']}",
        f"--storage.tsdb.max-block-chunk-segment-size={BUDGET['block_chunk_segment_size']}",
        f"--storage.tsdb.min-block-duration={milliseconds(BLOCK / speed)}",
        f"--storage.tsdb.max-block-duration={milliseconds(BLOCK / speed)}",
    ]


def environment() -> dict[str, str]:
    variables = {key.upper(): str(BUDGET[key]) for key in ("gomemlimit", "gomaxprocs", "gogc")}
    return {"PATH": os.environ["PATH"], **variables}


@contextlib.contextmanager
def sensor_service(program: str) -> Iterator[int]:
    """The sensor service with every source on; yields its port."""
    with tempfile.TemporaryDirectory() as temporary:
        port = free_port()
        settings = Path(temporary) / "edgewatch.toml"
        settings.write_text(f'http.listen = ["127.0.0.1:{port}"]\nsimulated.enabled = true\n')
        service = subprocess.Popen(
            [*DIES_WITH_PARENT, program, "serve", "--config", settings],
            env={"PATH": os.environ["PATH"], **UNIT_ENVIRONMENT},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield port
        finally:
            service.kill()
            service.wait()


def ask(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=120) as answer:
        return answer.read().decode()


def value(exposition: str, series: str) -> float:
    found = re.search(rf"(?m)^{re.escape(series)} (\S+)$", exposition)
    return float(found[1]) if found else float("nan")


def measure(run: Run, service: int, most: float, stop: threading.Event) -> Run:
    """Runs it until two blocks were written and half of a third has passed, or for `most` seconds."""
    with contextlib.ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="prometheus-memory-")))
        sends_to = stack.enter_context(receiver(run.sends))
        port = free_port()
        command = [
            *DIES_WITH_PARENT,
            run.program,
            f"--config.file={configuration(directory, service, port, sends_to, run.speed)}",
            f"--storage.tsdb.path={directory / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=warn",
            "--no-scrape.adjust-timestamps",
            *flags(run.speed),
        ]
        log = directory / "log"
        started = time.monotonic()
        with log.open("wb") as output:
            traced = environment() | {"GOMEMLIMIT": f"{run.limit}MiB", "GODEBUG": "gctrace=1"}
            process = subprocess.Popen(command, env=traced, stdout=output, stderr=output)
        try:
            look(run, process, port, started, most, stop)
        except BaseException:
            sys.stderr.write("".join(line for line in log.read_text().splitlines(True)[-20:] if not line.startswith("gc ")))
            raise
        finally:
            process.kill()
            process.wait()
        # gc 7 @12.345s 0%: …, 18->19->17 MB, 20 MB goal, …
        run.collections = [
            (float(when), float(alive))
            for when, alive in re.findall(r"(?m)^gc \d+ @([\d.]+)s .*\d+->\d+->(\d+) MB", log.read_text(errors="replace"))
        ]
    return run


def look(run: Run, process: subprocess.Popen, port: int, started: float, most: float, stop: threading.Event) -> None:
    while True:
        try:
            ask(port, "/-/ready")
            break
        except OSError:
            if process.poll() is not None or time.monotonic() > started + START_TIMEOUT:
                raise
            time.sleep(0.5)
    asked = time.monotonic()
    end = started + most
    while time.monotonic() < end and not stop.is_set():
        stop.wait(LOOK_EVERY)
        if process.poll() is not None:
            raise RuntimeError(f"{run.program} ended with {process.returncode}")
        now = time.monotonic() - started
        # smaps_rollup would hold up what is measured.
        status = Path(f"/proc/{process.pid}/status").read_text()
        run.anon.append((now, int(re.search(r"(?m)^RssAnon:\s+(\d+) kB", status)[1]) / 1024))
        run.cpu.append((now, cpu_seconds(process.pid)))
        # Asking costs Prometheus more than a look at /proc.
        if time.monotonic() - asked < ASK_EVERY / min(run.speed, 6):
            continue
        asked = time.monotonic()
        said = ask(port, "/metrics")
        run.series = int(value(said, "prometheus_tsdb_head_series"))
        run.compactions.append((now, value(said, "prometheus_tsdb_compactions_total")))
        if run.compactions[-1][1] >= 2 and end > time.monotonic() + BLOCK / 2 / run.speed:
            end = time.monotonic() + BLOCK / 2 / run.speed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prometheus", action="append", help="program; may be given several times (default: the one in PATH)")
    parser.add_argument("--limits", default="24,26,28,30,32,36", help="GOMEMLIMITs in MiB (default: %(default)s)")
    parser.add_argument("--receivers", default="none,taking,refusing", help="of remote_write (default: %(default)s)")
    parser.add_argument("--speed", type=float, default=15, help="how much faster than a device (default: %(default)g)")
    parser.add_argument("--minutes", type=float, default=0, help="at most, for each (default: three and a half blocks)")
    parser.add_argument("--at-once", type=int, default=6, help="so many at once (default: %(default)s)")
    parser.add_argument("--edgewatch", default=str(EDGEWATCH), help="the sensor service (default: %(default)s)")
    options = parser.parse_args()
    most = options.minutes * 60 or 3.5 * BLOCK / options.speed
    runs = [
        Run(program, int(limit), sends, options.speed)
        for program in options.prometheus or ["prometheus"]
        for sends in options.receivers.split(",")
        for limit in options.limits.split(",")
    ]
    # Told to end, it reports what it has seen so far.
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    print(f"{machine()}; speed {options.speed:g}, {options.at_once} at once\n", flush=True)
    with sensor_service(options.edgewatch) as port, ThreadPoolExecutor(options.at_once) as lanes:
        print("|", " | ".join(HEADS), "|\n| ---", "| --: " * (len(HEADS) - 1), "|", sep="", flush=True)
        failed = 0
        for lane in as_completed([lanes.submit(measure, run, port, most, stop) for run in runs]):
            try:
                print("|", " | ".join(lane.result().row()), "|", flush=True)
            except Exception as error:  # the others go on
                failed += 1
                print(f"failed: {error}", file=sys.stderr, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
