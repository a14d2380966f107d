# The appliance in a virtual machine of this computer, for `nix run`: ../demo.nix starts it.
{ lib, modulesPath, ... }:
let
  forward = host: guest: {
    from = "host";
    host = {
      address = "127.0.0.1";
      port = host;
    };
    guest.port = guest;
  };
in
{
  imports = [
    ./appliance.nix
    "${modulesPath}/virtualisation/qemu-vm.nix"
  ];

  nixpkgs.hostPlatform = lib.mkDefault "x86_64-linux";

  virtualisation = {
    cores = 2;
    memorySize = 768;
    diskSize = 2048;
    # Its console is the terminal.
    graphics = false;
    forwardPorts = [
      (forward 8000 8000)
      (forward 3000 3000)
      (forward 2222 22)
    ];
  };

  # It has no sensors.
  services.edgewatch.settings.simulated.enabled = true;
  # QEMU resets nothing.
  services.edgewatch.watchdog.enable = lib.mkForce false;
}
