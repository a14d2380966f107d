#!/usr/bin/python3
"""Measures what Prometheus' history writes to a card in a day, on a file system of its own, whose journal counts.

    make build
    benches/card_writes.py                             # the table of docs/budget.md, in real time: 60 minutes, as root
    benches/card_writes.py --speed 15 --minutes 31     # the blocks: what each adds, in the last column
    benches/card_writes.py --dirty-expire 60           # how long the kernel keeps what was written, of the whole machine

Each row is a Prometheus with the shipped configuration on a loop device, and what counts are the sectors written to that device
(/sys/block/*/stat). What the process itself says (`write_bytes`) misses the journal and every page that is written again. A day is
extrapolated. In real time the first block comes after three hours, which few runs last: take it from a run at 15 times the speed,
where a block of 8 minutes holds as many samples as one of two hours does on a device, and add twelve of them to the day.
"""

import argparse
import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

from peer import EDGEWATCH, free_port, machine
from prometheus_memory import DIES_WITH_PARENT, ask, configuration, environment, flags, sensor_service, value, version

LOOK_EVERY = 2.0
SECTOR = 512  # bytes, whatever the device has
# What a start writes, and the file system's first writes, are no part of a day.
WARM_UP = 180.0
# A compaction and what the file system writes later because of it, commit=60 included.
COMPACTION = 100.0
DAY = 86400.0


@dataclass
class Variant:
    """One way to keep the history, and the counters of its device."""

    name: str
    options: str = "commit=5"  # of the mount
    # Lazily, a thread of the kernel would go on writing the tables of the file system.
    make: tuple[str, ...] = ("mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0")
    flags: tuple[str, ...] = ()
    interval: float = 15  # seconds between scrapes
    evaluation: float = 30  # seconds between evaluations of the rules
    queries_in_memory: bool = False  # the file in which Prometheus notes the queries that run
    sync_every: float | None = None  # seconds between two syncfs(2) of the file system
    seen: list[tuple[float, int, int, int]] = field(default_factory=list)  # (seconds, writes, sectors, flushes)
    compacted: list[float] = field(default_factory=list)  # seconds since its start
    own: int = 0  # write_bytes of the process
    series: int = 0


# ext4's bigalloc: a file that grows changes the tables of the file system sixteen times less often.
CLUSTERS = ("mkfs.ext4", "-q", "-O", "bigalloc", "-C", "65536", "-E", "lazy_itable_init=0,lazy_journal_init=0")
# What mkfs chooses for less than 512 MB. Sectors tell less of the wear then: a card cannot write a kilobyte by itself.
SMALL_BLOCKS = ("mkfs.ext4", "-q", "-b", "1024", "-E", "lazy_itable_init=0,lazy_journal_init=0")

VARIANTS = [
    Variant("default, commit=5"),
    Variant("commit=60", "commit=60"),
    Variant("commit=300", "commit=300"),
    Variant("commit=60, scrapes every 30 s", "commit=60", interval=30),
    Variant("commit=60, log compressed with zstd", "commit=60", ("--storage.tsdb.wal-compression-type=zstd",)),
    Variant("commit=60, log not compressed", "commit=60", ("--no-storage.tsdb.wal-compression",)),
    Variant("XFS", "noatime", make=("mkfs.xfs", "-q")),
    Variant("ext4 without a journal", "noatime", make=("mkfs.ext4", "-q", "-O", "^has_journal", "-E", "lazy_itable_init=0")),
    Variant("commit=60, clusters of 64 KiB", "commit=60", make=CLUSTERS),
    Variant("commit=60, clusters of 64 KiB, queries.active in memory", "commit=60", make=CLUSTERS, queries_in_memory=True),
    Variant("commit=60, blocks of 1 KiB", "commit=60", make=SMALL_BLOCKS),
    Variant("commit=60, blocks of 1 KiB, queries.active in memory", "commit=60", make=SMALL_BLOCKS, queries_in_memory=True),
    Variant("commit=300, queries.active in memory", "commit=300", queries_in_memory=True),
    Variant("commit=60, queries.active in memory", "commit=60", queries_in_memory=True),
    Variant("commit=5, queries.active in memory", "commit=5", queries_in_memory=True),
    Variant("commit=60, scrapes and rules every 60 s", "commit=60", interval=60, evaluation=60),
    Variant("commit=60, lazytime", "commit=60,lazytime"),
    Variant("commit=300, lazytime", "commit=300,lazytime"),
    Variant("commit=60, lazytime, queries.active in memory", "commit=60,lazytime", queries_in_memory=True),
    Variant("commit=120", "commit=120"),
    Variant("commit=120, lazytime", "commit=120,lazytime"),
    Variant("commit=120, lazytime, queries.active in memory", "commit=120,lazytime", queries_in_memory=True),
    Variant("commit=120, clusters of 64 KiB, lazytime, queries.active in memory", "commit=120,lazytime", make=CLUSTERS, queries_in_memory=True),
    # With --dirty-expire 3600: everything at once, and then a single commit.
    Variant("synced every 120 s", "commit=3600", sync_every=120),
    Variant("synced every 180 s", "commit=3600", sync_every=180),
    Variant("synced every 300 s", "commit=3600", sync_every=300),
    Variant("synced every 180 s, queries.active in memory", "commit=3600", queries_in_memory=True, sync_every=180),
]


@contextlib.contextmanager
def dirty_expire(seconds: float | None) -> Iterator[None]:
    """Sets vm.dirty_expire_centisecs (the kernel's Documentation/admin-guide/sysctl/vm.rst), which all rows share, for a while."""
    setting = Path("/proc/sys/vm/dirty_expire_centisecs")
    before = setting.read_text()
    if seconds is not None:
        setting.write_text(f"{seconds * 100:.0f}")
    try:
        yield
    finally:
        setting.write_text(before)


@contextlib.contextmanager
def card(directory: Path, make: tuple[str, ...], options: str) -> Iterator[tuple[Path, Path]]:
    """Yields the directory of a new file system on a loop device, and the counters of that device."""
    image, mounted = directory / "card", directory / "mounted"
    mounted.mkdir()
    with image.open("wb") as file:
        file.truncate(1 << 30)
    subprocess.run([*make, image], check=True)
    subprocess.run(["mount", "-o", f"loop,{options}", image, mounted], check=True)
    try:
        source = subprocess.run(["findmnt", "-no", "SOURCE", mounted], check=True, capture_output=True, text=True).stdout.strip()
        yield mounted, Path("/sys/block") / Path(source).name / "stat"
    finally:
        subprocess.run(["umount", mounted], check=True)


def measure(variant: Variant, program: str, service: int, speed: float, seconds: float, stop: threading.Event) -> Variant:
    with contextlib.ExitStack() as cleaning:
        temporary = cleaning.enter_context(tempfile.TemporaryDirectory(prefix="card-writes-"))
        data, stat = cleaning.enter_context(card(Path(temporary), variant.make, variant.options))
        port = free_port()
        file = configuration(Path(temporary), service, port, None, speed)
        text = file.read_text()
        for key, seconds_between in (("scrape_interval", variant.interval), ("evaluation_interval", variant.evaluation)):
            text = re.sub(rf"(?m)^( *{key}): .*", rf"\1: {seconds_between * 1000 / speed:.0f}ms", text)
        file.write_text(text)
        if variant.queries_in_memory:
            (data / "data").mkdir()
            (data / "data/queries.active").symlink_to(f"/dev/shm/queries.active-{port}")
            cleaning.callback(Path(f"/dev/shm/queries.active-{port}").unlink, missing_ok=True)
        command = [
            *DIES_WITH_PARENT,
            program,
            f"--config.file={file}",
            f"--storage.tsdb.path={data / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=warn",
            "--no-scrape.adjust-timestamps",
            *flags(speed),
            *variant.flags,
        ]
        log = Path(temporary) / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(command, env=environment(), stdout=output, stderr=output)
        try:
            look(variant, process, port, stat, data, seconds, stop)
        except BaseException:
            sys.stderr.write(log.read_text()[-4000:])
            raise
        finally:
            process.kill()
            process.wait()
    return variant


def look(variant: Variant, process: subprocess.Popen, port: int, stat: Path, data: Path, seconds: float, stop: threading.Event) -> None:
    started = asked = synced = time.monotonic()
    done = 0.0
    while time.monotonic() < started + seconds and not stop.is_set():
        stop.wait(LOOK_EVERY)
        if process.poll() is not None:
            raise RuntimeError(f"{variant.name}: Prometheus ended with {process.returncode}")
        if variant.sync_every is not None and time.monotonic() - synced > variant.sync_every:
            synced = time.monotonic()
            subprocess.run(["sync", "--file-system", data], check=True)
        fields = stat.read_text().split()
        now = time.monotonic() - started
        variant.seen.append((now, int(fields[4]), int(fields[6]), int(fields[15])))
        if time.monotonic() - asked > 10:
            asked = time.monotonic()
            said = ask(port, "/metrics")
            variant.series = int(value(said, "prometheus_tsdb_head_series"))
            if (compactions := value(said, "prometheus_tsdb_compactions_total")) > done:
                done = compactions
                variant.compacted.append(now)
    variant.own = int(re.search(r"(?m)^write_bytes: (\d+)", Path(f"/proc/{process.pid}/io").read_text())[1])


def row(variant: Variant, speed: float) -> list[str]:
    """Figures of a day without its blocks, and megabytes that each block added."""

    def around(when: float) -> bool:
        return any(-20 < when - compacted < COMPACTION for compacted in variant.compacted)

    quiet, writes, sectors, flushes = 0.0, 0, 0, 0
    busy, busy_sectors = 0.0, 0
    for before, after in zip(variant.seen, variant.seen[1:]):
        if before[0] < WARM_UP:
            continue
        if around(after[0]):
            busy += after[0] - before[0]
            busy_sectors += after[2] - before[2]
        else:
            quiet += after[0] - before[0]
            writes, sectors, flushes = (total + new - old for total, old, new in zip((writes, sectors, flushes), before[1:], after[1:]))
    day = DAY / quiet / speed if quiet else float("nan")
    blocks = [when for when in variant.compacted if when > WARM_UP]
    added = (busy_sectors - sectors / quiet * busy) * SECTOR / len(blocks) / 1e6 if blocks and quiet else float("nan")
    return [
        variant.name,
        f"{variant.seen[-1][0] * speed / 3600:.1f}",
        f"{variant.series}",
        f"{sectors * SECTOR * day / 1e6:.1f}",
        f"{writes * day:.0f}",
        f"{flushes * day:.0f}",
        f"{variant.own / 1e6 * DAY / speed / variant.seen[-1][0]:.1f}",
        f"{len(blocks)}",
        f"{added:.2f}",
    ]


HEADS = [
    "history",
    "hours",
    "series",
    "MB a day, blocks left out",
    "writes a day",
    "flushes a day",
    "MB a day that the process says",
    "blocks",
    "MB that each adds",
]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prometheus", default="prometheus", help="program (default: the one in PATH)")
    parser.add_argument("--only", default="", help="rows whose name this expression finds")
    parser.add_argument("--speed", type=float, default=1, help="how much faster than a device (default: %(default)g)")
    parser.add_argument("--minutes", type=float, default=60, help="for all rows at once (default: %(default)g)")
    parser.add_argument("--edgewatch", default=str(EDGEWATCH), help="the sensor service (default: %(default)s)")
    parser.add_argument("--dirty-expire", type=float, metavar="SECONDS", help="until the kernel writes what is dirty (default: as it is)")
    options = parser.parse_args()
    if os.geteuid() != 0:
        parser.error("only root can mount a file system")
    variants = [variant for variant in VARIANTS if re.search(options.only, variant.name)]
    # Told to end, it reports what it has seen so far.
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    print(f"{machine()}; Prometheus {version(options.prometheus)}, speed {options.speed:g}\n", flush=True)
    with dirty_expire(options.dirty_expire), sensor_service(options.edgewatch) as port, ThreadPoolExecutor(len(variants)) as lanes:
        print("|", " | ".join(HEADS), "|\n| ---", "| --: " * (len(HEADS) - 1), "|", sep="", flush=True)
        failed = 0
        lasting = options.minutes * 60
        for lane in as_completed([lanes.submit(measure, one, options.prometheus, port, options.speed, lasting, stop) for one in variants]):
            try:
                print("|", " | ".join(row(lane.result(), options.speed)), "|", flush=True)
            except Exception as error:  # the others go on
                failed += 1
                print(f"failed: {error}", file=sys.stderr, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
