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
  inherit (import ../lib.nix { inherit lib; }) hardened;
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
        config.services.edgewatch.package
        config.systemd.package
        # iconv, with the tables of the encodings beside it.
        (lib.getBin pkgs.glibc)
        pkgs.gnused
        pkgs.mkpasswd
        pkgs.openssh
        pkgs.shadow
      ];
      serviceConfig = hardened // {
        Type = "oneshot";
        RemainAfterExit = true;
        Restart = "on-failure";
        RestartSec = 10;
        ExecStart = "${pkgs.runtimeShell} ${./first-boot.sh} '${toString cfg.bootPartition}'";
        # It writes to /etc and to the boot partition, and needs nothing else of the system.
        NoNewPrivileges = true;
        PrivateNetwork = true;
        PrivateTmp = true;
        RestrictAddressFamilies = "AF_UNIX";
        RestrictSUIDSGID = true;
        SystemCallFilter = "@system-service";
      };
    };
    # Whoever opens the pages for the first time compares it with what the browser shows.
    systemd.services.edgewatch-fingerprint = {
      description = "Fingerprint of the certificate, for the console";
      wantedBy = [ "multi-user.target" ];
      after = [ "edgewatch.service" ];
      path = [
        config.services.edgewatch.package
        pkgs.curl
        pkgs.gnused
        pkgs.util-linux
      ];
      script = ''
        status=http://127.0.0.1:${toString config.services.edgewatch.port}
        edgewatch wait --timeout 5m $status/healthz
        curl --silent --fail $status/metrics |
          sed -n 's/^edge_tls_certificate_info{fingerprint="\([^"]*\)".*/Certificate of the pages, SHA-256\n\1\n/p' >/run/edgewatch-appliance/certificate
        agetty --reload
      '';
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
        Restart = "on-failure";
        RestartSec = 10;
      };
    };
    # Without their files both refuse to start, and try again; with them they need nothing of this boot's.
    systemd.services.edgewatch.wants = [ "edgewatch-first-boot.service" ];
    systemd.services.grafana.wants = [ "edgewatch-first-boot.service" ];

    environment.etc."issue.d/edgewatch.issue".source = "/run/edgewatch-appliance/issue";
    environment.etc."issue.d/edgewatch-certificate.issue".source =
      "/run/edgewatch-appliance/certificate";

    services.openssh.authorizedKeysFiles = [ "/var/lib/edgewatch-keys/%u" ];

    services.edgewatch = {
      usersFile = "${state}/users";
      grafana.adminPasswordFile = "${state}/password";
    };
    services.grafana.settings.security.admin_user = "operator";
  };
}
