# The centre of a fleet: VictoriaMetrics, a front with TLS and a password for each device, the rules, and Grafana with the dashboards.
# docs/fleet.md. It stands alone: a machine can be a centre without being a device.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) types;
  inherit (import ./lib.nix { inherit lib; }) hardened notInStoreAt secretFile;
  cfg = config.services.edgewatch-centre;
  storage = "127.0.0.1:${toString cfg.port}";
  # A device that is a centre too, whose own data source is the default one.
  device = config.services.edgewatch or { enable = false; };
  sharesGrafana = device.enable && device.grafana.mode != "off";
  program = name: lib.getExe' cfg.package name;

  # Who should be there, as fleet/inventory makes it of a list.
  inventory = pkgs.writeText "inventory.yml" (
    builtins.toJSON {
      groups = [
        {
          name = "edgewatch-fleet-inventory";
          interval = "1m";
          rules = lib.mapAttrsToList (edge: labels: {
            record = "fleet_inventory_info";
            expr = "vector(1)";
            labels = labels // {
              inherit edge;
            };
          }) cfg.devices;
        }
      ];
    }
  );
  rules = [ "${../fleet}/rules/*.yml" ] ++ lib.optional (cfg.devices != { }) "${inventory}";

  sandbox = hardened // {
    DynamicUser = true;
    Restart = "on-failure";
    RestartSec = "1s";
    RestartSteps = 5;
    RestartMaxDelaySec = "30s";
    CapabilityBoundingSet = "";
    ProtectProc = "invisible";
    RestrictAddressFamilies = [
      "AF_INET"
      "AF_INET6"
      "AF_UNIX"
    ];
    SystemCallFilter = [
      "@system-service"
      "~@privileged"
    ];
  };
  # However often they fail: a certificate that comes later, or a disk that has room again, must be enough.
  persistent.StartLimitIntervalSec = 0;
  fileOnDevice = secretFile "the front" "/var/lib/secrets/centre";
in
{
  options.services.edgewatch-centre = {
    enable = lib.mkEnableOption "the centre of a fleet of edgewatch devices";

    package = lib.mkPackageOption pkgs "victoriametrics" { };

    port = lib.mkOption {
      type = types.port;
      default = 8428;
      example = 18428;
      description = "Port of VictoriaMetrics, on loopback: who reaches it can read and delete everything.";
    };

    retention = lib.mkOption {
      type = types.strMatching "[1-9][0-9]*[hdwy]?";
      default = "13";
      example = "90d";
      description = "How long samples are kept: months, or hours, days, weeks or years with a letter behind the number.";
    };

    memory = lib.mkOption {
      type = types.strMatching "[1-9][0-9]*[KMG]iB";
      default = "1GiB";
      example = "512MiB";
      description = "Memory that VictoriaMetrics may have for its caches; its process takes more.";
    };

    extraFlags = lib.mkOption {
      type = with types; listOf str;
      default = [ ];
      example = [ "-maxConcurrentInserts=16" ];
      description = "Further flags of VictoriaMetrics.";
    };

    listenAddress = lib.mkOption {
      type = types.strMatching ".*:[0-9]+";
      default = ":8443";
      example = "192.0.2.1:443";
      description = "Where devices send to, as https://HOST:PORT/api/v1/write.";
    };

    openFirewall = lib.mkOption {
      type = types.bool;
      default = false;
      example = true;
      description = "Whether the firewall lets devices in.";
    };

    usersFile = fileOnDevice "who may send, as fleet/debian/vmauth.yml has it";
    certificateFile = fileOnDevice "the certificate of the centre (PEM), with its chain";
    keyFile = fileOnDevice "the key of that certificate (PEM)";

    devices = lib.mkOption {
      type = with types; attrsOf (attrsOf str);
      default = { };
      example = {
        gate-7.site = "north";
      };
      description = "Who should be there: the label `edge` of each device, with more labels. One that does not report is told of by DeviceNeverSeen.";
    };

    alertmanagers = lib.mkOption {
      type = with types; listOf str;
      default = [ ];
      example = [ "http://127.0.0.1:9093" ];
      description = "Addresses of the Alertmanagers that are told. Without one alerts are on the dashboards only.";
    };

    grafana = lib.mkOption {
      type = types.bool;
      default = true;
      example = false;
      description = ''
        Whether Grafana runs here, with the dashboards of the fleet. {option}`services.grafana.settings.security` needs a `secret_key` and an
        `admin_password`.
      '';
    };
  };

  config = lib.mkIf cfg.enable {
    systemd.services = {
      edgewatch-centre-storage = {
        description = "VictoriaMetrics of the fleet";
        wantedBy = [ "multi-user.target" ];
        after = [ "network.target" ];
        unitConfig = persistent;
        serviceConfig = sandbox // {
          StateDirectory = "edgewatch-centre";
          LimitNOFILE = 1048576;
          # Devices send again what they are not sure of: samples that come twice are kept once.
          ExecStart = lib.escapeShellArgs (
            [
              (program "victoria-metrics")
              "-storageDataPath=/var/lib/edgewatch-centre"
              "-httpListenAddr=${storage}"
              "-retentionPeriod=${cfg.retention}"
              "-memory.allowedBytes=${cfg.memory}"
              "-dedup.minScrapeInterval=1ms"
            ]
            ++ cfg.extraFlags
          );
        };
      };

      edgewatch-centre-front = {
        description = "TLS proxy of VictoriaMetrics";
        wantedBy = [ "multi-user.target" ];
        after = [
          "network.target"
          "edgewatch-centre-storage.service"
        ];
        unitConfig = persistent;
        serviceConfig = sandbox // {
          LoadCredential = [
            "users.yml:${toString cfg.usersFile}"
            "tls.crt:${toString cfg.certificateFile}"
            "tls.key:${toString cfg.keyFile}"
          ];
          # Ports below 1024 as well.
          AmbientCapabilities = "CAP_NET_BIND_SERVICE";
          CapabilityBoundingSet = "CAP_NET_BIND_SERVICE";
          LimitNOFILE = 65536;
          # Its own pages (metrics, flags, profiles, reload) want no password: on loopback alone.
          ExecStart = lib.concatStringsSep " " [
            (program "vmauth")
            "-httpListenAddr=${cfg.listenAddress}"
            "-httpInternalListenAddr=127.0.0.1:8427"
            "-auth.config=%d/users.yml"
            "-tls"
            "-tlsCertFile=%d/tls.crt"
            "-tlsKeyFile=%d/tls.key"
          ];
        };
      };

      edgewatch-centre-rules = {
        description = "Rules of the fleet (vmalert)";
        wantedBy = [ "multi-user.target" ];
        after = [ "edgewatch-centre-storage.service" ];
        unitConfig = persistent;
        serviceConfig = sandbox // {
          ExecStart = lib.escapeShellArgs (
            [
              (program "vmalert")
              "-httpListenAddr=127.0.0.1:8880"
            ]
            ++ map (source: "-${source}.url=http://${storage}") [
              "datasource"
              "remoteWrite"
              "remoteRead"
            ]
            ++ map (file: "-rule=${file}") rules
            ++ map (url: "-notifier.url=${url}") cfg.alertmanagers
            ++ lib.optional (cfg.alertmanagers == [ ]) "-notifier.blackhole"
          );
        };
      };
    };

    services.grafana = lib.mkIf cfg.grafana {
      enable = true;
      provision = {
        enable = true;
        datasources.settings.datasources = [
          {
            name = "Fleet";
            uid = "edgewatch-fleet";
            type = "prometheus";
            url = "http://${storage}";
            isDefault = !sharesGrafana;
            jsonData.timeInterval = "15s";
          }
        ];
        dashboards.settings.providers = [
          {
            name = "edgewatch-fleet";
            allowUiUpdates = false;
            options.path = ../fleet/dashboards;
          }
        ];
      };
    };

    networking.firewall.allowedTCPPorts = lib.mkIf cfg.openFirewall [
      (lib.toInt (lib.last (lib.splitString ":" cfg.listenAddress)))
    ];

    assertions = lib.concatLists (
      lib.mapAttrsToList
        (name: file: [
          {
            assertion = file != null;
            message = ''
              services.edgewatch-centre.${name} is not set: devices send over TLS, with a password each.
              Set it to a file on this machine; docs/fleet.md tells how it is made.
            '';
          }
          (notInStoreAt "services.edgewatch-centre.${name}" file)
        ])
        {
          inherit (cfg) usersFile certificateFile keyFile;
        }
    )
    ++ [
      {
        # What nixpkgs has there is known to everybody.
        assertion = cfg.grafana -> config.services.grafana.settings.security.admin_password != "admin";
        message = ''
          services.edgewatch-centre.grafana: Grafana would let everybody who reaches it in as admin, with the password "admin".
          Set services.grafana.settings.security.admin_password = "$__file{/var/lib/secrets/grafana-admin}" to a file on this machine that Grafana can read.
        '';
      }
    ];
  };
}
