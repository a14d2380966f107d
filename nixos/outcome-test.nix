# What settings of the module lead to, where a mistake would evaluate and be noticed on the device, or never.
{ pkgs }:
let
  inherit (pkgs) lib;
  evaluate = import ./evaluate.nix { inherit pkgs; };
  with' =
    settings:
    (evaluate { services.edgewatch = lib.recursiveUpdate { enable = true; } settings; }).config;
  appliance =
    (import ./hosts/appliance.nix {
      inherit lib;
      config = { };
      modulesPath = "";
    }).services.edgewatch;
  addressUnit = settings: (with' settings).systemd.units."edgewatch-address.service".text;
  configuration = settings: (with' settings).services.prometheus.configText;
  mayReach = settings: (with' settings).systemd.services.prometheus.serviceConfig.IPAddressAllow;
  history =
    fsType:
    (with' {
      storage.dataPartition = {
        inherit fsType;
        device = "/dev/disk/by-label/data";
      };
    }).fileSystems."/var/lib/prometheus2".options;
  dirtyExpire =
    storage: (with' { inherit storage; }).boot.kernel.sysctl."vm.dirty_expire_centisecs" or null;
in
lib.runTests {
  # Else a switch would restart it, and miss scrapes, for each new target.
  testTargetsOnTheDeviceLeaveTheUnitAlone = {
    expr = mayReach {
      extraScrapeTargets.one = [
        "127.0.0.1:9100"
        "localhost:9200"
      ];
    };
    expected = [ ];
  };

  testWhatIsNamedMayBeReached = {
    expr = mayReach {
      prometheus.alertmanagers = [ "192.168.1.2:9093" ];
      extraScrapeTargets.router = [ "192.168.1.1:9100" ];
      remoteWrite.office.url = "http://192.168.1.3/write";
    };
    expected = [
      "192.168.1.1"
      "192.168.1.2"
      "192.168.1.3"
    ];
  };

  testWhatExtraScrapeConfigsNameMayBeReached = {
    expr =
      let
        mayReachFor =
          job: mayReach { prometheus.extraScrapeConfigs = [ ({ job_name = "extra"; } // job) ]; };
      in
      map mayReachFor [
        { static_configs = [ { targets = [ "192.168.1.1:9100" ]; } ]; }
        { static_configs = [ { targets = [ "127.0.0.1:9100" ]; } ]; }
        { static_configs = [ { targets = [ "router.lan:9100" ]; } ]; }
        { file_sd_configs = [ { files = [ "/var/lib/targets.json" ]; } ]; }
        {
          # The target is a parameter of an exporter that asks others (blackbox, SNMP).
          static_configs = [ { targets = [ "192.168.1.1" ]; } ];
          relabel_configs = [
            {
              target_label = "__address__";
              replacement = "192.168.1.9:9116";
            }
          ];
        }
        {
          static_configs = [ { targets = [ "127.0.0.1:9100" ]; } ];
          proxy_url = "http://192.168.1.8:3128";
        }
      ];
    expected = [
      [ "192.168.1.1" ]
      [ ]
      [ "any" ]
      [ "any" ]
      [
        "192.168.1.1"
        "192.168.1.9"
      ]
      [ "192.168.1.8" ]
    ];
  };

  testAProxyOfAServerMayBeReached = {
    expr = mayReach {
      remoteWrite.office = {
        url = "http://192.168.1.3/write";
        settings.proxy_url = "http://192.168.1.8:3128";
      };
    };
    expected = [
      "192.168.1.3"
      "192.168.1.8"
    ];
  };

  # What connects to nowhere by itself may not, and what forwards has all that it needs.
  testForwardingOpensTheSandboxAndNothingElseDoes = {
    expr =
      map
        (
          settings:
          let
            config' = with' settings;
            serviceConfig = config'.systemd.services.edgewatch-outbound.serviceConfig or { };
          in
          {
            reach = serviceConfig.IPAddressAllow or [ ];
            # Of the service, which the network may ask.
            sensor = config'.systemd.services.edgewatch.serviceConfig.IPAddressAllow or [ ];
            kept = config'.services.edgewatch.prometheus.retention;
            forward = config'.services.edgewatch.settings.forward or null;
          }
        )
        [
          { }
          {
            usersFile = "/var/lib/secrets/users";
            forward = {
              url = "https://192.168.1.3/api/v1/write";
              user = "gate";
              passwordFile = "/var/lib/secrets/centre";
              labels.site = "north";
              settings.window = "10m";
            };
          }
          {
            forward.url = "https://centre.example.org/api/v1/write";
            prometheus.retention = "3d";
          }
        ];
    expected = [
      {
        reach = [ ];
        sensor = [ ];
        kept = "12h";
        forward = null;
      }
      {
        reach = [
          ""
          "localhost"
          "192.168.1.3"
        ];
        sensor = [ ];
        kept = "15d";
        forward = {
          url = "https://192.168.1.3/api/v1/write";
          profile = "full";
          compression = "snappy";
          labels.site = "north";
          user = "gate";
          password_file = "forward-password_file";
          window = "10m";
        };
      }
      {
        reach = [
          ""
          "localhost"
          "any"
        ];
        sensor = [ ];
        kept = "3d";
        forward = {
          url = "https://centre.example.org/api/v1/write";
          profile = "full";
          compression = "snappy";
          labels = { };
        };
      }
    ];
  };

  # It is enrolled by a file on its boot partition, so that no option says that it forwards.
  testAnImageKeepsDaysForACentre = {
    expr =
      map
        (
          settings:
          (with' (lib.recursiveUpdate appliance settings)).services.edgewatch.prometheus.retention
        )
        [
          { }
          { forward.url = "https://centre.example.org/api/v1/write"; }
        ];
    expected = [
      "15d"
      "15d"
    ];
  };

  testItsSecretsAreNotThoseOfTheService = {
    expr =
      (with' {
        usersFile = "/var/lib/secrets/users";
        forward.url = "https://centre.example.org/api/v1/write";
        forward.tokenFile = "/var/lib/secrets/centre";
      }).systemd.services.edgewatch-outbound.serviceConfig.LoadCredential;
    expected = [
      "forward-bearer_token_file:/var/lib/secrets/centre"
    ];
  };

  testNotificationHasAllThatItNeeds = {
    expr =
      let
        config' = with' {
          notify = {
            device = "cabinet-7";
            settings.repeat = "12h";
            ntfy = {
              url = "https://192.168.1.4/alerts";
              tokenFile = "/var/lib/secrets/ntfy";
            };
            mail = {
              server = "smtp://192.168.1.5:587";
              from = "a@example.org";
              to = [ "b@example.org" ];
            };
          };
        };
        inherit (config'.systemd.services.edgewatch-outbound) serviceConfig;
      in
      {
        inherit (config'.services.edgewatch.settings) notify;
        reach = serviceConfig.IPAddressAllow;
        credentials = serviceConfig.LoadCredential;
      };
    expected = {
      notify = {
        device = "cabinet-7";
        repeat = "12h";
        ntfy = {
          url = "https://192.168.1.4/alerts";
          bearer_token_file = "notify-ntfy-bearer_token_file";
        };
        mail = {
          server = "smtp://192.168.1.5:587";
          from = "a@example.org";
          to = [ "b@example.org" ];
        };
      };
      reach = [
        ""
        "localhost"
        "192.168.1.5"
        "192.168.1.4"
      ];
      credentials = [ "notify-ntfy-bearer_token_file:/var/lib/secrets/ntfy" ];
    };
  };

  testALightCanBeSwitched = {
    expr =
      let
        config' = with' { notify.settings.led = "ACT"; };
        inherit (config'.systemd.services.edgewatch-outbound) serviceConfig;
      in
      {
        inherit (serviceConfig) IPAddressAllow ReadWritePaths;
        isPrepared = serviceConfig ? ExecStartPre;
      };
    expected = {
      IPAddressAllow = [
        ""
        "localhost"
      ];
      ReadWritePaths = [ "-/sys/class/leds/ACT" ];
      isPrepared = true;
    };
  };

  # The one unit that a switch restarts for a socket: by nothing but its addresses, or updates would close the port for a moment.
  testOnlyAddressesChangeTheAddressUnit = {
    expr = map (settings: addressUnit settings == addressUnit { }) [
      { port = 8080; }
      { listenAddress = "192.168.1.5"; }
      { settings.http.keep_alive = "30s"; }
      { package = pkgs.hello; }
    ];
    expected = [
      false
      false
      true
      true
    ];
  };
  testNoPlaceOfTheStoreChangesIt = {
    expr = lib.hasInfix builtins.storeDir (addressUnit { });
    expected = false;
  };

  testWithoutGrafanaItsUnitsAreMasked = {
    expr =
      map (mode: (with' { grafana = { inherit mode; }; }).systemd.sockets.edgewatch-grafana.enable)
        [
          "on-demand"
          "off"
        ];
    expected = [
      true
      false
    ];
  };

  # It may be there for something else, with a database of its own and people who come from the network.
  testAGrafanaThatIsNotOfTheStackIsLeftAlone = {
    expr =
      map
        (
          mode:
          let
            config' = with' { grafana = { inherit mode; }; };
            inherit (config'.systemd) packages;
            inherit (config'.services.edgewatch.package) postInstall;
            files = lib.concatMap (package: lib.attrNames (package.entries or { })) packages;
            ofGrafana = lib.filter (lib.hasInfix "/grafana.service.d/") files;
          in
          {
            dropIns = lib.naturalSort (map baseNameOf ofGrafana);
            inPackage = lib.hasInfix "/grafana.service.d" postInstall;
          }
        )
        [
          "on-demand"
          "off"
        ];
    expected = [
      {
        dropIns = [
          "10-edgewatch-sandbox.conf"
          "edgewatch.conf"
          "limits.conf"
        ];
        inPackage = false;
      }
      {
        dropIns = [ ];
        inPackage = false;
      }
    ];
  };

  testOneDataSourceIsTheDefaultWhereACentreIsADeviceToo = {
    expr =
      map
        (
          mode:
          let
            system = evaluate {
              imports = [ ./centre.nix ];
              services.edgewatch-centre.enable = true;
              services.edgewatch = {
                enable = true;
                grafana = { inherit mode; };
              };
            };
            inherit (system.config.services.grafana.provision.datasources.settings) datasources;
          in
          map (source: source.name) (lib.filter (source: source.isDefault or false) datasources)
        )
        [
          "on-demand"
          "off"
        ];
    expected = [
      [ "Prometheus" ]
      [ "Fleet" ]
    ];
  };

  testLabelsAndAlertmanagersAreInTheConfiguration = {
    expr =
      let
        text = configuration {
          prometheus.externalLabels.edge = "cabinet-7";
          prometheus.alertmanagers = [ "192.168.1.2:9093" ];
        };
      in
      map (part: lib.hasInfix part text) [
        "\n  scrape_timeout: 10s\n  external_labels: {\"edge\":\"cabinet-7\"}\n"
        "\nalerting: {\"alertmanagers\":[{\"static_configs\":[{\"targets\":[\"192.168.1.2:9093\"]}]}]}\n"
      ];
    expected = [
      true
      true
    ];
  };

  testThePortOpensAtTheInterfacesNamed = {
    expr =
      (with' {
        port = 8080;
        openFirewall = [ "eth0" ];
        grafana.mode = "off";
      }).networking.firewall;
    expected.interfaces.eth0.allowedTCPPorts = [ 8080 ];
  };

  testTheKernelIsAskedToLimitAndToMeasure = {
    expr = (with' { }).boot.kernelParams;
    expected = [
      "cgroup_enable=memory"
      "psi=1"
    ];
  };

  # Else a power cut soon after an update leaves files without content in the system that starts next.
  testWhatIsInstalledIsOnTheDiskBeforeItCounts = {
    expr = (with' { }).nix.settings.fsync-store-paths;
    expected = true;
  };

  # Other file systems refuse the option, and the mount with it.
  testTheJournalIsWrittenOncePerMinuteWhereItCanBe = {
    expr = map (fsType: lib.elem "commit=60" (history fsType)) [
      "ext4"
      "btrfs"
      "xfs"
      "f2fs"
    ];
    expected = [
      true
      true
      false
      false
    ];
  };
  testTheRootFileSystemToo = {
    expr = (with' { storage.lazyCommit = true; }).fileSystems."/".options;
    expected = [ "commit=60" ];
  };
  testWhatIsWrittenRestsInMemoryOnlyWhereAskedFor = {
    expr = map dirtyExpire [
      { }
      { lazyCommit = true; }
      { dataPartition.device = "/dev/disk/by-label/data"; }
    ];
    expected = [
      null
      12000
      12000
    ];
  };
  # A rule of udev lets it rest at all.
  testTheRulesOfThePackageHold = {
    expr = map lib.getName (with' { }).services.udev.packages;
    expected = [ "edgewatch" ];
  };
}
