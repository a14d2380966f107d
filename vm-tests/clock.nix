# The clock steps ahead and back, and before a time server has set it Prometheus waits, but not for ever.
{ lib, ... }:
{
  nodes.machine = {
    services.edgewatch.clock = {
      waitForSync = true;
      maxWait = 20;
    };
  };

  testScript = lib.readFile ./lib/prelude.py + ''
    with subtest("Prometheus waits for the time, which nobody tells here, and the sensor service does not"):
        machine.wait_for_unit("edgewatch.service")
        wait_until_up()
        waited = int(unit("edgewatch-clock.service", "InactiveExitTimestampMonotonic"))
        began = int(unit("prometheus.service", "ExecMainStartTimestampMonotonic"))
        assert 20 <= (began - waited) / 1e6 <= 60, (waited, began)
        machine.succeed("journalctl -b -u edgewatch-clock.service --grep 'no time server has set the clock'")
        same(unit("edgewatch-clock.service", "Result"), "success")

    with subtest("a restart waits no more"):
        machine.succeed("systemctl restart prometheus.service")
        same(unit("edgewatch-clock.service", "InactiveExitTimestampMonotonic"), str(waited))
        wait_until_up()

    scenario("clock")
  '';
}
