# The module evaluated almost alone, for checks of what it says: the thousand modules of NixOS would take about 200 MB, in each of dozens of
# evaluations. What it sets of them is kept as it is, unchecked; that it fits is shown by the hosts and the tests.
{ pkgs }:
let
  inherit (pkgs) lib;
  inherit (lib) types;
  any = lib.mkOption {
    type = types.anything;
    default = { };
  };
  list = lib.mkOption {
    type = types.listOf types.unspecified;
    default = [ ];
  };
in
configuration:
lib.evalModules {
  modules = [
    ./.
    # edgewatch asks what is set of theirs.
    (pkgs.path + "/nixos/modules/services/monitoring/prometheus/default.nix")
    (pkgs.path + "/nixos/modules/services/monitoring/grafana.nix")
    {
      freeformType = types.lazyAttrsOf types.anything;
      options = {
        assertions = list;
        warnings = list;
        systemd.packages = list;
        # Lists of several files become one.
        systemd.services = lib.mkOption {
          type = types.attrsOf (
            types.submodule {
              freeformType = types.lazyAttrsOf types.anything;
              options.serviceConfig = lib.mkOption {
                type = with types; lazyAttrsOf (either (listOf anything) anything);
                default = { };
              };
            }
          );
        };
        # The options of a mount depend on its type.
        fileSystems = lib.mkOption {
          type = types.attrsOf (
            types.submodule {
              freeformType = types.lazyAttrsOf types.anything;
              options.fsType = lib.mkOption { default = "ext4"; };
              options.options = list;
            }
          );
        };
        # What is set of it depends on whose it is.
        nix = {
          enable = lib.mkEnableOption "nix" // {
            default = true;
          };
          package = lib.mkOption { default.pname = "nix"; };
          settings = any;
        };
        # Beside edgewatch's own options nothing below `services` may be undeclared, or they would depend on themselves.
        services = {
          journald = any;
          udev.packages = list;
          timesyncd.enable = lib.mkEnableOption "a time client";
        };
      };
      config._module.args = { inherit pkgs; };
    }
    configuration
  ];
}
