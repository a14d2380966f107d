# When the stack's memory runs out Grafana goes first, and what holds the history and tells of it stays.
{ lib, ... }:
{
  nodes.machine = { };

  testScript = lib.readFile ./lib/prelude.py + ''
    M = 1024 * 1024


    def anonymous(name: str) -> int:
        lines = machine.succeed(f"cat /sys/fs/cgroup/edgewatch.slice/{name}/memory.stat").splitlines()
        return int(dict(line.split() for line in lines)["anon"])


    wait_until_up()
    same(get(f"{GRAFANA}/api/health")["database"], "ok")
    kept = ["edgewatch.service", "prometheus.service"]
    pids = {name: unit(name, "MainPID") for name in kept}

    with subtest("a slice with too little for all of them costs Grafana its life"):
        need = sum(anonymous(name) for name in [*kept, "grafana.service"])
        limit = need - anonymous("grafana.service") // 2
        # Memory runs out by what is taken: of a limit that is set below what is taken, the kernel kills one after the other before the
        # first has given back its own.
        machine.succeed("systemctl stop grafana.service")
        machine.succeed(f"systemctl set-property --runtime edgewatch.slice MemoryHigh=infinity MemoryMax={limit}")
        machine.execute(f"curl -s --max-time 60 {GRAFANA}/api/health")
        machine.wait_until_succeeds(
            "journalctl -b -u grafana.service --grep \"Failed with result 'oom-kill'\"", timeout=120
        )
        same({name: unit(name, "MainPID") for name in kept}, pids)

    with subtest("with its memory back it serves the next visitor"):
        machine.succeed(f"systemctl set-property --runtime edgewatch.slice MemoryHigh={290 * M} MemoryMax={300 * M}")
        machine.wait_until_succeeds(f"curl -sf --max-time 200 {GRAFANA}/api/health", timeout=300)

    scenario("hog")
  '';
}
