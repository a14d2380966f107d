# A small x86 box that starts by UEFI: as an image for its disk, which grows on the first boot, or from the NixOS installer on
# partitions labelled `nixos` and `ESP`.
{
  config,
  lib,
  pkgs,
  modulesPath,
  ...
}:
let
  image =
    format:
    import "${modulesPath}/../lib/make-disk-image.nix" {
      inherit config lib pkgs;
      inherit format;
      partitionTableType = "efi";
      label = "nixos";
      # For the generations of the boot menu and the next one, each with a kernel and an initrd; the test vm-image looks whether they fit.
      bootSize = "512M";
      # A copy of nixpkgs, which nobody here edits.
      copyChannel = false;
    };
in
{
  imports = [ ./appliance.nix ];

  nixpkgs.hostPlatform = "x86_64-linux";

  appliance.bootPartition = "/boot";

  boot.loader.systemd-boot.enable = true;
  # It starts from the place where UEFI looks by itself, on whatever box.
  boot.loader.efi.canTouchEfiVariables = false;

  fileSystems = {
    "/" = {
      device = "/dev/disk/by-label/nixos";
      fsType = "ext4";
      autoResize = true;
    };
    "/boot" = {
      device = "/dev/disk/by-label/ESP";
      fsType = "vfat";
      options = [ "umask=0077" ];
    };
  };
  boot.growPartition = true;
  # What boxes and hypervisors have their disk behind.
  boot.initrd.availableKernelModules = [
    "ahci"
    "nvme"
    "sd_mod"
    "sdhci_pci"
    "usb_storage"
    "virtio_blk"
    "virtio_pci"
    "virtio_scsi"
    "xhci_pci"
  ];
  # A box without a screen is reached over a serial line.
  boot.kernelParams = [
    "console=ttyS0,115200"
    "console=tty0"
  ];

  system.build = {
    diskImage = image "raw";
    vmImage = image "qcow2-compressed";
  };
}
