# What the documents show of a configuration is one: all of its options exist and take the values shown, nothing of it is refused, and the
# service accepts the settings that it leads to. `package` is the one that is asked, if it is not the flake's.
{
  pkgs,
  package ? null,
}:
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
  evaluated =
    block:
    evaluate {
      imports = [
        (builtins.toFile "example.nix" "{ config, lib, pkgs, ... }: {\n${block}}\n")
        (lib.mkIf (package != null) { services.edgewatch = { inherit package; }; })
      ];
      config = lib.recursiveUpdate elsewhere { services.edgewatch.enable = true; };
    };
  refused =
    block:
    let
      system = evaluated block;
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

  settingsOf = block: (evaluated block).config.environment.etc."edgewatch/edgewatch.toml".source;
  all = shown ++ [ filesOnTheDevice ];

  # Beside the documents: every kind of file that is on the device alone.
  filesOnTheDevice = ''
    services.edgewatch = {
      settings.http.web_config_file = "/var/lib/secrets/web.yml";
      settings.mqtt = { url = "mqtts://192.0.2.10"; username = "me"; password_file = "/var/lib/secrets/mqtt"; presets = [ "zigbee2mqtt" ]; };
      forward = {
        url = "https://centre.example.org/api/v1/write";
        keyFile = "/var/lib/secrets/device.key";
        settings = {
          certificate_file = "/var/lib/secrets/device.crt";
          ca_file = "/var/lib/secrets/ca.crt";
          header_files.X-Api-Key = "/var/lib/secrets/header";
        };
      };
      notify = {
        webhook.urlFile = "/var/lib/secrets/webhook";
        settings.webhook.header_files.X-Api-Key = "/var/lib/secrets/header";
        settings.ca_file = "/var/lib/secrets/ca.crt";
      };
    };
  '';
in
{
  inherit shown;
  refused = lib.concatMap refused all;
  # Each is built only if the service accepts it.
  settings = map settingsOf all;
}
