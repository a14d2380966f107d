# The centre of a fleet, of which `gate-7` sends with the password `opensesame` and `gate-8` never does. It has no certificate before centre.py
# makes it one.
{ lib, pkgs, ... }:
{
  imports = [ ../../nixos/centre.nix ];

  services.edgewatch-centre = {
    enable = true;
    openFirewall = true;
    memory = "64MiB";
    usersFile = "/var/lib/secrets/users.yml";
    certificateFile = "/var/lib/secrets/tls.crt";
    keyFile = "/var/lib/secrets/tls.key";
    devices = {
      gate-7.site = "north";
      gate-8.site = "south";
    };
  };
  systemd.tmpfiles.rules =
    let
      # The sample, with its user switched on. Only for the test: here the password comes out of the store.
      users = pkgs.writeText "users.yml" (
        lib.replaceStrings [ "CHANGE-ME" ] [ "opensesame" ] (
          lib.replaceStrings [ "  # " ] [ "  " ] (lib.readFile ../../fleet/debian/vmauth.yml)
        )
      );
    in
    [
      "d /var/lib/secrets 0700 root root"
      "C /var/lib/secrets/users.yml 0400 root root - ${users}"
    ];
  environment.systemPackages = [ pkgs.openssl ];
  environment.etc."test/openssl.cnf".text = ''
    [req]
    distinguished_name = name
    [name]
  '';
}
