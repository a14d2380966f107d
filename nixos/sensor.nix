# The sensor service: its units come from the package, its settings are checked when the system is built.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) types;
  inherit (import ./lib.nix { inherit lib; })
    isLoopback
    listenAddress
    notInStore
    openFirewall
    opened
    ;
  cfg = config.services.edgewatch;
  format = pkgs.formats.toml { };

  unchecked = format.generate "edgewatch.toml" cfg.settings;
  # --print-config judges every key and opens none of the files that they name: those are on the device, not where it is built, and so are
  # the authorities that it trusts. A program for another CPU cannot be asked: there a mistake shows when the service starts.
  checked =
    if pkgs.stdenv.buildPlatform.canExecute pkgs.stdenv.hostPlatform then
      pkgs.runCommand "edgewatch.toml" { } ''
        ${lib.getExe cfg.package} serve --print-config --config ${unchecked} >/dev/null
        cp ${unchecked} $out
      ''
    else
      unchecked;
in
{
  options.services.edgewatch = {
    settings = lib.mkOption {
      type = types.submodule { freeformType = format.type; };
      default = { };
      example = lib.literalExpression ''
        {
          log.level = "debug";
          sources.thermal.period = "2s";
        }
      '';
      description = ''
        Settings of the sensor service, as docs/configuration.md lists them. They are checked when the system is built;
        the files that they name are on the device, and looked at when the service starts.
        The address is not set here but with {option}`services.edgewatch.listenAddress` and {option}`services.edgewatch.port`,
        because the socket belongs to systemd.
      '';
    };

    listenAddress = listenAddress "the sensor service";

    port = lib.mkOption {
      type = types.port;
      default = 8000;
      example = 8080;
      description = "Port of the sensor service.";
    };

    usersFile = lib.mkOption {
      type = types.nullOr types.str;
      default = null;
      example = "/var/lib/secrets/edgewatch-users";
      description = ''
        File on the device with lines of `user:bcrypt-hash` (`htpasswd -nB USER`). With it the service asks for a password,
        except of clients on the device itself. systemd reads the file as root and hands it over as a credential.
      '';
    };

    openFirewall = openFirewall "the sensor service";
  };

  config = lib.mkIf cfg.enable {
    environment.systemPackages = [ cfg.package ];
    environment.etc."edgewatch/edgewatch.toml".source = checked;
    networking.firewall = opened cfg.openFirewall cfg.port;

    services.edgewatch.settings = lib.mkMerge [
      {
        prometheus.url = lib.mkDefault "http://127.0.0.1:${toString cfg.prometheus.port}";
        prometheus.scrape_interval = lib.mkDefault cfg.prometheus.scrapeInterval;
      }
      (lib.mkIf (cfg.dashboards != [ ]) {
        dashboards.directories = lib.mkDefault (
          [ "/etc/edgewatch/dashboards" ] ++ map (path: "${path}") cfg.dashboards
        );
      })
      (lib.mkIf (cfg.usersFile != null) {
        auth.users_file = "users";
        auth.trust_loopback = lib.mkDefault true;
      })
    ];

    systemd.packages = [ cfg.package ];
    services.udev.packages = [ cfg.package ];

    systemd.services.edgewatch = {
      # NixOS does not read [Install].
      wantedBy = [ "multi-user.target" ];
      # Else a switch would stop the socket together with the service, and refuse connections until both are there again.
      stopIfChanged = false;
      # A reload takes over all settings but these.
      reloadTriggers = [ checked ];
      restartTriggers = [ (builtins.toJSON (cfg.settings.http or { })) ];
      serviceConfig = {
        LoadCredential = lib.mkIf (cfg.usersFile != null) [
          ""
          "users:${cfg.usersFile}"
        ];
      };
    };

    # The socket between the service and the program that shows dashboards belongs to this group.
    users.groups.edgewatch-sockets = { };
    # NixOS does not read [Install].
    systemd.sockets.edgewatch-dashboards.wantedBy = [ "sockets.target" ];
    # Else a switch would stop the socket together with the program, and refuse whoever looks until both are there again.
    systemd.services.edgewatch-dashboards.stopIfChanged = false;

    assertions = [
      {
        assertion =
          isLoopback cfg.listenAddress || cfg.usersFile != null || (cfg.settings.http.insecure or false);
        message = ''
          services.edgewatch.listenAddress = "${cfg.listenAddress}" lets others in without a password.
          Set services.edgewatch.usersFile, or services.edgewatch.settings.http.insecure = true to let everybody in the network read.
        '';
      }
      (notInStore "usersFile" cfg.usersFile)
    ];
  };
}
