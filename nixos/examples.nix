# What the documents show of a configuration is one: all of its options exist and take the values shown, and nothing of it is refused.
{ pkgs }:
let
  inherit (pkgs) lib;
  evaluate = import ./evaluate.nix { inherit pkgs; };

  blocks =
    document:
    map (rest: lib.head (lib.splitString "```" rest)) (
      lib.tail (lib.splitString "```nix\n" (lib.readFile document))
    );
  # Not flakes, nor what needs one, and not what leaves something out.
  isWhole =
    block: !lib.any (part: lib.hasInfix part block) [ "nixosSystem" "nixosModules" "{ … }" ];
  shown = lib.filter isWhole (
    lib.concatMap blocks [
      ../docs/fleet.md
      ../docs/nixos.md
      ../docs/notifications.md
      ../docs/tls.md
      ../docs/updates.md
    ]
  );

  # What other modules would say of where their files lie.
  elsewhere = {
    sops.secrets.edgewatch-users.path = "/run/secrets/edgewatch-users";
    age.secrets.edgewatch-users.path = "/run/agenix/edgewatch-users";
    security.acme.certs."device.example.org".directory = "/var/lib/acme/device.example.org";
  };
  # Names that are no option: beside the module's own options evaluate.nix takes any.
  unknown =
    options: values:
    lib.concatMap (
      name:
      if !options ? ${name} then
        [ name ]
      else
        lib.optionals (!lib.isOption options.${name}) (unknown options.${name} values.${name})
    ) (lib.attrNames values);
  refused =
    block:
    let
      module = builtins.toFile "example.nix" "{ config, lib, pkgs, ... }: {\n${block}}\n";
      system = evaluate {
        imports = [ module ];
        config = lib.recursiveUpdate elsewhere { services.edgewatch.enable = true; };
      };
      set = lib.filter (option: option.isDefined && lib.last option.loc != "package") (
        lib.collect lib.isOption system.options.services.edgewatch
      );
    in
    builtins.deepSeq (map (option: option.value) set) (
      unknown system.options.services.edgewatch system.config.services.edgewatch
      ++ map ({ message, ... }: message) (
        lib.filter ({ assertion, ... }: !assertion) system.config.assertions
      )
    );
in
{
  inherit shown;
  refused = lib.concatMap refused shown;
}
