# What settings of the module lead to, where a mistake would evaluate and be noticed on the device, or never.
{ pkgs }:
let
  inherit (pkgs) lib;
  evaluate = import ./evaluate.nix { inherit pkgs; };
  with' = import ./configured.nix { inherit pkgs; };
  appliance =
    (import ./hosts/appliance.nix {
      inherit lib;
      config = { };
      modulesPath = "";
    }).services.edgewatch;
  addressUnit = settings: (with' settings).systemd.units."edgewatch-address.service".text;
  configuration = settings: (with' settings).services.prometheus.configText;
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
