# Makes a test's machine boot over Debian's programs: packages of the stand-in are links to /usr (stand-in.py says which have their own
# programs only), and what needs NixOS' own kernel, initrd or wrappers is switched off. So these stay unproven here: kernel, initrd,
# images, set-up of the network, firewall, other file systems than the root and the boot partition. Where a test has a boot loader, UEFI and
# systemd-boot are Debian's, and NixOS' builder of its entries is what it is.
{
  config,
  lib,
  pkgs,
  debian, # its `kernel` and `initrd`
  programs, # as ../../nixos/prebuilt.nix takes them
  ...
}:
let
  off.enable = lib.mkForce false;
  # A machine with a boot loader, which has systems with kernels to boot; the others are given theirs by the emulator.
  boots = config.virtualisation.useBootLoader;
  # What a test's machine has beside its root, each on a disk of its own.
  disks = lib.filterAttrs (point: disk: point != "/" && disk.autoFormat) config.virtualisation.fileSystems;
in
{
  services.edgewatch.package = import ../../nixos/prebuilt.nix ({ inherit pkgs; } // programs);

  boot.kernel.enable = false;
  boot.initrd.enable = false;
  boot.loader.grub = off;
  boot.bootspec = off;
  fileSystems = lib.mkOverride 5 (
    {
      "/" = {
        device = "/dev/vda";
        fsType = "ext4";
      };
    }
    // lib.mapAttrs (_: disk: { inherit (disk) device fsType options; }) (
      lib.filterAttrs (_: disk: !disk.autoFormat && disk.fsType == "vfat") config.virtualisation.fileSystems
    )
  );
  swapDevices = lib.mkForce [ ];
  services.udev = off;
  systemd.oomd = off;
  systemd.services.audit = off;

  # Of Debian are /usr/bin/env, /bin/sh and the dynamic linker, which its programs name.
  environment.usrbinenv = lib.mkForce "/usr/bin/env.real";
  system.activationScripts.binsh = lib.mkForce "";
  environment.stub-ld = off;
  environment.ldso = lib.mkForce "/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2";
  security.wrappers = lib.mkForce { };
  # pam_lastlog.so, which Debian has no more.
  security.pam.services.login.updateWtmp = lib.mkForce false;
  systemd.services.suid-sgid-wrappers = off;
  # Debian's has its bit where it lies; whoever builds may have no visudo.
  environment.etc.sudoers.source = lib.mkForce (
    pkgs.writeText "sudoers" config.security.sudo.configFile
  );
  services.nscd = off;
  system.nssModules = lib.mkForce [ ];
  environment.defaultPackages = lib.mkForce [ ];
  programs.command-not-found = off;
  system.disableInstallerTools = lib.mkForce true;
  # sshd reads its settings: whoever builds may have none.
  system.checks = lib.mkForce [ ];
  nix.enable = false;
  nix.gc.automatic = lib.mkForce false;
  documentation = off;
  xdg = {
    sounds = off;
    mime = off;
    icons = off;
    autostart = off;
    menus = off;
  };

  virtualisation.directBoot.initrd = lib.mkIf (!boots) "";
  virtualisation.efi = {
    firmware = "/none";
    variables = "/none";
  };
  system.build.initialRamdisk = lib.mkIf boots "/none";
  system.systemBuilderCommands = lib.mkIf boots ''
    ln -s ${debian.kernel} $out/kernel
    ln -s ${debian.initrd} $out/initrd
    printf '%s' '${toString config.boot.kernelParams}' >$out/kernel-params
    jq --null-input --arg system $out '{
      "org.nixos.bootspec.v1": {
        system: "x86_64-linux", label: "NixOS", toplevel: $system, init: "\($system)/init",
        kernel: "${debian.kernel}", initrd: "${debian.initrd}", kernelParams: ${builtins.toJSON config.boot.kernelParams}
      },
      "org.nixos.specialisation.v1": {}
    }' >$out/boot.json
  '';
  # Two machines are joined by a cable. Without udev no interface is a unit of systemd, for which NixOS' own set-up waits.
  boot.kernelParams = [
    "net.ifnames=0"
  ]
  ++ lib.optionals boots [
    "root=/dev/vda"
    "rw"
    "panic=1"
    "mitigations=off"
    "no_timer_check"
    "loglevel=4"
  ];
  systemd.services.cable = {
    wantedBy = [ "multi-user.target" ];
    before = [ "network.target" ];
    unitConfig.ConditionPathExists = "/sys/class/net/eth0";
    serviceConfig = {
      Type = "oneshot";
      RemainAfterExit = true;
    };
    path = [ pkgs.iproute2 ];
    script = ''
      ip address replace ${config.networking.primaryIPAddress}/24 dev eth0
      ip link set eth0 up
    '';
  };
  # Nor is a disk, for which a mount would wait.
  systemd.services.disks = lib.mkIf (disks != { }) {
    wantedBy = [ "local-fs.target" ];
    before = [ "local-fs.target" ];
    unitConfig.DefaultDependencies = false;
    serviceConfig = {
      Type = "oneshot";
      RemainAfterExit = true;
    };
    path = [
      pkgs.e2fsprogs
      pkgs.util-linux
    ];
    script = lib.concatStrings (
      lib.mapAttrsToList (point: disk: ''
        blkid ${disk.device} || mke2fs -q -t ${disk.fsType} ${disk.device}
        mkdir -p ${point}
        mount ${disk.device} ${point}
      '') disks
    );
  };
  networking = {
    interfaces = lib.mkForce { };
    firewall = off;
    useDHCP = lib.mkForce false;
    dhcpcd = off;
    resolvconf = off;
  };
}
