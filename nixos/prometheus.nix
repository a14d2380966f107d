# Prometheus by nixpkgs' module, with the configuration and rules that serve every distribution. Its limits and sandbox are the
# drop-in of the package and budget.nix.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) types;
  inherit (import ./lib.nix { inherit lib; }) replaceOnce;
  inherit (config.services) edgewatch;
  cfg = edgewatch.prometheus;
  limits = edgewatch.budget.prometheus;
  format = pkgs.formats.json { };

  extraTargets = lib.mapAttrsToList (job_name: targets: {
    inherit job_name;
    static_configs = [ { inherit targets; } ];
    sample_limit = 2000;
    body_size_limit = "2MB";
  }) edgewatch.extraScrapeTargets;

  # scrape_configs come last in the file, and JSON is YAML.
  extraScrapeConfigs = lib.concatMapStrings (job: "  - ${builtins.toJSON job}\n") (
    extraTargets ++ cfg.extraScrapeConfigs
  );

  self = "127.0.0.1:${toString cfg.port}";
  every = "([0-9]+(ms|s|m|h))+";
in
{
  imports = [
    (lib.mkAliasOptionModule
      [ "services" "edgewatch" "prometheus" "retention" ]
      [ "services" "edgewatch" "budget" "prometheus" "retention_time" ]
    )
    (lib.mkAliasOptionModule
      [ "services" "edgewatch" "prometheus" "retentionSize" ]
      [ "services" "edgewatch" "budget" "prometheus" "retention_size" ]
    )
  ];

  options.services.edgewatch = {
    extraScrapeTargets = lib.mkOption {
      type = types.attrsOf (types.nonEmptyListOf types.str);
      default = { };
      example = {
        router = [ "192.168.1.1:9100" ];
      };
      description = ''
        More to scrape: a name for the job, and the addresses. Name addresses outside of the device in
        {option}`services.edgewatch.prometheus.allowedAddresses` as well.
      '';
    };

    prometheus = {
      port = lib.mkOption {
        type = types.port;
        default = 9090;
        example = 9095;
        description = ''
          Port of Prometheus, on loopback only: it has no passwords. From elsewhere it is reached through Grafana, or
          `ssh -L 9090:127.0.0.1:9090`.
        '';
      };

      scrapeInterval = lib.mkOption {
        type = types.strMatching every;
        default = "15s";
        example = "30s";
        description = "Time between two scrapes; the dashboards know it.";
      };

      scrapeTimeout = lib.mkOption {
        type = types.strMatching every;
        default = "10s";
        example = "5s";
        description = "Time after which a scrape counts as failed; at most {option}`services.edgewatch.prometheus.scrapeInterval`.";
      };

      extraScrapeConfigs = lib.mkOption {
        type = types.listOf format.type;
        default = [ ];
        example = [
          {
            job_name = "router";
            scrape_interval = "1m";
            static_configs = [ { targets = [ "192.168.1.1:9100" ]; } ];
          }
        ];
        description = "More entries of Prometheus' `scrape_configs`, for what {option}`services.edgewatch.extraScrapeTargets` cannot say.";
      };

      ruleFiles = lib.mkOption {
        type = types.listOf types.path;
        default = [ ];
        example = lib.literalExpression "[ ./alerts.yml ]";
        description = "Alerts and recording rules beside those of edgewatch.";
      };

      allowedAddresses = lib.mkOption {
        type = types.listOf types.str;
        default = [ ];
        example = [ "192.168.1.0/24" ];
        description = "Addresses that Prometheus may exchange packets with beside the device's own, as systemd's `IPAddressAllow=` takes them.";
      };
    };
  };

  config = lib.mkIf edgewatch.enable {
    services.prometheus = {
      enable = true;
      listenAddress = "127.0.0.1";
      inherit (cfg) port;
      retentionTime = limits.retention_time;
      extraFlags = [
        "--log.level=warn"
        "--query.max-concurrency=${toString limits.query_max_concurrency}"
        "--query.max-samples=${toString limits.query_max_samples}"
        "--query.timeout=${limits.query_timeout}"
        "--web.max-connections=${toString limits.web_max_connections}"
        "--storage.tsdb.retention.size=${limits.retention_size}"
        "--storage.tsdb.wal-segment-size=${limits.wal_segment_size}"
        "--storage.tsdb.max-block-chunk-segment-size=${limits.block_chunk_segment_size}"
      ];
      # As text: nixpkgs' options have none for the out-of-order window, which a device without a clock needs.
      configText = lib.pipe (lib.readFile ../prometheus/prometheus.yml) [
        (replaceOnce "127.0.0.1:8000" "127.0.0.1:${toString edgewatch.port}")
        (replaceOnce "127.0.0.1:9090" self)
        (replaceOnce "scrape_interval: 15s" "scrape_interval: ${cfg.scrapeInterval}")
        (replaceOnce "scrape_timeout: 10s" "scrape_timeout: ${cfg.scrapeTimeout}")
        (replaceOnce "  - rules/*.yml\n" (
          lib.concatMapStrings (file: "  - ${file}\n") (
            [ "${../prometheus/rules}/*.yml" ] ++ cfg.ruleFiles
          )
        ))
        (text: text + extraScrapeConfigs)
      ];
    };
    systemd.services.prometheus.serviceConfig.IPAddressAllow = cfg.allowedAddresses;

    # NixOS does not read [Install].
    systemd.timers.edgewatch-probe.wantedBy = [ "prometheus.service" ];
    systemd.services.edgewatch-probe.serviceConfig.ExecStart = [
      ""
      "${lib.getExe edgewatch.package} wait --timeout=90s http://${self}/-/healthy"
    ];
  };
}
