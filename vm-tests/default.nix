# Every file beside this one is a test that boots a machine: a name, nodes and a script; or `scenarios`, of those in scenarios/ that
# are the same on Debian. Without KVM a test is slower by a factor of ten, and asks no builder for it. `modules` are added to each machine.
{
  pkgs,
  kvm ? true,
  modules ? [ ],
}:
let
  inherit (pkgs) lib;
  files = lib.filterAttrs (name: _: lib.hasSuffix ".nix" name && name != "default.nix") (
    builtins.readDir ./.
  );

  scenario = pkgs.writeShellScriptBin "scenario" ''
    export EDGEWATCH_BUDGET=/etc/edgewatch/budget.toml
    # systemd-run hands on nothing but systemd's own programs.
    export PATH=/run/wrappers/bin:/run/current-system/sw/bin
    exec ${pkgs.runtimeShell} "${./scenarios}/$1.sh" "''${@:2}" >&2
  '';

  known = map (lib.removeSuffix ".sh") (lib.attrNames (builtins.readDir ./scenarios));

  # A device as the stack is made for; more memory than that only for what the test itself needs.
  device = {
    imports = [ ../nixos ] ++ modules;
    services.edgewatch.enable = lib.mkDefault true;
    virtualisation = {
      cores = 2;
      memorySize = 768;
      diskSize = 2048;
    };
    environment.systemPackages = [
      pkgs.jq
      scenario
    ];
    # Test machines panic when memory runs out, in any cgroup: here that is what is tested.
    boot.kernel.sysctl."vm.panic_on_oom" = 0;
  };

  runsScenarios =
    { config, ... }:
    {
      options.scenarios = lib.mkOption {
        type = lib.types.listOf (lib.types.enum known);
        default = [ ];
        description = "Scenarios to run one after the other in the node `machine`.";
      };
      config = lib.mkIf (config.scenarios != [ ]) {
        nodes.machine = { };
        testScript =
          lib.readFile ./lib/prelude.py
          + lib.concatMapStrings (name: "scenario(\"${name}\")\n") config.scenarios;
      };
    };

  test =
    name:
    pkgs.testers.runNixOSTest {
      imports = [
        (./. + "/${name}.nix")
        runsScenarios
      ];
      inherit name;
      defaults = device;
      # A test that hangs fails soon.
      globalTimeout = lib.mkDefault (if kvm then 15 * 60 else 150 * 60);
    };
in
lib.mapAttrs' (
  file: _:
  let
    name = lib.removeSuffix ".nix" file;
    derivation = test name;
  in
  lib.nameValuePair "vm-${name}" (
    if kvm then
      derivation
    else
      derivation.overrideTestDerivation (_: {
        requiredSystemFeatures = [ "nixos-test" ];
      })
  )
) files
