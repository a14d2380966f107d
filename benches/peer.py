"""A service that is measured beside others: its process, its memory and CPU time, a client, and a broker that it listens to."""

import contextlib
import ctypes
import os
import re
import signal
import socket
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EDGEWATCH = ROOT / "target/release/edgewatch"
# What the unit sets for the allocator; its settings, such as the socket of another unit, are not for a service without systemd.
UNIT_ENVIRONMENT = dict(re.findall(r"^Environment=((?!EDGEWATCH__)\w+)=(\S+)$", (ROOT / "systemd/edgewatch.service").read_text(), re.M))

START_TIMEOUT = 15.0
REQUEST_TIMEOUT = 5.0

Figures = dict[str, float]


@dataclass
class Peer:
    """A service under test."""

    name: str
    command: Callable[[int], list[str]]  # for a port
    environment: dict[str, str] = field(default_factory=dict)
    figures: dict[str, list[float]] = field(default_factory=dict)

    def note(self, figures: Figures) -> None:
        for name, value in figures.items():
            self.figures.setdefault(name, []).append(value)

    def median(self, name: str) -> float:
        return statistics.median(self.figures[name])


class Client:
    """Keeps its connection if the server does. http.client would take longer than what is measured."""

    def __init__(self, port: int, path: str = "/metrics", headers: str = "") -> None:
        self.address = ("127.0.0.1", port)
        self.request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{headers}\r\n".encode()
        self.socket: socket.socket | None = None

    def get(self) -> None:
        if self.socket is None:
            self.socket = socket.create_connection(self.address, timeout=REQUEST_TIMEOUT)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(self.request)
        data = b""
        end = -1
        while end < 0:
            data += self._receive()
            end = data.find(b"\r\n\r\n") + 4 if b"\r\n\r\n" in data else -1
        head = data[:end].lower()
        if b" 200 " not in head[:20]:
            raise RuntimeError(f"{self.address}: {head.splitlines()[0].decode()}")
        if length := re.search(rb"\r\ncontent-length: *(\d+)", head):
            while len(data) < end + int(length[1]):
                data += self._receive()
        elif b"\r\ntransfer-encoding: chunked" in head:
            while not data.endswith(b"\r\n0\r\n\r\n"):
                data += self._receive()
        else:
            raise RuntimeError(f"{self.address}: a response of unknown length")
        if head.startswith(b"http/1.0") or b"\r\nconnection: close" in head:
            self.close()

    def _receive(self) -> bytes:
        assert self.socket
        data = self.socket.recv(1 << 18)
        if not data:
            raise RuntimeError(f"{self.address}: the response ended early")
        return data

    def close(self) -> None:
        if self.socket:
            self.socket.close()
        self.socket = None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def die_with_parent() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


@contextlib.contextmanager
def running(peer: Peer) -> Iterator[tuple[int, int]]:
    """Starts the peer; yields its process and its port."""
    port = free_port()
    # Without our environment, and without a terminal: the log goes where nobody reads it, as under systemd.
    env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **peer.environment}
    started = time.monotonic()
    process = subprocess.Popen(
        peer.command(port),
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=die_with_parent,
    )
    try:
        while True:
            try:
                Client(port).get()
                break
            except OSError as error:
                if process.poll() is not None or time.monotonic() - started > START_TIMEOUT:
                    raise RuntimeError(f"{peer.name} does not start: {' '.join(peer.command(port))}") from error
                time.sleep(0.002)
        peer.note({"start": (time.monotonic() - started) * 1e3})
        yield process.pid, port
    finally:
        process.kill()
        process.wait()


def cpu_seconds(pid: int) -> float:
    """CPU time of the process and of its threads, ended ones too (Flask has one for each request), in nanoseconds' resolution.

    /proc/PID/stat counts in ticks of 10 ms, and the schedstat of the threads forgets those that ended. The clock's number is
    what clock_getcpuclockid(3) computes.
    """
    return time.clock_gettime((~pid << 3) | 2)


def memory(pid: int) -> Figures:
    """In KiB."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return {key: float(re.search(rf"^{key}: +(\d+) kB", rollup, re.M)[1]) for key in ("Rss", "Anonymous")}


def source_names(directory: Path) -> list[str]:
    """What the service says to a name that it does not know."""
    file = directory / "unknown.toml"
    file.write_text("[sources.unknown]\n")
    said = subprocess.run([EDGEWATCH, "serve", "--check", "--config", file], capture_output=True, text=True, timeout=10).stderr
    return re.search(r"allowed: ([a-z0-9_, ]+)", said)[1].split(", ")


@contextlib.contextmanager
def broker(topics: int) -> Iterator[str]:
    """A real MQTT broker through which devices publish each second; yields its address."""
    port = free_port()
    children: list[subprocess.Popen] = []

    def start(command: list[str], **more: object) -> subprocess.Popen:
        children.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=die_with_parent, **more))
        return children[-1]

    stopped = threading.Event()

    def publish(devices: list[subprocess.Popen]) -> None:
        number = 0
        while not stopped.wait(1):
            number += 1
            for device in devices:
                device.stdin.write(f'{{"temperature":{20 + number % 10 / 10},"humidity":45,"battery":90,"linkquality":120}}\n')
                device.stdin.flush()

    start(["mosquitto", "-p", str(port)], stdin=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + START_TIMEOUT
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=REQUEST_TIMEOUT).close()
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        publish_to = ["mosquitto_pub", "-h", "127.0.0.1", "-p", str(port), "-r", "-l", "-t"]
        commands = [[*publish_to, f"zigbee2mqtt/device{number}"] for number in range(topics)]
        publisher = threading.Thread(target=publish, args=[[start(command, stdin=subprocess.PIPE, text=True) for command in commands]])
        publisher.start()
        try:
            yield f"mqtt://127.0.0.1:{port}"
        finally:
            stopped.set()
            publisher.join()
    finally:
        for child in children:
            child.kill()
            child.wait()


def machine() -> str:
    model = re.search(r"^(?:model name|Model)\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.M)
    name = model[1] if model else os.uname().machine
    return f"{os.cpu_count()} × {name}, Linux {os.uname().release}, load {os.getloadavg()[0]:.2f} at the start"
