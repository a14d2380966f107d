#!/usr/bin/python3
"""Measures what viewers of the dashboards cost, and holds it to the targets: ten of them at once leave the sensor service as it is, the first
page comes within 150 ms of a program that does not run yet, a refresh takes less than 30 ms of CPU, also of a page of 30 panels, and nothing
is left when they have gone.

    make bench

The service runs as on a device: with the allocator's settings of its unit, and a Prometheus with the shipped configuration and
the flags of the budget. The hour that the page shows is put into Prometheus beforehand, since nobody wants to wait for it.
"""

import http.client
import json
import math
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
from collections.abc import Callable
from pathlib import Path

from peer import EDGEWATCH, ROOT, UNIT_ENVIRONMENT, cpu_seconds, die_with_parent, free_port, machine, memory

VIEWERS = 10
REFRESHES = 12  # of each viewer
PERIOD = 5.0  # seconds between two refreshes: the shortest that a page does
HISTORY = 3700  # seconds
STEP = 15  # seconds
MOST_SERVICE_KIB = 6 << 10
MOST_GROWTH_KIB = 256  # what ten connections take
MOST_FIRST_MS = 150.0
MOST_CPU_MS = 30.0
PATH = "/d/edgewatch-overview"
PANELS = 30
THIRTY = "/d/thirty"


def get(port: int, path: str) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    if answer.status != 200:
        raise RuntimeError(f"{path}: {answer.status} {body[:200]!r}")
    return body


def wait(port: int, path: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            get(port, path)
            return
        except (OSError, RuntimeError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def put_history(directory: Path, service: int) -> None:
    """Makes an hour of what the service says now: counters grow, all else moves a little."""
    said = get(service, "/metrics").decode()
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", said, re.M))
    samples = [line.rsplit(" ", 1) for line in said.splitlines() if line and not line.startswith("#")]
    samples += [["up", "1"], ["scrape_duration_seconds", "0.003"]]
    labels = f'job="sensor",instance="127.0.0.1:{service}"'
    now = int(time.time())
    times = range(now - HISTORY, now - STEP, STEP)
    with (directory / "history.txt").open("w") as file:
        for series, value in samples:
            name, _, rest = series.partition("{")
            series = f"{name}{{{labels},{rest}" if rest else f"{name}{{{labels}}}"
            counts = kinds.get(name) == "counter" or kinds.get(re.sub("_(bucket|sum|count)$", "", name)) == "histogram"
            for number, at in enumerate(times):
                moved = float(value) + number * 3.7 if counts else float(value) * (1 + 0.05 * math.sin(number / 7))
                file.write(f"{series} {value if name == 'up' else moved} {at}\n")
        file.write("# EOF\n")
    subprocess.run(
        ["promtool", "tsdb", "create-blocks-from", "openmetrics", directory / "history.txt", directory / "data"],
        check=True,
        stdout=subprocess.DEVNULL,
        preexec_fn=die_with_parent,
    )


def put_thirty(directory: Path) -> None:
    """A dashboard of 30 panels: all of the overview, and as many of the budget's as are missing."""
    panels: list[dict] = []
    for name in ("overview", "budget"):
        bottom = max((panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels), default=0)
        for panel in json.loads((ROOT / f"grafana-dashboards/{name}.json").read_text())["panels"]:
            if panel["type"] != "row" and len(panels) < PANELS:
                panel["gridPos"]["y"] += bottom
                panels.append(panel | {"id": len(panels) + 1})
    if len(panels) < PANELS:
        raise RuntimeError(f"only {len(panels)} panels are shipped")
    (directory / "dashboards").mkdir()
    model = {"uid": "thirty", "title": "Thirty panels", "schemaVersion": 41, "time": {"from": "now-1h", "to": "now"}, "panels": panels}
    (directory / "dashboards/thirty.json").write_text(json.dumps(model))


def prometheus(directory: Path, port: int, service: int) -> subprocess.Popen:
    """With the shipped configuration and the flags of the budget."""
    config = (ROOT / "prometheus/prometheus.yml").read_text()
    config = config.replace("127.0.0.1:8000", f"127.0.0.1:{service}").replace("127.0.0.1:9090", f"127.0.0.1:{port}")
    config = config.replace("rules/*.yml", str(ROOT / "prometheus/rules/*.yml"))
    (directory / "prometheus.yml").write_text(config)
    budget = tomllib.loads((ROOT / "budget.toml").read_text())["prometheus"]
    return subprocess.Popen(
        [
            "prometheus",
            f"--config.file={directory}/prometheus.yml",
            f"--storage.tsdb.path={directory}/data",
            f"--web.listen-address=127.0.0.1:{port}",
            f"--query.max-concurrency={budget['query_max_concurrency']}",
            f"--query.max-samples={budget['query_max_samples']}",
            f"--query.timeout={budget['query_timeout']}",
            "--log.level=error",
        ],
        stdin=subprocess.DEVNULL,
        preexec_fn=die_with_parent,
    )


class Peak(threading.Thread):
    """The greatest RSS in KiB, looked at a hundred times a second."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.statm = Path(f"/proc/{pid}/statm")
        self.most = 0
        self.stopped = threading.Event()

    def run(self) -> None:
        page = os.sysconf("SC_PAGESIZE") // 1024
        while not self.stopped.wait(0.01):
            self.most = max(self.most, int(self.statm.read_text().split()[1]) * page)

    def stop(self) -> int:
        self.stopped.set()
        self.join()
        return self.most


def resting(pid: int) -> float:
    """KiB of RSS, the median over some seconds."""
    readings = []
    for _ in range(10):
        readings.append(memory(pid)["Rss"])
        time.sleep(0.3)
    return statistics.median(readings)


def shown_by(pid: int) -> int | None:
    """The program that shows dashboards, if it runs: the only child of the service."""
    children = "".join(file.read_text() for file in Path(f"/proc/{pid}/task").glob("*/children"))
    return int(children.split()[0]) if children.strip() else None


def page_of_thirty(service: int, used: Callable[[], float]) -> float:
    """CPU of a refresh in milliseconds: the median of those of one viewer."""
    drawn = get(service, THIRTY).decode()
    if drawn.count('class="panel ') != PANELS or "class=\"problems\"" in drawn:
        raise RuntimeError(f"not {PANELS} panels that are all right: {re.findall('problems.{200}', drawn)}")
    costs = []
    for _ in range(REFRESHES):
        time.sleep(PERIOD)
        start = used()
        get(service, THIRTY)
        # What is done once the page has been sent belongs to it.
        time.sleep(0.2)
        costs.append((used() - start) * 1e3)
    return statistics.median(costs)


def measure(service: int, pid: int) -> dict[str, float]:
    idle = resting(pid)
    if shown_by(pid) is not None:
        raise RuntimeError("the program of the dashboards runs before anybody looks")
    before, began = cpu_seconds(pid), time.monotonic()
    time.sleep(5)
    at_rest = (cpu_seconds(pid) - before) / (time.monotonic() - began)
    began = time.monotonic()
    size = len(get(service, PATH))
    first = (time.monotonic() - began) * 1e3
    program = shown_by(pid)

    def both() -> float:
        return cpu_seconds(pid) + cpu_seconds(program)

    peak, program_peak = Peak(pid), Peak(program)
    peak.start()
    program_peak.start()
    before, began = both(), time.monotonic()
    durations: list[float] = []
    failures: list[Exception] = []

    def viewer() -> None:
        try:
            for number in range(REFRESHES):
                time.sleep(max(0.0, began + number * PERIOD - time.monotonic()))
                start = time.monotonic()
                get(service, PATH)
                durations.append((time.monotonic() - start) * 1e3)
        except Exception as failure:  # a thread's own would be lost
            failures.append(failure)

    viewers = [threading.Thread(target=viewer) for _ in range(VIEWERS)]
    for one in viewers:
        one.start()
    for one in viewers:
        one.join()
    if failures:
        raise failures[0]
    elapsed = time.monotonic() - began
    used = both() - before - at_rest * elapsed
    most, program_most = peak.stop(), program_peak.stop()
    # Alone, for whom nobody else asks the same.
    alone = []
    for _ in range(5):
        time.sleep(PERIOD)
        start = both()
        get(service, PATH)
        alone.append((both() - start) * 1e3)
    thirty = page_of_thirty(service, both)
    time.sleep(70)
    return {
        "thirty": thirty,
        "bytes": size,
        "first": first,
        "idle": idle,
        "peak": most,
        "program": program_most,
        "left": shown_by(pid) is not None,
        "after": resting(pid),
        "cpu": used * 1e3 / (VIEWERS * REFRESHES),
        "cpu_alone": statistics.median(alone),
        "p50": statistics.median(durations),
    }


def main() -> int:
    # Without this, a signal would end the program past every `finally`.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    print(machine(), "\n", flush=True)
    service, database = free_port(), free_port()
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary)
        settings = directory / "edgewatch.toml"
        settings.write_text(
            f'http.listen = ["127.0.0.1:{service}"]\nsimulated.enabled = true\n'
            f'dashboards.directories = ["{directory}/dashboards"]\n'
            f'[prometheus]\nurl = "http://127.0.0.1:{database}"\n'
        )
        put_thirty(directory)
        children = [
            subprocess.Popen(
                [EDGEWATCH, "serve", "--config", settings],
                env={"PATH": os.environ["PATH"], **UNIT_ENVIRONMENT},
                stdin=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                preexec_fn=die_with_parent,
            )
        ]
        try:
            wait(service, "/readyz")
            put_history(directory, service)
            children.append(prometheus(directory, database, service))
            wait(database, "/-/ready")
            # Recording rules, and rates that end now, need some scrapes.
            time.sleep(4 * STEP)
            figures = measure(service, children[0].pid)
        finally:
            for child in children:
                child.kill()
                child.wait()
    growth = figures["peak"] - figures["idle"]
    print(
        f"Page of the overview: {figures['bytes'] / 1024:.0f} KiB; the first after {figures['first']:.0f} ms, "
        f"one of {VIEWERS} viewers at once waits {figures['p50']:.0f} ms."
    )
    print(f"RSS of the service: {figures['idle']:.0f} KiB idle, at most {figures['peak']:.0f} KiB with viewers, {figures['after']:.0f} KiB afterwards.")
    print(f"RSS of the program that shows dashboards: at most {figures['program']:.0f} KiB.")
    print(f"CPU of a refresh, of both: {figures['cpu']:.1f} ms with {VIEWERS} viewers, {figures['cpu_alone']:.1f} ms alone.")
    print(f"CPU of a refresh of a page of {PANELS} panels, of both, alone: {figures['thirty']:.1f} ms.\n")
    targets = [
        (f"the service never has more than {MOST_SERVICE_KIB} KiB ({figures['peak']:.0f})", figures["peak"] <= MOST_SERVICE_KIB),
        (f"{VIEWERS} viewers add at most {MOST_GROWTH_KIB} KiB to it ({growth:.0f})", growth <= MOST_GROWTH_KIB),
        (f"the first page within {MOST_FIRST_MS:.0f} ms ({figures['first']:.0f})", figures["first"] <= MOST_FIRST_MS),
        (f"less than {MOST_CPU_MS:.0f} ms of CPU a refresh", max(figures["cpu"], figures["cpu_alone"]) < MOST_CPU_MS),
        (f"at most {MOST_CPU_MS:.0f} ms of CPU for {PANELS} panels", figures["thirty"] <= MOST_CPU_MS),
        ("nothing is left of the program when nobody looks", not figures["left"]),
    ]
    for target, held in targets:
        print(f"- {target}: {'held' if held else 'MISSED'}")
    return 0 if all(held for _, held in targets) else 1


if __name__ == "__main__":
    sys.exit(main())
