# SD image for a Raspberry Pi 3, 4, 5 or Zero 2 W; it grows to the size of the card on the first boot.
{ lib, modulesPath, ... }:
{
  imports = [
    ./appliance.nix
    "${modulesPath}/installer/sd-card/sd-image-aarch64.nix"
  ];

  nixpkgs.hostPlatform = "aarch64-linux";

  # The image module is made for an installer, with every file system.
  boot.supportedFilesystems = lib.mkForce [
    "ext4"
    "vfat"
  ];
  fileSystems."/".options = [ "noatime" ];

  # A wireless chip does nothing without its firmware.
  hardware.enableRedistributableFirmware = true;
  # Half a gigabyte is not enough to unpack an update beside the stack.
  zramSwap.enable = true;
}
