"""Stands in for systemd on a bus of its own, which a real dbus-daemon runs: manager.py ADDRESS UNITS, where UNITS is a file of lines
NAME STATE SUB-STATE RESTARTS, read for each answer. A line "hang" in it makes it answer nothing."""

import asyncio
import pathlib
import sys

from dbus_next.aio import MessageBus
from dbus_next.constants import PropertyAccess
from dbus_next.service import ServiceInterface, dbus_property, method

MANAGER = "org.freedesktop.systemd1"
ROOT = "/org/freedesktop/systemd1"
address, file = sys.argv[1], pathlib.Path(sys.argv[2])


def units() -> list[list[str]]:
    return [line.split() for line in file.read_text().splitlines()]


class Service(ServiceInterface):
    def __init__(self, restarts: int):
        super().__init__(f"{MANAGER}.Service")
        self.restarts = restarts

    @dbus_property(access=PropertyAccess.READ)
    def NRestarts(self) -> "u":  # noqa: F821
        return self.restarts


class Manager(ServiceInterface):
    def __init__(self, bus: MessageBus):
        super().__init__(f"{MANAGER}.Manager")
        self.bus = bus

    @method()
    async def ListUnits(self) -> "a(ssssssouso)":  # noqa: F722
        if ["hang"] in units():
            await asyncio.sleep(3600)
        answer = []
        for number, (name, state, sub_state, restarts) in enumerate(units()):
            path = f"{ROOT}/unit/u{number}"
            self.bus.unexport(path)
            if restarts != "gone":
                self.bus.export(path, Service(int(restarts)))
            answer.append([name, f"The unit {name}", "loaded", state, sub_state, "", path, 0, "", "/"])
        return answer

    @dbus_property(access=PropertyAccess.READ)
    def SystemState(self) -> "s":  # noqa: F821
        states = [state for _, state, _, _ in units()]
        return "degraded" if "failed" in states else "running"


async def main() -> None:
    bus = await MessageBus(bus_address=address).connect()
    bus.export(ROOT, Manager(bus))
    await bus.request_name(MANAGER)
    await bus.wait_for_disconnect()


asyncio.run(main())
