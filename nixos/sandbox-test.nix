# What the sandboxes let through, by the options that need it: the network, secrets and hardware. A mistake would evaluate, and be noticed on
# the device.
{ pkgs }:
let
  inherit (pkgs) lib;
  with' = import ./configured.nix { inherit pkgs; };
  mayReach = settings: (with' settings).systemd.services.prometheus.serviceConfig.IPAddressAllow;
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
}
