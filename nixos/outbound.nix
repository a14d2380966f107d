# The program that forwards and notifies, where something is to be sent: forward.nix and notify.nix say what.
{
  config,
  lib,
  ...
}:
let
  cfg = config.services.edgewatch;
in
{
  config = lib.mkIf (cfg.enable && (cfg.settings ? forward || cfg.settings ? notify)) {
    systemd.services.edgewatch-outbound = {
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
