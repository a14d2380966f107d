# Grafana by nixpkgs' module: settings as everywhere, secrets made on the device, asleep until somebody looks. Its limits and
# sandbox are the drop-ins of every distribution, and budget.nix.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) types;
  inherit (import ./lib.nix { inherit lib; })
    grafanaInnerPort
    isLoopback
    listenAddress
    notInStore
    openFirewall
    opened
    ours
    readINI
    ;
  inherit (config.services) edgewatch;
  inherit (edgewatch) prometheus;
  cfg = edgewatch.grafana;
  loopback = isLoopback cfg.listenAddress;

  files = {
    admin_password = cfg.adminPasswordFile;
    secret_key = cfg.secretKeyFile;
  };
  made = lib.attrNames (lib.filterAttrs (_: file: file == null) files);
  state = "/var/lib/edgewatch-grafana";
  credential = name: "$__file{/run/credentials/grafana.service/${name}}";
  shipped = readINI ../src/up/grafana.ini;
  inherit (config.services.grafana) provision settings;
  # nixpkgs makes lists of what it has no option for.
  isAnonymous = lib.last (lib.toList settings."auth.anonymous".enabled);
  inherit (provision.datasources.settings) datasources;
  defaults = lib.filter (source: source.isDefault or false) datasources;
  repeated = lib.filter (names: lib.length names > 1) (
    lib.attrValues (lib.groupBy (source: source.name) datasources)
  );

  secretFile =
    what: made:
    lib.mkOption {
      type = types.nullOr types.str;
      default = null;
      example = "/var/lib/secrets/${what}";
      description = ''
        File on the device with ${made}. Left out, one is made on the first start and kept in {file}`${state}`, for root alone.
        systemd hands it to Grafana as a credential.
      '';
    };
in
{
  options.services.edgewatch = {
    dashboards = lib.mkOption {
      type = types.listOf types.path;
      default = [ ];
      example = lib.literalExpression "[ ./dashboards ]";
      description = "Directories with dashboards (JSON) that the service and Grafana show beside those of edgewatch.";
    };

    grafana = {
      mode = lib.mkOption {
        type = types.enum [
          "on-demand"
          "always"
          "off"
        ];
        default = "on-demand";
        example = "off";
        description = ''
          When Grafana runs: from the first visit until five minutes after the last, always, or never. It takes more memory than the rest
          of the stack together.
        '';
      };

      listenAddress = listenAddress "Grafana";

      port = lib.mkOption {
        type = types.port;
        default = 3000;
        example = 80;
        description = "Port of Grafana. Grafana itself is at 127.0.0.1:${toString grafanaInnerPort}, behind it.";
      };

      openFirewall = openFirewall "Grafana";

      adminPasswordFile = secretFile "grafana-admin-password" "the first password of the user `admin`";
      secretKeyFile = secretFile "grafana-secret-key" "the key of secrets in Grafana's database, for good";

      anonymousViewer = lib.mkOption {
        type = types.bool;
        default = loopback;
        defaultText = lib.literalMD "`true` as long as Grafana listens on loopback";
        example = false;
        description = "Whether looking at dashboards needs no password. Changing things always does.";
      };
    };
  };

  config = lib.mkIf (edgewatch.enable && cfg.mode != "off") {
    services.grafana = {
      enable = true;
      # From 13.2 on the data source is a plugin; and a list, if empty, keeps Grafana from fetching plugins.
      declarativePlugins =
        let
          isPlugin = lib.versionAtLeast config.services.grafana.package.version "13.2";
        in
        lib.optional isPlugin pkgs.grafanaPlugins.prometheus;

      settings = lib.mkMerge [
        (lib.mapAttrsRecursive (_: lib.mkDefault) (removeAttrs shipped [ "auth.anonymous" ]))
        {
          server = {
            http_addr = lib.mkDefault "127.0.0.1";
            http_port = lib.mkDefault grafanaInnerPort;
            domain = lib.mkIf (!loopback) (lib.mkDefault config.networking.hostName);
            root_url = lib.mkDefault "%(protocol)s://%(domain)s:${toString cfg.port}/";
          };
          # A Grafana that was there before keeps its key: with another one it cannot read the secrets in its database.
          security = lib.mapAttrs (
            name: file: (if file == null then lib.mkDefault else lib.id) (credential name)
          ) files;
          "auth.anonymous" = shipped."auth.anonymous" // {
            enabled = lib.mkDefault cfg.anonymousViewer;
          };
          dashboards.default_home_dashboard_path = lib.mkDefault "${../grafana-dashboards}/overview.json";
        }
      ];

      provision = {
        enable = true;
        datasources.settings.datasources = [
          {
            name = "Prometheus";
            # The dashboards name it.
            uid = "edgewatch-prometheus";
            type = "prometheus";
            url = "http://127.0.0.1:${toString prometheus.port}";
            isDefault = true;
            jsonData.timeInterval = prometheus.scrapeInterval;
          }
        ];
        dashboards.settings.providers = lib.imap0 (index: path: {
          name = if index == 0 then "edgewatch" else "edgewatch-${toString index}";
          allowUiUpdates = false;
          options = { inherit path; };
        }) ([ ../grafana-dashboards ] ++ edgewatch.dashboards);
      };
    };
    networking.firewall = opened cfg.openFirewall cfg.port;

    # Not of the package: a Grafana that is not the stack's has neither this sandbox nor a share of the budget.
    systemd.packages =
      let
        dropIns = "lib/systemd/system/grafana.service.d";
      in
      [
        (pkgs.linkFarm "edgewatch-grafana-drop-ins" {
          "${dropIns}/10-edgewatch-sandbox.conf" = ../systemd/10-edgewatch-sandbox.conf;
          "${dropIns}/edgewatch.conf" = ../systemd/grafana-server.service.d/edgewatch.conf;
        })
      ];

    # Else a switch would stop the socket together with the service, and refuse visitors until both are there again.
    systemd.services.edgewatch-grafana.stopIfChanged = false;
    systemd.services.grafana = {
      stopIfChanged = false;
      wantedBy = lib.mkIf (cfg.mode == "on-demand") (lib.mkForce [ ]);
      serviceConfig = {
        # nixpkgs leaves the directory to the user's home, which the sandbox makes read-only.
        StateDirectory = "grafana";
        StateDirectoryMode = "0700";
        LoadCredential = lib.mapAttrsToList (
          name: file: "${name}:${if file == null then "${state}/${name}" else file}"
        ) files;
      };
    };

    systemd.services.edgewatch-grafana-secrets = lib.mkIf (made != [ ]) {
      description = "Secrets of Grafana, made once";
      requiredBy = [ "grafana.service" ];
      before = [ "grafana.service" ];
      # Written aside and to the disk first: a key that a power cut left empty would be taken for good.
      script = ''
        cd ${state}
        for name in ${toString made}; do
          [ -s "$name" ] && continue
          head -c 24 /dev/urandom | base64 >"$name.new"
          sync "$name.new"
          mv "$name.new" "$name"
        done
      '';
      serviceConfig = {
        Type = "oneshot";
        Slice = "edgewatch.slice";
        StateDirectory = baseNameOf state;
        StateDirectoryMode = "0700";
        UMask = "0077";
        CapabilityBoundingSet = "";
        NoNewPrivileges = true;
        LockPersonality = true;
        MemoryDenyWriteExecute = true;
        PrivateDevices = true;
        PrivateNetwork = true;
        PrivateTmp = true;
        ProtectHome = true;
        ProtectSystem = "strict";
        RestrictAddressFamilies = "none";
        RestrictNamespaces = true;
        SystemCallFilter = "@system-service";
      };
    };

    assertions = [
      (ours "services.grafana.settings.server.http_addr" settings.server.http_addr "127.0.0.1"
        "Grafana is behind a socket, which starts it: its address is services.edgewatch.grafana.listenAddress."
      )
      (ours "services.grafana.settings.server.http_port" settings.server.http_port grafanaInnerPort
        "Grafana is behind a socket, which starts it: its port is services.edgewatch.grafana.port."
      )
      (ours "services.grafana.settings.server.protocol" settings.server.protocol "http"
        "Grafana is behind a socket, which starts it. For TLS put a proxy in front of it."
      )
      (ours "services.grafana.settings.\"auth.anonymous\".enabled" isAnonymous cfg.anonymousViewer
        "Use services.edgewatch.grafana.anonymousViewer in place of it."
      )
      {
        assertion = repeated == [ ] && lib.length defaults == 1;
        message = ''
          services.grafana.provision.datasources: edgewatch brings "Prometheus", the default one, and Grafana starts with no name and no default twice.
          Leave yours out if it is the Prometheus of this device; else give it another name, and no isDefault.
        '';
      }
      {
        assertion = loopback || !cfg.anonymousViewer;
        message = ''
          services.edgewatch.grafana.listenAddress = "${cfg.listenAddress}" lets others look without a password.
          Set services.edgewatch.grafana.anonymousViewer = false, or leave the address at 127.0.0.1.
        '';
      }
    ]
    ++ map (name: notInStore "grafana.${name}" cfg.${name}) [
      "adminPasswordFile"
      "secretKeyFile"
    ];
  };
}
