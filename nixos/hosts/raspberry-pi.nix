# SD image for a Raspberry Pi 3, 4 or Zero 2 W; NixOS 26.05 has none that starts a 5 (nixpkgs#537862 came after it). It grows to the size of the card on the first boot.
{
  lib,
  modulesPath,
  pkgs,
  ...
}:
{
  imports = [
    ./appliance.nix
    "${modulesPath}/installer/sd-card/sd-image-aarch64.nix"
  ];
  # The image module is made for an installer: with tools to rescue other systems, and every file system.
  disabledModules = [ "${modulesPath}/profiles/base.nix" ];
  boot.supportedFilesystems = lib.mkForce [
    "ext4"
    "vfat"
  ];

  nixpkgs.hostPlatform = "aarch64-linux";

  # The image module's own way to grow takes the number of the partition from lsblk, which does not always know it (nixpkgs#554294).
  boot.growPartition = true;
  fileSystems."/".autoResize = true;

  appliance.bootPartition = "/boot/firmware";

  # A wireless chip does nothing without its firmware; that of all other hardware is half a gigabyte.
  hardware.enableRedistributableFirmware = lib.mkForce false;
  hardware.firmware = [ pkgs.raspberrypiWirelessFirmware ];
  networking.wireless.iwd.enable = true;
}
