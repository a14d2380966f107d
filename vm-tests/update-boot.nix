# An update with another kernel command line takes a boot: systemd-boot starts it once, and whatever ends the trial, the system before
# boots, until the device has been well with the new one.
{ lib, ... }:
let
  updates = import ./lib/update.nix;
in
{
  nodes.machine = {
    imports = [ updates.node ];
    virtualisation.useBootLoader = true;
    virtualisation.useEFIBoot = true;
    boot.loader.systemd-boot.enable = true;
    boot.loader.timeout = lib.mkForce 0;
    specialisation = {
      better.configuration.boot.kernelParams = [ "edgewatch.test=better" ];
      broken.configuration.boot.kernelParams = [ "edgewatch.test=broken" ];
    };
  };

  testScript = updates.script + ''
    def update_restarts() -> None:
        machine.succeed("systemctl start --no-block edgewatch-update.service")
        wait_until_restarted(timeout=300)


    def entries() -> list[str]:
        return machine.succeed("ls /boot/loader/entries").split()


    with subtest("a system that breaks the stack is booted once, and left by another boot"):
        publish(1, "broken")
        update_restarts()
        machine.succeed("grep -q edgewatch.test=broken /proc/cmdline")
        same(running(), paths["broken"])
        same(default(), system)
        wait_until_restarted(timeout=600)
        same(running(), system)
        same(default(), system)
        wait_until_up()

    with subtest("a power cut during the trial boots the system before"):
        publish(2, "better")
        update_restarts()
        same(running(), paths["better"])
        machine.crash()
        machine.start(allow_reboot=True)
        machine.wait_for_unit("multi-user.target")
        same(running(), system)
        same(default(), system)
        wait_until_up()
        machine.wait_until_succeeds(
            "journalctl -b -u edgewatch-update-resume --grep 'the system before it is back'", timeout=120
        )

    with subtest("one that the device is well with is kept"):
        update_restarts()
        same(running(), paths["better"])
        same(default(), system)
        machine.wait_until_succeeds(
            f"[ $(readlink -f /nix/var/nix/profiles/system) = {paths['better']} ]", timeout=300
        )
        wait_until_inactive("edgewatch-update-resume.service")
        machine.wait_until_succeeds(f"curl -sf {SERVICE}/metrics | grep -qx 'edge_update_serial 2'", timeout=60)
        assert not [name for name in entries() if "trial" in name], entries()

    with subtest("it boots from now on"):
        machine.execute("systemctl reboot >/dev/null 2>&1 &")
        wait_until_restarted(timeout=300)
        machine.succeed("grep -q edgewatch.test=better /proc/cmdline")
        same(running(), paths["better"])
        wait_until_up()
  '';
}
