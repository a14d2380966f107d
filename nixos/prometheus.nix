# Prometheus by nixpkgs' module, with the configuration and rules that serve every distribution. Its limits and sandbox are the
# drop-in of the package and budget.nix.
{
  config,
  lib,
  options,
  pkgs,
  ...
}:
let
  inherit (lib) types;
  inherit (import ./lib.nix { inherit lib; })
    milliseconds
    ours
    reach
    replaceOnce
    ;
  inherit (config.services) edgewatch;
  cfg = edgewatch.prometheus;
  theirs = config.services.prometheus;
  limits = edgewatch.budget.prometheus;
  format = pkgs.formats.json { };

  extraTargets = lib.mapAttrsToList (job_name: targets: {
    inherit job_name;
    static_configs = [ { inherit targets; } ];
    sample_limit = 2000;
    body_size_limit = "2MB";
  }) edgewatch.extraScrapeTargets;

  # scrape_configs come last in the file, and JSON is YAML.
  extraJobs = extraTargets ++ cfg.extraScrapeConfigs;
  extraScrapeConfigs = lib.concatMapStrings (job: "  - ${builtins.toJSON job}\n") extraJobs;
  # Where a job's targets are, as far as it names them: what it discovers or makes of labels can be anywhere.
  addressesOf =
    job:
    let
      rewrites = lib.filter (rule: rule.target_label or null == "__address__") (
        job.relabel_configs or [ ]
      );
      discovers = lib.any (lib.hasSuffix "_sd_configs") (lib.attrNames job);
    in
    lib.concatMap (group: group.targets or [ ]) (job.static_configs or [ ])
    ++ map (rule: rule.replacement or "any.invalid") rewrites
    ++ lib.optional (job ? proxy_url) job.proxy_url
    ++ lib.optional discovers "any.invalid";
  externalLabels = lib.optionalString (
    cfg.externalLabels != { }
  ) "\n  external_labels: ${builtins.toJSON cfg.externalLabels}";
  extraSections = lib.concatStrings (
    lib.mapAttrsToList (name: section: "${name}: ${builtins.toJSON section}\n") cfg.extraSections
  );

  serverFlags = [
    "--query.max-concurrency=${toString limits.query_max_concurrency}"
    "--query.max-samples=${toString limits.query_max_samples}"
    "--query.timeout=${limits.query_timeout}"
    "--storage.tsdb.retention.size=${limits.retention_size}"
    "--storage.tsdb.wal-segment-size=${limits.wal_segment_size}"
    "--storage.tsdb.max-block-chunk-segment-size=${limits.block_chunk_segment_size}"
  ];
  ruleFiles = lib.concatMapStrings (file: "  - ${file}\n") (
    [ "${../prometheus/rules}/*.yml" ] ++ cfg.ruleFiles
  );

  # Whether somebody set it: a definition counts more than an option's default.
  isSet = key: options.services.edgewatch.budget.prometheus.${key}.highestPrio < 1500;

  # Options of nixpkgs that would come to nothing without a word, because configText stands in place of them; and what does it instead.
  replaced = {
    alertmanagers = "prometheus.alertmanagers";
    globalConfig = "prometheus.scrapeInterval, prometheus.scrapeTimeout and prometheus.externalLabels";
    remoteRead = "prometheus.extraSections.remote_read";
    remoteWrite = "remoteWrite";
    ruleFiles = "prometheus.ruleFiles";
    rules = "prometheus.ruleFiles";
    scrapeConfigs = "extraScrapeTargets or prometheus.extraScrapeConfigs";
  };
  ignored = lib.filter (name: options.services.prometheus.${name}.highestPrio < 1500) (
    lib.attrNames replaced
  );
  instead = name: "services.edgewatch.${replaced.${name}} in place of ${name}";
  flags = map (flag: lib.head (lib.splitString "=" flag)) theirs.extraFlags;
  twice = lib.unique (lib.filter (flag: lib.count (other: other == flag) flags > 1) flags);

  # The value of a flag that people may give, or what stands for it.
  flagOr =
    name: default:
    lib.foldl' (
      value: flag: if lib.hasPrefix "${name}=" flag then lib.removePrefix "${name}=" flag else value
    ) default theirs.extraFlags;
  # Prometheus answers below the path of its external address, unless it is told otherwise.
  externalUrl = flagOr "--web.external-url" (toString theirs.webExternalUrl);
  externalPath = lib.last (builtins.match "([a-z]+://[^/]*)?(.*)" externalUrl);
  routePrefix = flagOr "--web.route-prefix" externalPath;
  webConfigFile = flagOr "--web.config.file" theirs.webConfigFile;

  retentionTime = if cfg.agent then null else limits.retention_time;

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
        More to scrape: a name for the job, and the addresses. What is named and not numbered can be anywhere, so Prometheus may then
        exchange packets with any address.
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
        description = ''
          Time between two scrapes of the device and of Prometheus, at most `1m`; the dashboards know it. For what may be scraped less often there
          is `scrape_interval` in {option}`services.edgewatch.prometheus.extraScrapeConfigs`.
        '';
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
        description = ''
          More entries of Prometheus' `scrape_configs`, for what {option}`services.edgewatch.extraScrapeTargets` cannot say. Of a job that
          discovers its targets or names them, and does not number them, Prometheus may exchange packets with any address.
        '';
      };

      externalLabels = lib.mkOption {
        type = types.attrsOf types.str;
        default = { };
        example = {
          edge = "cabinet-7";
        };
        description = ''
          Labels that tell this device's samples and alerts from those of others, where they are sent to. What has such a label already keeps
          its own: take a name that no series bears, like `edge`, and not `device` or `instance`.
        '';
      };

      alertmanagers = lib.mkOption {
        type = types.listOf types.str;
        default = [ ];
        example = [ "192.168.1.2:9093" ];
        description = ''
          Alertmanagers that are told of alerts, as HOST:PORT. One that is named and not numbered can be anywhere, so Prometheus may then
          exchange packets with any address.
        '';
      };

      ruleFiles = lib.mkOption {
        type = types.listOf types.path;
        default = [ ];
        example = lib.literalExpression "[ ./alerts.yml ]";
        description = "Alerts and recording rules beside those of edgewatch.";
      };

      agent = lib.mkOption {
        type = types.bool;
        default = false;
        example = true;
        description = ''
          Whether Prometheus keeps no history and only sends what it scrapes to {option}`services.edgewatch.remoteWrite`: without alerts,
          dashboards and `edgewatch check`, and with less memory.
        '';
      };

      extraSections = lib.mkOption {
        type = types.attrsOf format.type;
        default = { };
        example = {
          remote_read = [ { url = "http://192.168.1.2:9090/api/v1/read"; } ];
        };
        description = ''
          More sections of Prometheus' configuration, beside those that edgewatch writes. Name addresses outside of the device in
          {option}`services.edgewatch.prometheus.allowedAddresses` as well.
        '';
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
      listenAddress = lib.mkDefault "127.0.0.1";
      port = lib.mkDefault cfg.port;
      retentionTime = lib.mkDefault retentionTime;
      enableAgentMode = cfg.agent;
      # So that another configuration misses no scrape.
      enableReload = true;
      extraFlags = [
        "--log.level=warn"
        # Else it stamps every scrape after a step back of the clock with one and the same time ahead, and so drops them all.
        "--no-scrape.adjust-timestamps"
        "--web.max-connections=${toString limits.web_max_connections}"
      ]
      ++ lib.optionals (!cfg.agent) serverFlags;
      # As text: nixpkgs' options have none for the out-of-order window, which a device without a clock needs.
      configText = lib.pipe (lib.readFile ../prometheus/prometheus.yml) [
        (replaceOnce "127.0.0.1:8000" "127.0.0.1:${toString edgewatch.port}")
        (replaceOnce "127.0.0.1:9090" self)
        (replaceOnce "scrape_interval: 15s" "scrape_interval: ${cfg.scrapeInterval}")
        (replaceOnce "scrape_timeout: 10s" "scrape_timeout: ${cfg.scrapeTimeout}${externalLabels}")
        # An agent refuses rules.
        (replaceOnce "rule_files:\n  - rules/*.yml\n" (
          lib.optionalString (!cfg.agent) "rule_files:\n${ruleFiles}"
        ))
        (text: text + extraScrapeConfigs + extraSections)
      ];
    };
    systemd.services.prometheus = {
      # Stopped before the switch and started after it, it would miss all scrapes of the time between.
      stopIfChanged = false;
      serviceConfig = {
        # nixpkgs' way waits for a line of the log that is not written at this level.
        ExecReload = lib.mkForce "${lib.getExe' pkgs.coreutils "kill"} -HUP $MAINPID";
        IPAddressAllow = lib.unique (
          cfg.allowedAddresses
          ++ reach (lib.concatMap addressesOf extraJobs ++ cfg.alertmanagers)
        );
      };
    };

    services.edgewatch.prometheus.extraSections = lib.mkIf (cfg.alertmanagers != [ ]) {
      alerting.alertmanagers = [ { static_configs = [ { targets = cfg.alertmanagers; } ]; } ];
    };

    # NixOS does not read [Install].
    systemd.timers.edgewatch-probe.wantedBy = [ "prometheus.service" ];
    systemd.services.edgewatch-probe.environment.PROMETHEUS = "http://${self}/-/healthy";

    assertions =
      let
        jobs = [
          "sensor"
          "prometheus"
        ]
        ++ map (job: job.job_name or "") extraJobs;
        repeated = lib.filter (name: lib.count (job: job == name) jobs > 1) (lib.unique jobs);
        written = lib.intersectLists (lib.attrNames cfg.extraSections) [
          "global"
          "rule_files"
          "scrape_configs"
          "storage"
        ];
        forbidden =
          lib.optional (isSet "retention_time") "prometheus.retention"
          ++ lib.optional (isSet "retention_size") "prometheus.retentionSize"
          ++ lib.optional (cfg.ruleFiles != [ ]) "prometheus.ruleFiles"
          ++ lib.optional (cfg.alertmanagers != [ ]) "prometheus.alertmanagers";
      in
      [
        {
          assertion = ignored == [ ];
          message = ''
            services.prometheus: ${lib.concatStringsSep ", " ignored} would have no effect, because edgewatch writes the configuration.
            Use ${lib.concatMapStringsSep "; " instead ignored}.
          '';
        }
        {
          assertion = twice == [ ];
          message = ''
            services.prometheus.extraFlags: edgewatch gives ${lib.concatStringsSep ", " twice} too, and Prometheus starts with no flag twice.
            Use services.edgewatch.budget.prometheus, or leave it out.
          '';
        }
        (ours "services.prometheus.listenAddress" theirs.listenAddress "127.0.0.1"
          "Prometheus has no passwords. From elsewhere it is reached through Grafana, or a proxy that asks for one."
        )
        (ours "services.prometheus.port" theirs.port cfg.port
          "Use services.edgewatch.prometheus.port in place of it."
        )
        (ours "services.prometheus.retentionTime" theirs.retentionTime retentionTime
          "Use services.edgewatch.prometheus.retention in place of it."
        )
        {
          assertion = lib.removeSuffix "/" routePrefix == "";
          message = ''
            services.prometheus: edgewatch, Grafana and Prometheus itself ask at http://${self}/, and it would answer below ${routePrefix}.
            Add "--web.route-prefix=/" to services.prometheus.extraFlags, and let the proxy in front of it take the path away.
          '';
        }
        {
          assertion = webConfigFile == null;
          message = ''
            services.prometheus.webConfigFile: edgewatch, Grafana and Prometheus itself ask at http://${self}/ without TLS and a password.
            Leave it out: Prometheus listens on loopback only. For others put a proxy in front of it.
          '';
        }
        {
          assertion = milliseconds cfg.scrapeInterval <= milliseconds "1m";
          message = ''
            services.edgewatch.prometheus.scrapeInterval = "${cfg.scrapeInterval}" is too long for alerts that judge by minutes: they would fire without cause.
            Set at most "1m", or scrape others less often with scrape_interval in prometheus.extraScrapeConfigs.
          '';
        }
        {
          assertion = milliseconds cfg.scrapeTimeout <= milliseconds cfg.scrapeInterval;
          message = ''
            services.edgewatch.prometheus.scrapeTimeout = "${cfg.scrapeTimeout}" is longer than scrapeInterval = "${cfg.scrapeInterval}".
            Lower the one or raise the other.
          '';
        }
        {
          assertion = repeated == [ ];
          message = ''
            services.edgewatch: ${lib.concatStringsSep ", " repeated} names two jobs that Prometheus scrapes.
            Give those in extraScrapeTargets and prometheus.extraScrapeConfigs names of their own.
          '';
        }
        {
          assertion = written == [ ];
          message = ''
            services.edgewatch.prometheus.extraSections: edgewatch writes ${lib.concatStringsSep ", " written} itself.
            Use extraScrapeTargets, prometheus.extraScrapeConfigs, prometheus.ruleFiles or prometheus.scrapeInterval.
          '';
        }
        {
          assertion = !cfg.agent || edgewatch.remoteWrite != { };
          message = ''
            services.edgewatch.prometheus.agent keeps nothing on the device, and nothing is sent anywhere either.
            Name a server in services.edgewatch.remoteWrite, or leave agent out.
          '';
        }
        {
          assertion = !cfg.agent || forbidden == [ ];
          message = ''
            services.edgewatch.prometheus.agent keeps no history, so ${lib.concatStringsSep ", " forbidden} cannot hold.
            Leave that out, or leave agent out.
          '';
        }
        {
          assertion = !cfg.agent || edgewatch.grafana.mode == "off";
          message = ''
            services.edgewatch.prometheus.agent keeps no history that Grafana could show.
            Set services.edgewatch.grafana.mode = "off", or leave agent out.
          '';
        }
      ];
  };
}
