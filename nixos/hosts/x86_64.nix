# A small x86 box that starts by UEFI, with its disk's partitions labelled `nixos` and `BOOT`.
{
  imports = [ ./appliance.nix ];

  nixpkgs.hostPlatform = "x86_64-linux";

  boot.loader.systemd-boot = {
    enable = true;
    configurationLimit = 5;
  };
  boot.loader.efi.canTouchEfiVariables = true;

  fileSystems = {
    "/" = {
      device = "/dev/disk/by-label/nixos";
      fsType = "ext4";
      options = [ "noatime" ];
    };
    "/boot" = {
      device = "/dev/disk/by-label/BOOT";
      fsType = "vfat";
      options = [ "umask=0077" ];
    };
  };
}
