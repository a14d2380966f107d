# Who listens where: no two at one port, no open firewall in front of what only the device itself can reach, and sockets that follow
# their addresses when the system is switched.
{ config, lib, ... }:
let
  inherit (import ./lib.nix { inherit lib; })
    endpoint
    grafanaInnerPort
    isLoopback
    isWildcard
    ;
  cfg = config.services.edgewatch;
  showsGrafana = cfg.grafana.mode != "off";

  ports = {
    inherit (cfg) port;
    "prometheus.port" = cfg.prometheus.port;
  }
  // lib.optionalAttrs showsGrafana {
    "grafana.port" = cfg.grafana.port;
    "Grafana itself, behind its socket," = grafanaInnerPort;
  };
  shared = lib.filterAttrs (_: names: lib.length names > 1) (
    lib.groupBy (name: toString ports.${name}) (lib.attrNames ports)
  );

  sockets = {
    # Prometheus asks the service on loopback, whatever else it listens on.
    edgewatch = map (address: endpoint address cfg.port) (
      lib.unique (lib.optional (!isWildcard cfg.listenAddress) "127.0.0.1" ++ [ cfg.listenAddress ])
    );
  }
  // lib.optionalAttrs showsGrafana {
    edgewatch-grafana = [ (endpoint cfg.grafana.listenAddress cfg.grafana.port) ];
  };

  openedForNobody =
    option: part:
    lib.optional (part.openFirewall != false && isLoopback part.listenAddress) ''
      services.edgewatch.${option}openFirewall opens a port at which only the device itself is listened to.
      Set services.edgewatch.${option}listenAddress to an address of the network, or leave openFirewall out.
    '';
in
{
  config = lib.mkIf cfg.enable {
    systemd.sockets = lib.mkMerge [
      (lib.mapAttrs (name: addresses: {
        # NixOS does not read [Install].
        wantedBy = [ "sockets.target" ];
        listenStreams = [ "" ] ++ addresses;
        unitConfig.PartOf = "${name}-address.service";
      }) sockets)
      # The package brings its units along all the same, and what is not masked goes on after a switch.
      { edgewatch-grafana.enable = showsGrafana; }
    ];
    systemd.services.edgewatch-grafana.enable = showsGrafana;

    # A switch leaves a socket whose unit has changed as it is (nixpkgs#74899): the old address, or none, until the next boot. What it does
    # restart is a service. So this one does nothing but change with the addresses; its restart takes the socket along (PartOf=), and that
    # the service behind it (Requires=). It is written as text because NixOS gives a service a PATH, and with that a reason to restart, and
    # to refuse connections meanwhile, in every update of coreutils.
    systemd.units = lib.mapAttrs' (
      name: addresses:
      lib.nameValuePair "${name}-address.service" {
        wantedBy = [ "multi-user.target" ];
        text = ''
          [Unit]
          Description=Restarts ${name}.socket when its addresses change
          X-Restart-Triggers=${toString addresses}

          [Service]
          Type=oneshot
          RemainAfterExit=yes
          ExecStart=/bin/sh -c :
          X-StopIfChanged=false
        '';
      }
    ) sockets;

    assertions = [
      {
        assertion = shared == { };
        message = ''
          services.edgewatch: ${
            lib.concatStringsSep "; " (
              lib.mapAttrsToList (port: names: "${lib.concatStringsSep " and " names} are both ${port}") shared
            )
          }.
          Give each a port of its own.
        '';
      }
    ];

    warnings =
      openedForNobody "" cfg ++ lib.optionals showsGrafana (openedForNobody "grafana." cfg.grafana);
  };
}
