# Updates that the device takes by itself, and takes back: docs/updates.md.
{
  config,
  lib,
  ...
}:
let
  inherit (lib) types;
  inherit (import ./lib.nix { inherit lib; }) moreKeys;
  inherit (config.services) edgewatch;
  cfg = edgewatch.update;
  command = what: "${lib.getExe edgewatch.package} update ${what}";
  unit = {
    path = [
      config.nix.package
      config.systemd.package
    ];
    # A switch to another system is what it does: it must live through that.
    restartIfChanged = false;
    stopIfChanged = false;
    unitConfig.X-StopOnRemoval = false;
    serviceConfig = {
      StateDirectory = "edgewatch-update";
      # It is resumed where it was; a refusal is none of these.
      Restart = "on-abnormal";
      RestartSec = "30s";
      # Outside of the stack's slice: to unpack a system takes more than is left there. What the stack needs goes before it.
      MemoryHigh = "128M";
      CPUWeight = 20;
      IOWeight = 20;
      OOMScoreAdjust = 500;
    };
  };
in
{
  options.services.edgewatch.update = {
    manifest = lib.mkOption {
      type = types.nullOr (types.strMatching "https?://.+");
      default = null;
      example = "https://updates.example.org/raspberry-pi.json";
      description = ''
        Address of the signed manifest that names the newest system for this class of devices. The device asks for it once a day, takes the system
        from {option}`cache`, and keeps it if it is well with it.
      '';
    };

    publicKeys = lib.mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [ "MCowBQYDK2VwAyEAtmn9R0yPDbpnQ1RRl6wCDgVo3dTYaDLWlJ4BTQ/NSGk=" ];
      description = "Ed25519 keys of those who publish, as `openssl pkey -pubout -outform DER | base64` writes them.";
    };

    class = lib.mkOption {
      type = types.strMatching "[A-Za-z0-9._-]+";
      example = "raspberry-pi-4";
      description = "Class of devices that this one is of: those that run the same system.";
    };

    cache = lib.mkOption {
      type = types.str;
      example = "https://cache.example.org";
      description = "Binary cache with the systems, as Nix names stores.";
    };

    cachePublicKeys = lib.mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [ "cache.example.org-1:8Z0bGnbFa8tQqDQW1bIwJJvYyWm1g0bjYqUOvyRIVho=" ];
      description = "Keys of the cache, as `nix key convert-secret-to-public` writes them.";
    };

    startAt = lib.mkOption {
      type = types.str;
      default = "daily";
      example = "Sun 03:00";
      description = "When the device asks, as systemd.time(7) has it; within the hour after that, each device at a time of its own.";
    };

    settings = moreKeys "update" {
      well_for = "30m";
      within = "1h";
    };
  };

  config = lib.mkIf (edgewatch.enable && cfg.manifest != null) {
    services.edgewatch.settings.update = cfg.settings // {
      inherit (cfg) manifest class cache;
      public_keys = cfg.publicKeys;
      service = "http://127.0.0.1:${toString edgewatch.port}";
      # That of the units, for whoever asks by hand as well.
      directory = "/var/lib/edgewatch-update";
    };

    nix.settings.trusted-public-keys = cfg.cachePublicKeys;

    systemd.services = {
      edgewatch-update = lib.mkMerge [
        unit
        {
          description = "Update of this device";
          after = [ "network-online.target" ];
          wants = [ "network-online.target" ];
          inherit (cfg) startAt;
          serviceConfig = {
            Type = "oneshot";
            ExecStart = command "--now";
            # `within` may be a day, and what is killed would begin its trial anew.
            TimeoutStartSec = "infinity";
          };
        }
      ];
      edgewatch-update-resume = lib.mkMerge [
        unit
        {
          description = "Trial of an update, after a restart";
          wantedBy = [ "multi-user.target" ];
          after = [
            "edgewatch.service"
            "prometheus.service"
          ];
          unitConfig.ConditionPathExists = "/var/lib/edgewatch-update/update.json";
          serviceConfig = {
            Type = "exec";
            ExecStart = command "--resume";
          };
        }
      ];
    };
    systemd.timers.edgewatch-update.timerConfig = {
      RandomizedDelaySec = "1h";
      FixedRandomDelay = true;
      Persistent = true;
    };

    assertions = [
      {
        assertion = cfg.publicKeys != [ ];
        message = ''
          services.edgewatch.update.manifest is set, and nobody is trusted to sign it.
          Set services.edgewatch.update.publicKeys.
        '';
      }
    ];
  };
}
