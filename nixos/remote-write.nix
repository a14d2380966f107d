# Samples sent to other servers, with queues that are bounded and secrets that systemd hands over.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) types;
  shared = import ./lib.nix { inherit lib; };
  inherit (shared) notInStore reach;
  inherit (config.services) edgewatch;
  servers = edgewatch.remoteWrite;
  format = pkgs.formats.json { };

  addressesOf =
    server: [ server.url ] ++ lib.optional (server.settings ? proxy_url) server.settings.proxy_url;
  secretOf = server: if server.passwordFile != null then server.passwordFile else server.tokenFile;
  credential = name: "remote-write-${name}";
  secrets = lib.filterAttrs (_: server: secretOf server != null) servers;

  entry =
    name: server:
    let
      file = "/run/credentials/prometheus.service/${credential name}";
    in
    lib.recursiveUpdate (
      {
        inherit name;
        inherit (server) url;
        remote_timeout = "30s";
        # Prometheus would start up to 50 senders, each with its buffers. What does not fit waits in the write-ahead log.
        queue_config = {
          max_shards = 2;
          capacity = 2500;
          max_samples_per_send = 500;
          max_backoff = "1m";
        };
      }
      // lib.optionalAttrs (server.passwordFile != null) {
        basic_auth = {
          inherit (server) username;
          password_file = file;
        };
      }
      // lib.optionalAttrs (server.tokenFile != null) { authorization.credentials_file = file; }
    ) server.settings;

  secretFile = shared.secretFile "Prometheus" "/var/lib/secrets/remote-write";
in
{
  options.services.edgewatch.remoteWrite = lib.mkOption {
    default = { };
    example = {
      office = {
        url = "https://metrics.example.org/api/v1/write";
        username = "cabinet-7";
        passwordFile = "/var/lib/secrets/remote-write";
      };
    };
    description = ''
      Servers to which Prometheus sends every sample: a name of your choice for each, of letters, digits, `-` and `_`. After an outage up to
      two hours are sent later. A server that is named and not numbered can be anywhere, so Prometheus may then exchange packets with any address.
    '';
    type = types.attrsOf (
      types.submodule {
        options = {
          url = lib.mkOption {
            type = types.strMatching "https?://.+";
            example = "https://metrics.example.org/api/v1/write";
            description = "Where the server takes samples.";
          };

          username = lib.mkOption {
            type = types.nullOr types.str;
            default = null;
            example = "cabinet-7";
            description = "User that {option}`passwordFile` belongs to.";
          };

          passwordFile = secretFile "the password of {option}`username`";
          tokenFile = secretFile "a bearer token";

          settings = lib.mkOption {
            inherit (format) type;
            default = { };
            example = {
              write_relabel_configs = [
                {
                  source_labels = [ "__name__" ];
                  regex = "up|edge_.*";
                  action = "keep";
                }
              ];
            };
            description = "More settings of this entry of Prometheus' `remote_write`.";
          };
        };
      }
    );
  };

  config = lib.mkIf edgewatch.enable {
    services.edgewatch.prometheus.extraSections = lib.mkIf (servers != { }) {
      remote_write = lib.mapAttrsToList entry servers;
    };

    # Each server that cannot be reached would hold a stop up for a minute, and systemd kills after one. What is not sent stays in the log.
    services.prometheus.extraFlags = lib.mkIf (servers != { }) [
      "--storage.remote.flush-deadline=5s"
    ];

    # promtool looks for the files, which are only on the device.
    services.prometheus.checkConfig = lib.mkIf (secrets != { }) "syntax-only";

    systemd.services.prometheus.serviceConfig = {
      LoadCredential = lib.mapAttrsToList (name: server: "${credential name}:${secretOf server}") secrets;
      IPAddressAllow = reach (lib.concatMap addressesOf (lib.attrValues servers));
    };

    assertions =
      let
        names = lib.attrNames servers;
        badNames = lib.filter (name: builtins.match "[A-Za-z0-9_-]+" name == null) names;
        twice = lib.filter (
          name: servers.${name}.passwordFile != null && servers.${name}.tokenFile != null
        ) names;
        half = lib.filter (
          name: (servers.${name}.username == null) != (servers.${name}.passwordFile == null)
        ) names;
        list = lib.concatStringsSep ", ";
      in
      [
        {
          assertion = badNames == [ ];
          message = ''
            services.edgewatch.remoteWrite: a name may have letters, digits, - and _ only, because it names a credential too.
            Rename ${list badNames}.
          '';
        }
        {
          assertion = twice == [ ];
          message = ''
            services.edgewatch.remoteWrite.${list twice} has both a password and a token, and a server takes one of them.
            Leave out passwordFile or tokenFile.
          '';
        }
        {
          assertion = half == [ ];
          message = ''
            services.edgewatch.remoteWrite.${list half}: username and passwordFile go together.
            Set the other one too, or neither.
          '';
        }
      ]
      ++ lib.concatMap (name: [
        (notInStore "remoteWrite.${name}.passwordFile" servers.${name}.passwordFile)
        (notInStore "remoteWrite.${name}.tokenFile" servers.${name}.tokenFile)
      ]) names;
  };
}
