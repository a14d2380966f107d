# Another configuration of the system, as nixos-rebuild switches to it: what can be reloaded is, and no scrape is missed.
{ lib, ... }:
{
  nodes.machine = {
    # Test machines may leave out what switches.
    system.switch.enable = true;
    services.edgewatch.prometheus = {
      scrapeInterval = "5s";
      scrapeTimeout = "4s";
    };
    specialisation.changed.configuration.services.edgewatch = {
      settings.sources.thermal.period = "7s";
      extraScrapeTargets.itself = [ "127.0.0.1:8000" ];
    };
    specialisation.roomier.configuration.services.edgewatch = {
      budget.prometheus.memory_high = "60M";
    };
  };

  testScript = lib.readFile ./lib/prelude.py + ''
    wait_until_up()
    services = ["edgewatch.service", "prometheus.service"]
    pids = {name: unit(name, "MainPID") for name in services}
    system = machine.succeed("readlink -f /run/current-system").strip()

    with subtest("settings and scrape configuration are reloaded"):
        start = machine.succeed("date +%s").strip()
        machine.succeed(f"{system}/specialisation/changed/bin/switch-to-configuration test")
        same({name: unit(name, "MainPID") for name in services}, pids)
        machine.wait_until_succeeds(
            f"curl -sf --data-urlencode 'query=up{{job=\"itself\"}}' {PROMETHEUS}/api/v1/query"
            " | jq -e '.data.result[0].value[1] == \"1\"'",
            timeout=120,
        )
        machine.succeed(f"curl -sf {SERVICE}/metrics | grep -qx 'edge_config_last_reload_successful 1'")

    with subtest("no scrape was missed"):
        machine.sleep(10)
        seconds = int(machine.succeed("date +%s")) - int(start)
        same(query(f'min_over_time(up{{job="sensor"}}[{seconds}s])')[0]["value"][1], "1")
        scrapes = int(query(f'count_over_time(up{{job="sensor"}}[{seconds}s])')[0]["value"][1])
        assert scrapes >= seconds // 5 - 1, (scrapes, seconds)

    with subtest("another budget is in force, and the service knows it"):
        machine.succeed(f"{system}/specialisation/roomier/bin/switch-to-configuration test")
        same(unit("prometheus.service", "MemoryHigh"), str(60 * 1024 * 1024))
        wait_until_up()
        machine.succeed("edgewatch check --budget /etc/edgewatch/budget.toml --wait 1m >&2 || [ $? = 1 ]")
  '';
}
