# The module `services.edgewatch`: one subject a file, its options beside what they do.
{ lib, pkgs, ... }:
{
  imports = [
    ./budget.nix
    ./sensor.nix
    ./tls.nix
    ./prometheus.nix
    ./forward.nix
    ./notify.nix
    ./outbound.nix
    ./remote-write.nix
    ./update.nix
    ./grafana.nix
    ./ports.nix
    ./storage.nix
    ./clock.nix
    ./device.nix
  ];

  options.services.edgewatch = {
    enable = lib.mkEnableOption "edgewatch: sensor service, Prometheus and Grafana within one budget of memory and CPU";

    # The flake's own, built with the system's nixpkgs.
    package =
      lib.mkPackageOption { edgewatch = pkgs.callPackage ./package.nix { }; } "edgewatch"
        {
          pkgsText = "inputs.edgewatch.packages.\${pkgs.stdenv.hostPlatform.system}";
          example = "static";
        };
  };
}
