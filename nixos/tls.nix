# TLS at the address of the sensor service: docs/tls.md.
{ config, lib, ... }:
let
  inherit (lib) types;
  inherit (import ./lib.nix { inherit lib; }) notInStore;
  inherit (config.services) edgewatch;
  cfg = edgewatch.tls;
in
{
  options.services.edgewatch.tls = {
    enable = lib.mkEnableOption ''
      TLS at {option}`services.edgewatch.listenAddress`, with a certificate that the device makes for itself at its first start. Who asks in
      clear text from another device is redirected; clients on the device itself need no TLS
    '';

    directory = lib.mkOption {
      type = types.nullOr types.str;
      default = null;
      example = lib.literalExpression "config.security.acme.certs.\"cabinet.example.org\".directory";
      description = ''
        Directory on the device with certificates and their keys, in one file or as `NAME.crt` and `NAME.key`. The last one by name is shown instead
        of the device's own; a reload of the service takes a new one.
      '';
    };

    group = lib.mkOption {
      type = types.nullOr types.str;
      default = null;
      example = "acme";
      description = "Group that may read the files of {option}`directory`; the service belongs to it too.";
    };
  };

  config = lib.mkIf (edgewatch.enable && cfg.enable) {
    services.edgewatch.settings.tls = {
      enabled = true;
    }
    // lib.optionalAttrs (cfg.directory != null) { inherit (cfg) directory; };

    systemd.services.edgewatch.serviceConfig = {
      # For its own certificate.
      StateDirectory = "edgewatch";
      SupplementaryGroups = lib.mkIf (cfg.group != null) [ cfg.group ];
    };

    assertions = [ (notInStore "tls.directory" cfg.directory) ];
  };
}
