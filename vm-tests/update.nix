# The device updates itself: another system comes from a cache, by a signed manifest, and boots only once the device has been well with it;
# one that breaks the stack is left, and after two tries not tried again.
{ lib, ... }:
let
  updates = import ./lib/update.nix;
in
{
  nodes.machine = {
    imports = [ updates.node ];
    specialisation = {
      # Who switches to it waits for a unit that never has started.
      hanging.configuration.systemd.services.hanging = {
        wantedBy = [ "multi-user.target" ];
        serviceConfig.Type = "oneshot";
        script = "sleep infinity";
      };
      # It would hear of no other.
      cut-off.configuration.systemd.sockets.published.enable = lib.mkForce false;
      greedy.configuration.systemd.services.greedy = {
        wantedBy = [ "multi-user.target" ];
        serviceConfig = {
          Slice = "edgewatch.slice";
          Restart = "always";
          RestartSec = "5s";
        };
        script = "exec tail /dev/zero";
      };
      better.configuration.environment.etc.better.text = "yes";
    };
  };

  testScript = updates.script + ''
    machine.succeed("systemctl list-timers edgewatch-update.timer | grep -q edgewatch-update")

    with subtest("a system that breaks the stack is left, and after two tries not tried again"):
        publish(1, "broken")
        for _ in range(2):
            said = machine.fail("edgewatch update --now 2>&1")
            assert "the system before it is back" in said, said
            same(running(), system)
            same(default(), system)
            wait_until_up()
        said = machine.fail("edgewatch update --now 2>&1")
        assert "failed 2 times on this device" in said, said

    with subtest("one that hangs, that is cut off or that exceeds the budget is left"):
        # What fails last of the greedy one is chance: the kernel kills, and whatever it takes the memory and the CPU from comes too short.
        reasons = {"hanging": "took longer than", "cut-off": "127.0.0.1:8088", "greedy": "was not well"}
        for serial, (name, reason) in enumerate(reasons.items(), start=2):
            publish(serial, name)
            said = machine.fail("edgewatch update --now 2>&1", timeout=600)
            assert "the system before it is back" in said and reason in said, said
            same(running(), system)
            same(default(), system)
            wait_until_up()

    with subtest("one that the device is well with is kept, by the unit that the timer starts"):
        publish(5, "better")
        machine.succeed("systemctl start edgewatch-update.service", timeout=600)
        same(running(), paths["better"])
        same(default(), paths["better"])
        machine.succeed("test -e /etc/better")
        machine.wait_until_succeeds(f"curl -sf {SERVICE}/metrics | grep -qx 'edge_update_serial 5'", timeout=60)

    with subtest("who resumes after a restart has nothing to do"):
        machine.succeed("systemctl start edgewatch-update-resume.service")
        wait_until_inactive("edgewatch-update-resume.service")
        same(unit("edgewatch-update-resume.service", "Result"), "success")
  '';
}
