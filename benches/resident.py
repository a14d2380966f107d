#!/usr/bin/env python3
"""Writes src/resident/*.ld anew: for each program the functions that run at rest, which the linker puts side by side.

The kernel maps a program in pieces of 64 KiB (fault_around_bytes), and a few functions in each piece keep all of it in memory. What runs
at rest is a tenth of the program. It is found in an emulator that tells of each block of code it runs (QEMU's -d exec): the sensor service,
scraped, with its defaults, with everything on, and with a viewer of dashboards, and the program that forwards and notifies. Names are without their hashes, so that they hold for another
compiler, architecture and version of a crate; those that match nothing do no harm.
"""

import contextlib
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import peer
from peer import ROOT, START_TIMEOUT, UNIT_ENVIRONMENT, Client, broker, die_with_parent, free_port, source_names

EMULATOR = ROOT / "target/qemu-arm/usr/bin/qemu-x86_64"
# Where it loads a program that may lie anywhere.
BASE = 0x555555556000
# Until what only the start needs is done, but for giving its memory back; and time for what is done once a minute.
START, REST = 10.0, 75.0

Address = int


class Trace:
    """The program in the emulator, and the addresses of the blocks that it ran since `forget`."""

    def __init__(self, directory: Path, program: Path, arguments: list[str]) -> None:
        self.program = program
        log = directory / f"{program.name}.blocks"
        log.unlink(missing_ok=True)
        os.mkfifo(log)
        self.process = subprocess.Popen(
            [EMULATOR, "-d", "exec,nochain", "-dfilter", f"{BASE:#x}+{program.stat().st_size:#x}", "-D", log, program, *arguments],
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "STATE_DIRECTORY": str(directory), **UNIT_ENVIRONMENT},
            stdin=subprocess.DEVNULL,
            preexec_fn=die_with_parent,
        )
        self.blocks: set[Address] = set()
        self.reader = threading.Thread(target=self._read, args=[log], daemon=True)
        self.reader.start()

    def _read(self, log: Path) -> None:
        # Trace 0: 0x7f… [00000000/0000004000236c5b/…/…]
        with log.open("rb") as lines:
            for line in lines:
                parts = line.split(b"/", 2)
                if len(parts) == 3:
                    self.blocks.add(int(parts[1], 16))

    def forget(self) -> None:
        self.blocks.clear()

    def end(self) -> set[str]:
        """Ends the program; the names of the functions that ran."""
        self.process.kill()
        self.process.wait()
        self.reader.join()
        return functions(self.program, {block - BASE for block in self.blocks})


def functions(program: Path, blocks: set[Address]) -> set[str]:
    names = set()
    for line in subprocess.run(["nm", "--print-size", program], capture_output=True, text=True, check=True).stdout.splitlines():
        match line.split():
            case [start, size, "t" | "T", name] if not blocks.isdisjoint(range(int(start, 16), int(start, 16) + int(size, 16))):
                names.add(name)
    return names


def pattern(name: str) -> str:
    """Of this function's name, whatever its hash: legacy names end with it, those of v0 have one behind each crate's Cs."""
    name = re.sub(r"17h[0-9a-f]{16}E.*$", "17h*", name)
    name = re.sub(r"Cs[0-9A-Za-z]+_", "Cs*_", name) if name.startswith("_R") else name
    return re.sub(r"\.(llvm\.)?\d+$", "*", name)


class Centre(BaseHTTPRequestHandler):
    """Takes whatever is sent."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(204)
        self.end_headers()

    do_GET = do_POST

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def centre() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Centre)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


@contextlib.contextmanager
def prometheus(directory: Path, target: int) -> Iterator[str]:
    port = free_port()
    config = directory / "prometheus.yml"
    # With rules, since nobody is pinged where none is evaluated.
    config.write_text(
        f"global: {{scrape_interval: 5s, scrape_timeout: 5s, evaluation_interval: 5s}}\nrule_files: [{ROOT}/prometheus/rules/*.yml]\n"
        f"scrape_configs: [{{job_name: sensor, static_configs: [{{targets: ['127.0.0.1:{target}']}}]}}]\n"
    )
    options = [f"--config.file={config}", f"--storage.tsdb.path={directory}/data", f"--web.listen-address=127.0.0.1:{port}"]
    child = subprocess.Popen(["prometheus", "--log.level=error", *options], preexec_fn=die_with_parent)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        child.kill()
        child.wait()


def wait_for(condition: Callable[[], None]) -> None:
    deadline = time.monotonic() + 4 * START_TIMEOUT
    while True:
        try:
            return condition()
        # Or it is late with a reading, and says so with 503.
        except (OSError, RuntimeError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def main() -> int:
    # What runs in the emulator, and tells of it, is slow.
    peer.REQUEST_TIMEOUT = 60.0
    # The service starts the one for dashboards, which runs as it is.
    service, outbound, _ = (program(name) for name in ("edgewatch", "edgewatch-outbound", "edgewatch-dashboards"))
    with tempfile.TemporaryDirectory() as temporary, broker(5) as mqtt, centre() as url:
        directory, port = Path(temporary), free_port()
        deadlines = "".join(f'sources.{name}.deadline = "30s"\n' for name in source_names(directory))
        defaults = f'http.listen = ["127.0.0.1:{port}"]\npaths.outbound = "{directory}/metrics.prom"\n{deadlines}'
        with prometheus(directory, port) as history:
            everything = (
                f'collect = "full"\nsimulated.enabled = true\nprometheus.url = "{history}"\n{defaults}'
                f'mqtt.url = "{mqtt}"\nmqtt.presets = ["zigbee2mqtt"]\n'
                f'[forward]\nurl = "{url}/write"\nwindow = "5s"\nlag = "1s"\n'
                f'[notify]\nwebhook.url = "{url}/hook"\nping.url = "{url}/ping"\nping.every = "10s"\n'
            )
            (least,) = at_rest(directory, port, [service], defaults, ["/metrics"])
            whole, sending = at_rest(directory, port, [service, outbound], everything, ["/metrics", "/sensor", "/healthz", "/"])
            (viewed,) = at_rest(directory, port, [service], f'prometheus.url = "{history}"\n{defaults}', ["/metrics", "/d/edgewatch-overview"])
    # What runs in every service comes first, and what only a viewer needs comes last.
    write(service, least, whole - least, viewed - whole - least)
    write(outbound, sending)
    return 0


def at_rest(directory: Path, port: int, programs: list[Path], settings: str, paths: list[str]) -> list[set[str]]:
    """Patterns of the functions of each program that run while the service is asked for these paths."""
    file = directory / "edgewatch.toml"
    file.write_text(settings)
    traces = [Trace(directory, program, ["serve", "--config", str(file)]) for program in programs]
    wait_for(lambda: Client(port).get())
    time.sleep(START)
    for trace in traces:
        trace.forget()
    end = time.monotonic() + REST
    while time.monotonic() < end:
        for path in paths:
            wait_for(lambda: Client(port, path).get())
        time.sleep(1)
    return [{pattern(name) for name in trace.end()} for trace in traces]


def write(program: Path, *groups: set[str]) -> None:
    if not all(groups):
        raise RuntimeError(f"nothing ran at {BASE:#x}: does this QEMU load programs elsewhere (-d page)?")
    # The compiler puts what is called cold behind .text.unlikely.
    lines = [f"    *(.text.{name} .text.*.{name})\n" for group in groups for name in sorted(group)]
    script = ROOT / "src/resident" / f"{program.name}.ld"
    script.write_text(
        "/* The functions that run at rest, side by side in memory. Written by `make layout`; benches/resident.py says why and how. */\n"
        "SECTIONS {\n  .text.resident : {\n" + "".join(lines) + "  }\n} INSERT BEFORE .text;\n"
    )
    print(f"{script}: {len(lines)} patterns")


def program(name: str) -> Path:
    """The release program with its symbols."""
    to = ROOT / "target/layout" / name
    subprocess.run(["cargo", "rustc", "--release", "--locked", f"--bin={name}", "--", "-Cstrip=none"], cwd=ROOT, check=True)
    to.parent.mkdir(exist_ok=True)
    to.write_bytes((ROOT / "target/release" / name).read_bytes())
    to.chmod(0o755)
    return to


if __name__ == "__main__":
    sys.exit(main())
