# The program that forwards and notifies, where something is to be sent: forward.nix and notify.nix say what.
{
  config,
  lib,
  options,
  ...
}:
let
  cfg = config.services.edgewatch;
  sends = cfg.settings ? forward || cfg.settings ? notify;

  # Tables of the settings that options of their own write, with what they need beside them: a way out of the sandbox, secrets, timers.
  tables = [
    "forward"
    "notify"
    "update"
  ];
  definitions = lib.filter (
    { file, ... }: !lib.hasPrefix (toString ./.) file
  ) options.services.edgewatch.settings.definitionsWithLocations;
  written = lib.filter (table: lib.any ({ value, ... }: value ? ${table}) definitions) tables;
in
{
  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion = written == [ ];
        message = ''
          services.edgewatch.settings: ${lib.concatStringsSep ", " written} set there would be without a way out of the sandbox and without secrets.
          Use the options below services.edgewatch.${lib.concatStringsSep ", services.edgewatch." written}; what has none is a key of `settings` there.
        '';
      }
    ];

    systemd.services.edgewatch-outbound = lib.mkIf sends {
      # edgewatch.service asks for it too, but a switch that brings the first receiver does not start that anew.
      wantedBy = [ "multi-user.target" ];
      stopIfChanged = false;
      reloadTriggers = [ config.environment.etc."edgewatch/edgewatch.toml".source ];
      # Instead of everywhere; Prometheus is asked on the device itself.
      serviceConfig.IPAddressAllow = lib.mkBefore [
        ""
        "localhost"
      ];
    };
  };
}
