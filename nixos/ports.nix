# Who listens where: no two at one port, and no open firewall in front of what only the device itself can reach.
{ config, lib, ... }:
let
  inherit (import ./lib.nix { inherit lib; }) grafanaInnerPort isLoopback;
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

  openedForNobody =
    option: part:
    lib.optional (part.openFirewall && isLoopback part.listenAddress) ''
      services.edgewatch.${option}openFirewall opens a port at which only the device itself is listened to.
      Set services.edgewatch.${option}listenAddress to an address of the network, or leave openFirewall out.
    '';
in
{
  config = lib.mkIf cfg.enable {
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
