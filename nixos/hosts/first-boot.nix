# Unique secrets and a way in, made on the device or taken from its boot partition: see first-boot.sh.
{
  config,
  lib,
  pkgs,
  utils,
  ...
}:
let
  inherit (lib) types;
  cfg = config.appliance;
  state = "/var/lib/edgewatch-appliance";
  mount = "${utils.escapeSystemdPath cfg.bootPartition}.mount";
in
{
  options.appliance.bootPartition = lib.mkOption {
    type = types.nullOr types.path;
    default = null;
    example = "/boot/firmware";
    description = "Where the partition is mounted that another computer can write to after flashing.";
  };

  config = {
    systemd.services.edgewatch-first-boot = {
      description = "Passwords and keys of this device";
      wantedBy = [ "multi-user.target" ];
      # Wanted, not required: a broken boot partition must not lock the device's owner out.
      wants = lib.mkIf (cfg.bootPartition != null) [ mount ];
      after = lib.mkIf (cfg.bootPartition != null) [ mount ];
      before = [
        "edgewatch.service"
        "grafana.service"
        "iwd.service"
        "sshd.service"
        # Consoles come after this one.
        "systemd-user-sessions.service"
      ];
      path = [
        # iconv, with the tables of the encodings beside it.
        (lib.getBin pkgs.glibc)
        pkgs.gnused
        pkgs.mkpasswd
        pkgs.openssh
        pkgs.shadow
      ];
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
        Restart = "on-failure";
        RestartSec = 10;
        ExecStart = "${pkgs.runtimeShell} ${./first-boot.sh} '${toString cfg.bootPartition}'";
        # It writes to /etc and to the boot partition, and needs nothing else of the system.
        NoNewPrivileges = true;
        LockPersonality = true;
        MemoryDenyWriteExecute = true;
        PrivateDevices = true;
        PrivateNetwork = true;
        PrivateTmp = true;
        ProtectClock = true;
        ProtectControlGroups = true;
        ProtectHome = true;
        ProtectHostname = true;
        ProtectKernelLogs = true;
        ProtectKernelModules = true;
        ProtectKernelTunables = true;
        RestrictAddressFamilies = "AF_UNIX";
        RestrictNamespaces = true;
        RestrictRealtime = true;
        RestrictSUIDSGID = true;
        SystemCallArchitectures = "native";
        SystemCallFilter = "@system-service";
      };
    };
    # Without their files both refuse to start, and try again; with them they need nothing of this boot's.
    systemd.services.edgewatch.wants = [ "edgewatch-first-boot.service" ];
    systemd.services.grafana.wants = [ "edgewatch-first-boot.service" ];

    environment.etc."issue.d/edgewatch.issue".source = "/run/edgewatch-appliance/issue";

    services.openssh.authorizedKeysFiles = [ "/var/lib/edgewatch-keys/%u" ];

    services.edgewatch = {
      usersFile = "${state}/users";
      grafana.adminPasswordFile = "${state}/password";
    };
    services.grafana.settings.security.admin_user = "operator";
  };
}
