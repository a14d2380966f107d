# For tests of updates: a machine that publishes systems of its own, its specialisations, and takes them from itself; `broken` is one with
# which it is not well. `script` has what publishes them.
let
  # For the test alone, and its public half.
  key = ''
    -----BEGIN PRIVATE KEY-----
    MC4CAQAwBQYDK2VwBCIEIAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH
    -----END PRIVATE KEY-----
  '';
  publicKey = "MCowBQYDK2VwAyEA6kpsY+KcUgq+9VB7Ey7F+ZVHdq6+vnuSQh7qaRRG0iw=";
in
{
  node =
    {
      config,
      lib,
      pkgs,
      ...
    }:
    {
      services.edgewatch.update = {
        manifest = "http://127.0.0.1:8088/manifest.json";
        publicKeys = [ publicKey ];
        class = "test";
        cache = "file:///var/published/cache";
        settings = {
          well_for = "20s";
          within = "90s";
        };
      };
      # Room for a cache with a whole system.
      virtualisation.diskSize = lib.mkForce 6144;
      # Test machines may leave out what switches.
      system.switch.enable = true;
      # Nothing is stored then.
      specialisation.broken.configuration.systemd.services.prometheus.serviceConfig.ExecStart =
        lib.mkForce
          [
            ""
            (lib.getExe' pkgs.coreutils "false")
          ];
      environment.etc."test/key.pem".text = key;
      environment.etc."test/publish.sh".source = ../../nixos/publish.sh;
      environment.systemPackages = [
        config.nix.package
        pkgs.openssl
      ];
      # Who publishes.
      systemd.sockets.published = {
        wantedBy = [ "sockets.target" ];
        listenStreams = [ "127.0.0.1:8088" ];
        socketConfig.Accept = true;
      };
      systemd.services."published@" = {
        serviceConfig.StandardInput = "socket";
        script = ''
          printf 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %s\r\n\r\n' "$(stat --format %s /var/published/manifest.json)"
          cat /var/published/manifest.json
        '';
      };
    };

  script = builtins.readFile ./prelude.py + builtins.readFile ./update.py;
}
