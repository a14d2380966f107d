# A kernel that stands still is reset by the hardware, and the stack comes back with its history.
{ lib, ... }:
{
  nodes.machine = {
    virtualisation.qemu.options = [ "-device i6300esb" ];
    boot.kernelModules = [ "i6300esb" ];
    services.edgewatch.watchdog.enable = true;
  };

  testScript = lib.readFile ./lib/prelude.py + ''
    machine.start(allow_reboot=True)
    wait_until_up()
    machine.wait_until_succeeds("journalctl -b -k --grep i6300esb", timeout=60)
    machine.wait_until_succeeds("wdctl --noheadings --oneline | grep -q i6300", timeout=60)
    boot = machine.succeed("cat /proc/sys/kernel/random/boot_id")
    before = machine.succeed("date +%s").strip()
    machine.sleep(60)
    machine.succeed("sync")

    with subtest("the kernel dies, without the restart that it would do itself"):
        machine.execute("echo 0 >/proc/sys/kernel/panic; (sleep 1; echo c >/proc/sysrq-trigger) >/dev/null 2>&1 &")
        wait_until_restarted(timeout=300)
        assert machine.succeed("cat /proc/sys/kernel/random/boot_id") != boot

    with subtest("the history is there"):
        wait_until_up()
        seconds = int(machine.succeed("date +%s")) - int(before)
        gone = int(query(f'count_over_time(up{{job="sensor"}}[{seconds}s])')[0]["value"][1])
        assert gone >= 2, gone
  '';
}
