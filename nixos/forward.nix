# The history sent to a centre, over outages of days: docs/fleet.md.
{
  config,
  lib,
  ...
}:
let
  inherit (lib) types;
  shared = import ./lib.nix { inherit lib; };
  inherit (shared) moreKeys notInStore reach;
  inherit (config.services) edgewatch;
  cfg = edgewatch.forward;

  # Files on the device, by the key in [forward] that names them.
  files = lib.filterAttrs (_: file: file != null) {
    password_file = cfg.passwordFile;
    bearer_token_file = cfg.tokenFile;
    key_file = cfg.keyFile;
  };
  credential = key: "forward-${key}";
  proxy = cfg.settings.proxy or null;

  secretFile = shared.secretFile "edgewatch-outbound.service" "/var/lib/secrets/centre";
in
{
  options.services.edgewatch.forward = {
    url = lib.mkOption {
      type = types.nullOr (types.strMatching "https?://.+");
      default = null;
      example = "https://centre.example.org/api/v1/write";
      description = ''
        Where a centre takes remote_write. The device then sends it the history of Prometheus, which is kept for 15 days unless
        {option}`services.edgewatch.prometheus.retention` says otherwise, and outages as long as that lose nothing. A centre that is named and not
        numbered can be anywhere, so what sends may then exchange packets with any address.
      '';
    };

    profile = lib.mkOption {
      type = types.enum [
        "full"
        "lte"
        "heartbeat"
      ];
      default = "full";
      example = "lte";
      description = "Which series are sent: all, a choice for links that are paid by the megabyte, or that the device lives.";
    };

    compression = lib.mkOption {
      type = types.enum [
        "snappy"
        "zstd"
      ];
      default = "snappy";
      example = "zstd";
      description = "How requests are compressed. `zstd` makes them smaller by a third and more, and is for VictoriaMetrics: a centre that does not take it gets `snappy`.";
    };

    labels = lib.mkOption {
      type = types.attrsOf types.str;
      default = { };
      example = {
        edge = "cabinet-7";
        site = "north";
      };
      description = "Labels of all that is sent. `edge` is the host name and a part of the machine id, if it is not set.";
    };

    user = lib.mkOption {
      type = types.nullOr types.str;
      default = null;
      example = "cabinet-7";
      description = "User that {option}`passwordFile` belongs to.";
    };

    passwordFile = secretFile "the password of {option}`user`";
    tokenFile = secretFile "a bearer token";
    keyFile = secretFile "the key of the certificate that `certificate_file` of {option}`settings` names";

    settings = moreKeys "forward" {
      window = "10m";
      headers.X-Scope-OrgID = "plant-3";
    };
  };

  config = lib.mkIf (edgewatch.enable && cfg.url != null) {
    services.edgewatch.settings.forward = lib.mkMerge [
      cfg.settings
      {
        inherit (cfg)
          url
          profile
          compression
          labels
          ;
      }
      (lib.mkIf (cfg.user != null) { inherit (cfg) user; })
      (lib.mapAttrs (key: _: credential key) files)
    ];

    # The history is the queue.
    services.edgewatch.budget.prometheus.retention_time = lib.mkIf (!edgewatch.prometheus.agent) (
      lib.mkDefault "15d"
    );

    systemd.services.edgewatch-outbound.serviceConfig = {
      LoadCredential = lib.mapAttrsToList (key: file: "${credential key}:${file}") files;
      IPAddressAllow = reach ([ cfg.url ] ++ lib.optional (proxy != null) proxy);
    };

    assertions = [
      {
        assertion = !edgewatch.prometheus.agent;
        message = ''
          services.edgewatch.forward sends what Prometheus has stored, and with prometheus.agent it stores nothing.
          Leave agent out, or use remoteWrite instead of forward.
        '';
      }
      {
        assertion = (cfg.user == null) == (cfg.passwordFile == null);
        message = ''
          services.edgewatch.forward: user and passwordFile go together.
          Set the other one too, or neither.
        '';
      }
      (notInStore "forward.passwordFile" cfg.passwordFile)
      (notInStore "forward.tokenFile" cfg.tokenFile)
      (notInStore "forward.keyFile" cfg.keyFile)
    ];
  };
}
