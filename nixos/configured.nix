# The configuration of a machine with edgewatch and these settings of it, for tests.
{ pkgs }:
settings:
(import ./evaluate.nix { inherit pkgs; } {
  services.edgewatch = pkgs.lib.recursiveUpdate { enable = true; } settings;
}).config
