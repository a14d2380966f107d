# The options of the module, and a document about them and those of the centre.
{ pkgs }:
let
  inherit (pkgs) lib;
  root = toString ../.;
  system = import (pkgs.path + "/nixos/lib/eval-config.nix") {
    inherit lib;
    system = null;
    modules = [
      ./.
      ./centre.nix
      { nixpkgs = { inherit pkgs; }; }
    ];
  };
  options = system.options.services.edgewatch;
  documentation = pkgs.nixosOptionsDoc {
    options.services = {
      edgewatch = options;
      inherit (system.options.services) edgewatch-centre;
    };
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
{
  inherit options;
  document = documentation.optionsCommonMark;
}
