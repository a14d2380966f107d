# Devices without a battery-backed clock start in the past. Samples that are stored before the time is known have wrong times for good,
# so Prometheus waits for it; not for ever, because a device without network must keep its history too.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) types;
  inherit (config.services) edgewatch;
  cfg = edgewatch.clock;
  inherit (config) services;
in
{
  options.services.edgewatch.clock = {
    waitForSync = lib.mkOption {
      type = types.bool;
      default =
        services.timesyncd.enable
        || (services.chrony.enable or false)
        || (services.ntpd-rs.enable or false)
        || (services.openntpd.enable or false)
        || (services.ntp.enable or false);
      defaultText = lib.literalMD "whether the system has a client of a time server";
      example = false;
      description = ''
        Whether Prometheus begins after a boot only when a time server has set the clock, or {option}`services.edgewatch.clock.maxWait`
        has passed. The sensor service waits for nothing.
      '';
    };

    maxWait = lib.mkOption {
      type = types.ints.between 1 3600;
      default = 60;
      example = 20;
      description = "Seconds after which Prometheus begins with the time that the device has.";
    };
  };

  config = lib.mkIf (edgewatch.enable && cfg.waitForSync) {
    systemd.services.edgewatch-clock = {
      description = "Time from a time server, awaited for at most ${toString cfg.maxWait} s";
      wantedBy = [ "prometheus.service" ];
      # It waited at the boot. Once more, in a switch without a time server at hand, it would hold Prometheus up again.
      restartIfChanged = false;
      before = [ "prometheus.service" ];
      after = [
        "systemd-timesyncd.service"
        "time-set.target"
      ];
      # It waits for the kernel's word, whichever client of a time server gives it.
      script = ''
        status=0
        ${lib.getExe' pkgs.coreutils "timeout"} ${toString cfg.maxWait} \
          ${config.systemd.package}/lib/systemd/systemd-time-wait-sync || status=$?
        if [ $status = 124 ]; then
          echo "<4>no time server has set the clock in ${toString cfg.maxWait} s: the history begins with the time that the device has"
        elif [ $status != 0 ]; then
          exit $status
        fi
      '';
      # Once for each boot, not for each restart of Prometheus.
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
        TimeoutStartSec = cfg.maxWait + 30;
        Slice = "edgewatch.slice";
        DynamicUser = true;
        CapabilityBoundingSet = "";
        NoNewPrivileges = true;
        LockPersonality = true;
        MemoryDenyWriteExecute = true;
        PrivateDevices = true;
        PrivateNetwork = true;
        ProtectHome = true;
        RestrictAddressFamilies = "AF_UNIX";
        RestrictNamespaces = true;
        SystemCallFilter = [
          "@system-service"
          "adjtimex"
          "clock_adjtime"
          "clock_adjtime64"
        ];
      };
    };
  };
}
