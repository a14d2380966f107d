# What `nix flake check` looks at without booting a machine.
{ pkgs }:
let
  inherit (pkgs) lib;
  nixFiles = lib.fileset.toSource {
    root = ../.;
    fileset = lib.fileset.fileFilter (file: file.hasExt "nix") ../.;
  };
  check =
    name: tools: command:
    pkgs.runCommand name { nativeBuildInputs = tools; } ''
      ${command}
      touch $out
    '';
in
{
  nixfmt = check "nixfmt" [ pkgs.nixfmt ] "find ${nixFiles} -name '*.nix' -exec nixfmt --check {} +";
  statix = check "statix" [ pkgs.statix ] "statix check --config ${../statix.toml} ${nixFiles}";
  deadnix = check "deadnix" [ pkgs.deadnix ] "deadnix --fail ${nixFiles}";
  rules = check "rules" [ pkgs.prometheus.cli ] "promtool test rules ${../prometheus}/tests/*.yml";
  assertions = import ./assertions.nix { inherit pkgs; };
}
