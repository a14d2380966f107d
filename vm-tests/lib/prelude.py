import json
import select
import shlex
from typing import Any

SERVICE = "http://127.0.0.1:8000"
PROMETHEUS = "http://127.0.0.1:9090"
GRAFANA = "http://127.0.0.1:3000"


def same(found: object, expected: object) -> None:
    assert found == expected, f"{found} is not {expected}"


def get(url: str, *options: str) -> Any:
    command = shlex.join(["curl", "-sf", "--max-time", "200", *options, url])
    return json.loads(machine.succeed(command))


def status(url: str, *options: str) -> str:
    command = ["curl", "-s", "--max-time", "200", "-o", "/dev/null", "-w", "%{http_code}"]
    return machine.succeed(shlex.join([*command, *options, url])).strip()


def query(expression: str) -> list[Any]:
    url = f"{PROMETHEUS}/api/v1/query"
    return get(url, "--data-urlencode", f"query={expression}")["data"]["result"]


def unit(name: str, key: str) -> str:
    return machine.succeed(f"systemctl show --property={key} --value {name}").strip()


def wait_until_inactive(name: str) -> None:
    # Not by `systemctl is-active | grep`: it fails where a unit is inactive, and a pipe fails with any of its parts here.
    machine.wait_until_succeeds(f'[ "$(systemctl show --property=ActiveState --value {name})" = inactive ]', timeout=120)


def wait_until_up() -> None:
    machine.wait_for_unit("edgewatch.service", timeout=300)
    # A target that was taken away with a restart of Prometheus stays in the answers for five minutes.
    machine.wait_until_succeeds(
        f"curl -sf --data-urlencode 'query=sum(up and time() - timestamp(up) < 30)' {PROMETHEUS}/api/v1/query"
        " | jq -e '.data.result[0].value[1] == \"2\"'",
        timeout=300,
    )


def wait_until_restarted(timeout: int) -> None:
    # To connect would wait without end for a machine that never speaks again.
    def speaks(_: bool) -> bool:
        assert machine.shell
        return select.select([machine.shell], [], [], 0)[0] != []

    machine.connected = False
    retry(speaks, timeout)
    machine.connect()


def scenario(name: str, *arguments: str) -> None:
    with subtest(f"scenario {name}"):
        machine.succeed(shlex.join(["scenario", name, *arguments]), timeout=900)


