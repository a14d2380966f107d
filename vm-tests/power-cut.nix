# The power goes while samples are written, and comes back.
{ lib, ... }:
{
  nodes.machine = { };

  testScript = lib.readFile ./lib/prelude.py + ''
    machine.wait_for_unit("multi-user.target")
    machine.succeed(
        "systemd-run --unit=power-cut --property=StandardError=file:/var/tmp/before scenario power-cut before"
    )
    machine.wait_until_succeeds("grep -q 'POWER CUT' /var/tmp/before", timeout=400)
    machine.crash()

    machine.start()
    machine.wait_for_unit("multi-user.target")
    scenario("power-cut", "after")
  '';
}
