# The options of the module as a document.
{ pkgs }:
let
  inherit (pkgs) lib;
  root = toString ../.;
  system = import (pkgs.path + "/nixos/lib/eval-config.nix") {
    inherit lib;
    system = null;
    modules = [
      ./.
      { nixpkgs = { inherit pkgs; }; }
    ];
  };
  documentation = pkgs.nixosOptionsDoc {
    options.services.edgewatch = system.options.services.edgewatch;
    # Files of this repository, wherever it lies.
    transformOptions =
      option:
      option
      // {
        declarations = map (
          file: lib.removePrefix "/" (lib.removePrefix root (toString file))
        ) option.declarations;
      };
  };
in
documentation.optionsCommonMark
