# The module `services.edgewatch`: one subject a file, its options beside what they do.
{ lib, pkgs, ... }:
{
  imports = [
    ./budget.nix
    ./sensor.nix
    ./prometheus.nix
    ./remote-write.nix
    ./grafana.nix
    ./ports.nix
    ./storage.nix
    ./clock.nix
    ./device.nix
  ];

  options.services.edgewatch = {
    enable = lib.mkEnableOption "edgewatch: sensor service, Prometheus and Grafana within one budget of memory and CPU";

    package = lib.mkOption {
      type = lib.types.package;
      default = pkgs.callPackage ./package.nix { };
      defaultText = lib.literalExpression "the flake's own package, built with the system's nixpkgs";
      example = lib.literalExpression "inputs.edgewatch.packages.\${pkgs.stdenv.hostPlatform.system}.static";
      description = "The edgewatch package, with its units.";
    };
  };
}
