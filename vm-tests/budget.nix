# The budget is in force as systemd understands it, and the stack stays within it at rest and with visitors.
{ lib, ... }:
{
  nodes.machine = { };

  testScript = lib.readFile ./lib/prelude.py + ''
    import tomllib

    M = 1024 * 1024
    SLICE = "/sys/fs/cgroup/edgewatch.slice"
    budget = tomllib.loads(machine.succeed("cat /etc/edgewatch/budget.toml"))


    def read(path: str) -> str:
        return machine.succeed(f"cat {SLICE}/{path}").strip()


    def assert_within_budget() -> None:
        machine.log(machine.succeed(f"grep . {SLICE}/memory.peak {SLICE}/*/memory.peak"))
        assert int(read("memory.peak")) <= 300 * M
        events = dict(line.split() for line in read("memory.events").splitlines())
        same(events["oom_kill"], "0")
        same(unit("prometheus.service", "NRestarts"), "0")
        same(unit("edgewatch.service", "NRestarts"), "0")


    wait_until_up()

    with subtest("the slice is 300 MB and two CPUs"):
        same(unit("edgewatch.slice", "MemoryMax"), str(300 * M))
        same(unit("edgewatch.slice", "CPUQuotaPerSecUSec"), "2s")
        same(read("memory.swap.max"), "0")

    with subtest("every unit is in it, with the limits of the budget"):
        services = {
            "edgewatch": "edgewatch.service",
            "dashboards": "edgewatch-dashboards.service",
            "outbound": "edgewatch-outbound.service",
            "prometheus": "prometheus.service",
            "grafana": "grafana.service",
        }
        for name, service in services.items():
            limits = budget[name]
            same(unit(service, "Slice"), "edgewatch.slice")
            for key, limit in [("memory_max", "MemoryMax"), ("memory_high", "MemoryHigh")]:
                same(unit(service, limit), str(int(limits[key].removesuffix("M")) * M))
            same(unit(service, "TasksMax"), str(limits["tasks_max"]))
            same(unit(service, "OOMScoreAdjust"), str(limits["oom_score_adjust"]))
            same(unit(service, "ProtectSystem"), "strict")

    with subtest("the kernel agrees"):
        same(read("prometheus.service/memory.max"), str(76 * M))
        assert f"GOMEMLIMIT={budget['prometheus']['gomemlimit']}" in unit("prometheus.service", "Environment")

    with subtest("within it at rest"):
        machine.sleep(60)
        assert_within_budget()

    with subtest("within it with visitors"):
        machine.succeed("curl -sf --max-time 200 http://127.0.0.1:3000/api/health")
        machine.succeed(
            "for visit in $(seq 200); do"
            " curl -sf http://127.0.0.1:8000/metrics http://127.0.0.1:8000/ >/dev/null;"
            " curl -sf http://127.0.0.1:3000/api/search >/dev/null;"
            " curl -sf --data-urlencode 'query=rate(node_cpu_seconds_total[5m])'"
            " http://127.0.0.1:9090/api/v1/query >/dev/null;"
            " done"
        )
        assert_within_budget()
        same(unit("grafana.service", "NRestarts"), "0")

    with subtest("edgewatch finds no failure; a warning is due, as the machine has no time server"):
        machine.succeed("edgewatch check --wait 1m >&2 || [ $? = 1 ]")

    scenario("well")
  '';
}
