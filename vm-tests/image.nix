# The image as flashed: it starts without a network in 512 MB, grows to the size of its disk, makes its secrets, and is well.
{ hostPkgs, lib, ... }:
let
  inherit (hostPkgs.stdenv.hostPlatform) isx86_64;
  inherit
    (import (hostPkgs.path + "/nixos/lib/eval-config.nix") {
      inherit lib;
      system = null;
      modules = [
        (../nixos/hosts + (if isx86_64 then "/x86_64.nix" else "/raspberry-pi.nix"))
        (hostPkgs.path + "/nixos/modules/testing/test-instrumentation.nix")
        { boot.kernel.sysctl."vm.panic_on_oom" = 0; }
        (lib.optionalAttrs (!isx86_64) { sdImage.compressImage = false; })
      ];
    })
    config
    ;
  image =
    if isx86_64 then "${config.system.build.diskImage}" else "${config.system.build.sdImage}/sd-image";
  # As the Raspberry Pi's firmware would, U-Boot looks for extlinux.conf; there is no emulator of the board's own.
  qemu =
    if isx86_64 then
      "qemu-system-x86_64 -machine q35,accel=kvm:tcg -cpu max -bios ${hostPkgs.OVMF.fd}/FV/OVMF.fd"
    else
      "qemu-system-aarch64 -machine virt,accel=kvm:tcg,gic-version=max -cpu max -bios ${hostPkgs.ubootQemuAarch64}/u-boot.bin";
in
{
  nodes = { };

  testScript = ''
    import glob
    import os
    import subprocess

    disk = os.path.join(os.environ.get("TMPDIR", "/tmp"), "disk.qcow2")
    source = glob.glob("${image}/*.img")[0]
    size = os.stat(source).st_size
    log.info(f"the image has {size // 1024 ** 2} MiB")
    subprocess.check_call(
        ["${hostPkgs.qemu_test}/bin/qemu-img", "create", "-q", "-f", "qcow2", "-b", source, "-F", "raw", disk, "8G"]
    )
    machine = create_machine(
        "${hostPkgs.qemu_test}/bin/${qemu} -smp 2 -m 512 -nic none -device virtio-rng-pci"
        f" -drive file={disk},if=virtio,format=qcow2",
        name="flashed",
    )

    machine.start()
    machine.wait_for_unit("multi-user.target")

    with subtest("it has grown"):
        total = int(machine.succeed("df --output=size --block-size=1 / | tail -n 1"))
        assert total > 6 * 1024**3, total

    ${lib.optionalString isx86_64 ''
      with subtest("its boot partition holds all generations of the menu, and the one that an update installs"):
          used, size = map(int, machine.succeed("df --output=used,size --block-size=1 /boot | tail -n 1").split())
          count = ${toString config.boot.loader.systemd-boot.configurationLimit}
          assert used * (count + 1) <= size, (used, size)
    ''}
    with subtest("what is in it, for those who want it smaller"):
        machine.log(machine.succeed("du -xsm /nix/store/* | sort -rn | head -n 30"))

    with subtest("it has made its password"):
        password = machine.succeed("cat /var/lib/edgewatch-appliance/password")
        assert len(password) == 19, password

    with subtest("it is well, but for the time that nobody tells it"):
        machine.wait_until_succeeds("edgewatch check --wait 3m >&2 || [ $? = 1 ]", timeout=400)
        machine.succeed("grep -qw memory /sys/fs/cgroup/cgroup.controllers && test -e /proc/pressure/memory")
  '';
}
