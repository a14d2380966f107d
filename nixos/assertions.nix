# Every assertion and warning of the module: the mistake, and words of the message that tells of it. Evaluated, never booted.
{ pkgs }:
let
  inherit (pkgs) lib;
  evaluate = import ./evaluate.nix { inherit pkgs; };
  # A mistake is made in the settings of edgewatch, or elsewhere in NixOS.
  system =
    settings:
    evaluate {
      imports = [ ./centre.nix ];
      services = {
        edgewatch = lib.recursiveUpdate { enable = true; } (removeAttrs settings [ "elsewhere" ]);
      }
      // settings.elsewhere or { };
    };

  # What the module's own files say, with the place where they say it.
  said =
    option: settings:
    lib.concatMap (
      { file, value }:
      lib.imap0 (index: content: {
        place = "${baseNameOf file}, number ${toString index}";
        inherit content;
      }) (lib.optionals (lib.hasPrefix (toString ./.) file) value)
    ) (system settings).options.${option}.definitionsWithLocations;
  failed = settings: lib.filter ({ content, ... }: !content.assertion) (said "assertions" settings);
  warnings = settings: map ({ content, ... }: content) (said "warnings" settings);

  server = {
    url = "https://metrics.example.org/api/v1/write";
  };
  agent = {
    prometheus.agent = true;
    grafana.mode = "off";
    remoteWrite.office = server;
  };
  # A machine that is no device.
  centre = settings: {
    enable = false;
    elsewhere = {
      edgewatch-centre = {
        enable = true;
        usersFile = "/var/lib/secrets/users.yml";
        certificateFile = "/var/lib/secrets/centre.crt";
        keyFile = "/var/lib/secrets/centre.key";
      }
      // settings;
      grafana.settings.security.admin_password = "$__file{/var/lib/secrets/grafana-admin}";
    };
  };
  inStore = "${builtins.storeDir}/secret";

  judged = map (mistake: mistake // { failed = failed mistake.settings; });

  # What nixpkgs' module would make a configuration of, and edgewatch does not.
  unheard = judged (
    lib.mapAttrsToList
      (name: value: {
        settings.elsewhere.prometheus.${name} = value;
        says = "in place of ${name}";
      })
      {
        alertmanagers = [ { } ];
        globalConfig.scrape_interval = "5s";
        remoteRead = [ ];
        remoteWrite = [ ];
        ruleFiles = [ ./default.nix ];
        rules = [ "groups: []" ];
        scrapeConfigs = [ { job_name = "router"; } ];
      }
  );

  mistakes = judged [
    {
      settings.budget.prometheus.memory_max = "200M";
      says = "above the total of 300M";
    }
    {
      settings.budget.edgewatch.memory_min = "32M";
      says = "above the total of 48M";
    }
    {
      settings.budget.total.memory_high = "301M";
      says = "budget.total: memory_high";
    }
    {
      settings.budget.edgewatch.memory_high = "25M";
      says = "budget.edgewatch: memory_high";
    }
    {
      settings.budget.dashboards.memory_high = "25M";
      says = "budget.dashboards: memory_high";
    }
    {
      settings.budget.outbound.memory_high = "25M";
      says = "budget.outbound: memory_high";
    }
    {
      settings.budget.prometheus.memory_high = "97M";
      says = "budget.prometheus: memory_high";
    }
    {
      settings.budget.grafana.memory_high = "181M";
      says = "budget.grafana: memory_high";
    }
    {
      settings.listenAddress = "0.0.0.0";
      says = "services.edgewatch.usersFile, or";
    }
    {
      settings.usersFile = inStore;
      says = "usersFile lies in the Nix store";
    }
    {
      settings.grafana = {
        listenAddress = "0.0.0.0";
        anonymousViewer = true;
      };
      says = "anonymousViewer = false";
    }
    {
      settings.grafana.adminPasswordFile = inStore;
      says = "adminPasswordFile lies in the Nix store";
    }
    {
      settings.grafana.secretKeyFile = inStore;
      says = "secretKeyFile lies in the Nix store";
    }
    {
      settings.grafana.port = 3001;
      says = "both 3001";
    }
    {
      settings.prometheus.port = 8000;
      says = "port and prometheus.port are both 8000";
    }
    {
      settings.prometheus.scrapeInterval = "5m";
      says = ''Set at most "1m"'';
    }
    {
      settings.prometheus.scrapeTimeout = "1m";
      says = "longer than scrapeInterval";
    }
    {
      settings.extraScrapeTargets.sensor = [ "192.168.1.1:9100" ];
      says = "sensor names two jobs";
    }
    {
      settings.prometheus.extraSections.global.scrape_interval = "5s";
      says = "edgewatch writes global itself";
    }
    {
      settings = lib.recursiveUpdate agent { remoteWrite = lib.mkForce { }; };
      says = "nothing is sent anywhere";
    }
    {
      settings = lib.recursiveUpdate agent { prometheus.retention = "1d"; };
      says = "so prometheus.retention cannot hold";
    }
    {
      settings = lib.recursiveUpdate agent { prometheus.retentionSize = "1GB"; };
      says = "so prometheus.retentionSize cannot hold";
    }
    {
      settings = lib.recursiveUpdate agent { prometheus.ruleFiles = [ ./default.nix ]; };
      says = "so prometheus.ruleFiles cannot hold";
    }
    {
      settings = lib.recursiveUpdate agent { grafana.mode = "on-demand"; };
      says = ''grafana.mode = "off"'';
    }
    {
      settings = lib.recursiveUpdate agent { prometheus.alertmanagers = [ "192.168.1.2:9093" ]; };
      says = "so prometheus.alertmanagers cannot hold";
    }
    {
      settings.elsewhere.prometheus.extraFlags = [ "--query.timeout=1m" ];
      says = "edgewatch gives --query.timeout too";
    }
    {
      settings.elsewhere.prometheus.listenAddress = "0.0.0.0";
      says = "Prometheus has no passwords";
    }
    {
      settings.elsewhere.prometheus.port = 9091;
      says = "services.edgewatch.prometheus.port in place";
    }
    {
      settings.elsewhere.prometheus.retentionTime = "30d";
      says = "services.edgewatch.prometheus.retention in place";
    }
    {
      settings.elsewhere.grafana.settings.server.http_addr = "0.0.0.0";
      says = "services.edgewatch.grafana.listenAddress";
    }
    {
      settings.elsewhere.grafana.settings.server.http_port = 3000;
      says = "services.edgewatch.grafana.port";
    }
    {
      settings.elsewhere.grafana.settings.server.protocol = "https";
      says = "put a proxy in front";
    }
    {
      settings.elsewhere.grafana.settings."auth.anonymous".enabled = false;
      says = "services.edgewatch.grafana.anonymousViewer in place";
    }
    {
      settings.elsewhere.grafana.provision.datasources.settings.datasources = [
        {
          name = "Prometheus";
          type = "prometheus";
          url = "http://127.0.0.1:9090";
        }
      ];
      says = "give it another name";
    }
    {
      settings.elsewhere.grafana.provision.datasources.settings.datasources = [
        {
          name = "Office";
          type = "prometheus";
          url = "https://office.example.org";
          isDefault = true;
        }
      ];
      says = "no isDefault";
    }
    {
      settings.elsewhere.prometheus.webExternalUrl = "https://example.org/prometheus/";
      says = "--web.route-prefix=/";
    }
    {
      settings.elsewhere.prometheus.webConfigFile = "/var/lib/secrets/web.yml";
      says = "services.prometheus.webConfigFile";
    }
    {
      settings.remoteWrite."the office" = server;
      says = "Rename the office";
    }
    {
      settings.remoteWrite.office = server // {
        username = "me";
        passwordFile = "/var/lib/secrets/a";
        tokenFile = "/var/lib/secrets/b";
      };
      says = "both a password and a token";
    }
    {
      settings.remoteWrite.office = server // {
        username = "me";
      };
      says = "go together";
    }
    {
      settings.remoteWrite.office = server // {
        username = "me";
        passwordFile = inStore;
      };
      says = "remoteWrite.office.passwordFile lies in the Nix store";
    }
    {
      settings.remoteWrite.office = server // {
        tokenFile = inStore;
      };
      says = "remoteWrite.office.tokenFile lies in the Nix store";
    }
    {
      settings = lib.recursiveUpdate agent { forward.url = server.url; };
      says = "Leave agent out";
    }
    {
      settings.forward = server // {
        user = "me";
      };
      says = "user and passwordFile go together";
    }
    {
      settings.forward = server // {
        user = "me";
        passwordFile = inStore;
      };
      says = "forward.passwordFile lies in the Nix store";
    }
    {
      settings.forward = server // {
        tokenFile = inStore;
      };
      says = "forward.tokenFile lies in the Nix store";
    }
    {
      settings.forward = server // {
        keyFile = inStore;
      };
      says = "forward.keyFile lies in the Nix store";
    }
    {
      settings.settings.forward = server;
      says = "below services.edgewatch.forward;";
    }
    {
      settings.settings.notify.ntfy.url = "https://ntfy.sh/topic";
      says = "below services.edgewatch.notify;";
    }
    {
      settings.settings.update.manifest = "https://updates.example.org/a.json";
      says = "below services.edgewatch.update;";
    }
    {
      settings = lib.recursiveUpdate agent { notify.ntfy.url = "https://ntfy.sh/topic"; };
      says = "let the centre tell";
    }
    {
      settings.notify.ntfy = {
        url = "https://ntfy.sh/topic";
        user = "me";
      };
      says = "notify.ntfy: user and passwordFile go together";
    }
    {
      settings.notify.telegram = {
        chat = "1";
        tokenFile = inStore;
      };
      says = "notify.telegram.tokenFile lies in the Nix store";
    }
    {
      settings = centre { usersFile = null; };
      says = "usersFile is not set";
    }
    {
      settings = centre { keyFile = inStore; };
      says = "keyFile lies in the Nix store";
    }
    {
      settings = lib.recursiveUpdate (centre { }) {
        elsewhere.grafana.settings.security.admin_password = "admin";
      };
      says = "admin_password";
    }
    {
      settings.notify.ping.urlFile = inStore;
      says = "notify.ping.urlFile lies in the Nix store";
    }
  ];

  doubts = [
    {
      settings.device.memory = "320M";
      says = "less than the 150M";
    }
    {
      settings.device.cpus = 1;
      says = "never holds anything back";
    }
    {
      settings.openFirewall = true;
      says = "services.edgewatch.openFirewall opens a port";
    }
    {
      settings.openFirewall = [ "eth0" ];
      says = "services.edgewatch.openFirewall opens a port";
    }
    {
      settings.grafana.openFirewall = true;
      says = "services.edgewatch.grafana.openFirewall opens a port";
    }
    {
      settings.storage.journalSize = "32M";
      says = "volatileJournal = true";
    }
  ];

  # None of these may be refused or doubted.
  fine = [
    { }
    {
      device = {
        memory = "512M";
        cpus = 4;
      };
      listenAddress = "0.0.0.0";
      usersFile = "/var/lib/secrets/users";
      openFirewall = [ "eth0" ];
      grafana.listenAddress = "192.168.1.5";
      storage = {
        volatileJournal = true;
        journalSize = "32M";
        noatime = true;
        dataPartition.device = "/dev/disk/by-label/data";
      };
    }
    {
      budget.prometheus.memory_max = "256M";
      grafana.mode = "off";
    }
    {
      grafana.mode = "always";
      prometheus.retention = "2d";
      prometheus.externalLabels.edge = "cabinet-7";
      prometheus.alertmanagers = [ "192.168.1.2:9093" ];
      elsewhere.prometheus = {
        webExternalUrl = "https://example.org/prometheus/";
        extraFlags = [
          "--enable-feature=native-histograms"
          "--web.route-prefix=/"
        ];
      };
      extraScrapeTargets.router = [ "router.lan:9100" ];
      remoteWrite.office = server // {
        username = "me";
        passwordFile = "/var/lib/secrets/a";
      };
    }
    agent
    (centre { })
    (centre { } // { enable = true; })
    # A Grafana that was there before.
    {
      elsewhere.grafana = {
        enable = true;
        settings = {
          security.secret_key = "$__file{/run/secrets/grafana}";
          server.domain = "dashboards.example.org";
        };
        provision.datasources.settings.datasources = [
          {
            name = "Office";
            type = "prometheus";
            url = "https://office.example.org";
          }
        ];
      };
    }
  ];

  refusals = mistakes ++ unheard;
  untested = lib.subtractLists (lib.concatMap (
    { failed, ... }: map ({ place, ... }: place) failed
  ) refusals) (map ({ place, ... }: place) (
    said "assertions" {
      forward = server;
      remoteWrite.office = server;
    }
  ));
  describe = { settings, says, ... }: "${says} (${builtins.toJSON settings})";
  untold =
    found:
    lib.filter (
      { says, ... }@mistake:
      let
        messages = found mistake;
      in
      lib.length messages != 1 || !lib.hasInfix says (lib.head messages)
    );
  failures = { failed, ... }: map ({ content, ... }: content.message) failed;
  wrong = untold failures refusals ++ untold ({ settings, ... }: warnings settings) doubts;
  refused = lib.concatMap (
    settings: failures { failed = failed settings; } ++ warnings settings
  ) fine;
in
lib.throwIf (wrong != [ ])
  "not told of as it should be: ${lib.concatMapStringsSep "; " describe wrong}"
  (
    lib.throwIf (refused != [ ]) "refused without need: ${toString refused}" (
      lib.throwIf (untested != [ ]) "never false: ${lib.concatStringsSep "; " untested}" (
        pkgs.runCommand "assertions" { } "touch $out"
      )
    )
  )
