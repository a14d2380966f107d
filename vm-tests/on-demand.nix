# Grafana is absent until the first visit, and leaves when nobody has looked for a while.
{ lib, ... }:
{
  nodes.machine =
    { config, ... }:
    {
      # Five minutes on a device.
      systemd.services.edgewatch-grafana.serviceConfig.ExecStart = [
        ""
        "${config.systemd.package}/lib/systemd/systemd-socket-proxyd --exit-idle-time=10s 127.0.0.1:3001"
      ];
    };

  testScript = lib.readFile ./lib/prelude.py + ''
    wait_until_up()

    with subtest("nobody has looked, and there is no Grafana"):
        machine.require_unit_state("edgewatch-grafana.socket", "active")
        machine.require_unit_state("grafana.service", "inactive")
        machine.fail("pgrep -x grafana")
        # edgewatch check finds no failure in that; 1 is a warning, such as of the emulator's clock.
        machine.succeed("edgewatch check --wait 1m >&2 || [ $? = 1 ]")

    for _ in range(2):
        with subtest("a visit starts it, and waits for it"):
            same(get(f"{GRAFANA}/api/health")["database"], "ok")
            machine.require_unit_state("grafana.service", "active")
            same(unit("grafana.service", "Slice"), "edgewatch.slice")

        with subtest("it goes when nobody looks"):
            wait_until_inactive("grafana.service")
            same(unit("grafana.service", "Result"), "success")
  '';
}
