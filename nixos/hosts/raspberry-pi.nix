# SD image for a Raspberry Pi 3, 4, 5 or Zero 2 W; it grows to the size of the card on the first boot.
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

  appliance.bootPartition = "/boot/firmware";

  # A wireless chip does nothing without its firmware; that of all other hardware is half a gigabyte.
  hardware.enableRedistributableFirmware = lib.mkForce false;
  hardware.firmware = [ pkgs.raspberrypiWirelessFirmware ];
  networking.wireless.iwd.enable = true;
}
