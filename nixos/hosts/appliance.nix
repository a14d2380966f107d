# What every image has: the stack, shown in the network with a password, and a way in for its operator.
{
  config,
  lib,
  modulesPath,
  ...
}:
let
  # Systems to go back to, the running one included: as many as the smallest card and the boot partition hold.
  generations = 3;
  isKey = line: line != "" && !lib.hasPrefix "#" line;
  keys = lib.filter isKey (lib.splitString "\n" (lib.readFile ./authorized_keys));
in
{
  imports = [
    ../.
    ./first-boot.nix
    "${modulesPath}/profiles/minimal.nix"
  ];

  services.edgewatch = {
    enable = true;
    # IPv4 as well: mDNS tells both addresses.
    listenAddress = "::";
    openFirewall = true;
    tls.enable = true;
    grafana = {
      listenAddress = "::";
      openFirewall = true;
    };
    # A centre may be given to it on the boot partition, of which nothing is known here; then this is the longest outage.
    prometheus.retention = lib.mkDefault "15d";
    # The card wears.
    storage = {
      volatileJournal = true;
      noatime = true;
      lazyCommit = true;
    };
    watchdog.enable = true;
    zram.enable = true;
  };

  networking.hostName = lib.mkDefault "edgewatch";
  # A boot without network is no slower.
  networking.dhcpcd.wait = "background";
  # edgewatch.local
  services.avahi = {
    enable = true;
    nssmdns4 = true;
    publish = {
      enable = true;
      addresses = true;
    };
  };

  # Passwords are for the pages and the console, where nobody guesses a thousand times a second.
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
  security.sudo.wheelNeedsPassword = false;
  # Who deploys from another machine signs nothing.
  nix.settings.trusted-users = [ "@wheel" ];
  boot.loader = {
    generic-extlinux-compatible.configurationLimit = generations;
    systemd-boot.configurationLimit = generations;
  };
  # An update leaves the system before it in the store, for good if nobody removes it.
  nix.gc = {
    automatic = true;
    dates = "weekly";
  };
  systemd.services.nix-gc.preStart = ''
    ${config.nix.package}/bin/nix-env --profile /nix/var/nix/profiles/system --delete-generations +${toString generations}
  '';

  system.stateVersion = "26.05";
}
