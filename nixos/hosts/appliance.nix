# What every image has: the stack, a network, and a way in for those whose ssh keys are in authorized_keys.
{ lib, modulesPath, ... }:
let
  isKey = line: line != "" && !lib.hasPrefix "#" line;
  keys = lib.filter isKey (lib.splitString "\n" (lib.readFile ./authorized_keys));
in
{
  imports = [
    ../.
    "${modulesPath}/profiles/minimal.nix"
  ];

  services.edgewatch.enable = true;

  # Without these a Raspberry Pi enforces no limit of memory, and measures no pressure.
  boot.kernelParams = [
    "cgroup_enable=memory"
    "psi=1"
  ];

  networking.hostName = lib.mkDefault "edgewatch";
  # edgewatch.local
  services.avahi = {
    enable = true;
    nssmdns4 = true;
    publish = {
      enable = true;
      addresses = true;
    };
  };

  # Nobody has a password, so there is none to guess and none to ask for.
  services.openssh = {
    enable = true;
    settings = {
      PasswordAuthentication = false;
      KbdInteractiveAuthentication = false;
      PermitRootLogin = "no";
    };
  };
  users.users.operator = {
    isNormalUser = true;
    extraGroups = [
      "wheel"
      "systemd-journal"
    ];
    openssh.authorizedKeys = { inherit keys; };
  };
  warnings = lib.optional (keys == [ ]) "nixos/hosts/authorized_keys is empty: nobody can log in";
  security.sudo.wheelNeedsPassword = false;
  # Who deploys from another machine signs nothing.
  nix.settings.trusted-users = [ "@wheel" ];

  # The card wears, and the journal in memory is outside of the stack's budget.
  services.journald = {
    storage = "volatile";
    extraConfig = "RuntimeMaxUse=16M";
  };
  # A kernel that hangs is reset.
  systemd.settings.Manager.RuntimeWatchdogSec = "15s";

  system.stateVersion = "26.05";
}
