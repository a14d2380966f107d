# Every file beside this one is a test that boots a machine: a name, nodes and a script.
{ pkgs }:
let
  inherit (pkgs) lib;
  files = lib.filterAttrs (name: _: lib.hasSuffix ".nix" name && name != "default.nix") (
    builtins.readDir ./.
  );
  # A device as the stack is made for; more memory than that only for what the test itself needs.
  device = {
    imports = [ ../nixos ];
    services.edgewatch.enable = true;
    virtualisation = {
      cores = 2;
      memorySize = 768;
      diskSize = 2048;
    };
    environment.systemPackages = [ pkgs.jq ];
  };
in
lib.mapAttrs' (
  file: _:
  let
    name = lib.removeSuffix ".nix" file;
  in
  lib.nameValuePair "vm-${name}" (
    pkgs.testers.runNixOSTest {
      imports = [ (./. + "/${file}") ];
      inherit name;
      defaults = device;
      # A test that hangs fails soon; without KVM everything takes ten times as long.
      globalTimeout = lib.mkDefault (15 * 60);
    }
  )
) files
