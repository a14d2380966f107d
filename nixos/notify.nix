# A person told of alerts: docs/notifications.md.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) types;
  shared = import ./lib.nix { inherit lib; };
  inherit (shared) moreKeys notInStore reach;
  inherit (config.services) edgewatch;
  cfg = edgewatch.notify;

  # The options of each receiver that name files on the device, by the key in its table.
  fileOptions = {
    ntfy = {
      urlFile = "url_file";
      passwordFile = "password_file";
      tokenFile = "bearer_token_file";
    };
    telegram.tokenFile = "token_file";
    mail.passwordFile = "password_file";
    webhook = {
      urlFile = "url_file";
      passwordFile = "password_file";
      tokenFile = "bearer_token_file";
    };
    ping.urlFile = "url_file";
  };
  # The options whose names are those of the keys.
  plainOptions = {
    ntfy = [
      "url"
      "user"
    ];
    telegram = [ "chat" ];
    mail = [
      "server"
      "user"
      "from"
      "to"
    ];
    webhook = [
      "url"
      "user"
      "format"
    ];
    ping = [
      "url"
      "every"
    ];
  };
  receivers = lib.filterAttrs (_: receiver: receiver != null) (
    lib.getAttrs (lib.attrNames plainOptions) cfg
  );

  credential = name: key: "notify-${name}-${key}";
  # Each file with a secret: of which receiver, by which option and key.
  files = lib.concatLists (
    lib.mapAttrsToList (
      name: receiver:
      lib.concatLists (
        lib.mapAttrsToList (
          option: key:
          lib.optional (receiver.${option} != null) {
            inherit name option key;
            file = receiver.${option};
          }
        ) fileOptions.${name}
      )
    ) receivers
  );

  table =
    name: receiver:
    lib.filterAttrs (_: value: value != null) (lib.getAttrs plainOptions.${name} receiver)
    // lib.listToAttrs (
      map ({ key, ... }: lib.nameValuePair key (credential name key)) (
        lib.filter (file: file.name == name) files
      )
    );

  led = cfg.settings.led or null;
  # Lights belong to root, and others show something else with them (a card, a disk).
  takeLight = pkgs.writeShellScript "edgewatch-light" ''
    cd /sys/class/leds/${lib.escapeShellArg (toString led)} || exit
    echo none >trigger
    ${lib.getExe' pkgs.coreutils "chmod"} o+w brightness
  '';
  proxy = cfg.settings.proxy or null;
  # An address in a file can be anywhere.
  targets =
    lib.mapAttrsToList (
      name: receiver:
      {
        telegram = "https://api.telegram.org";
        mail = receiver.server or null;
      }
      .${name} or (if receiver.url != null then receiver.url else "any.invalid")
    ) receivers
    ++ lib.optional (proxy != null) proxy;

  secretFile = shared.secretFile "edgewatch-outbound.service" "/var/lib/secrets/notify";

  text =
    example: description:
    lib.mkOption {
      type = types.nullOr types.str;
      default = null;
      inherit example description;
    };

  receiver =
    description: options:
    lib.mkOption {
      type = types.nullOr (types.submodule { inherit options; });
      default = null;
      inherit description;
    };
in
{
  options.services.edgewatch.notify = {
    device = text "cabinet-7" "The name of this device in messages; the host name, or what `forward.labels.edge` says, if it is not set.";

    link = text "http://cabinet-7.example.org:8000/" "The page of this device in messages; the host name and the port of the service if it is not set.";

    ntfy = receiver "ntfy. A server that is named and not numbered can be anywhere, so what sends may then exchange packets with any address." {
      url = text "https://ntfy.sh/TOPIC" "The address of the topic. Who knows it can read what is told.";
      urlFile = secretFile "that address";
      user = text "cabinet-7" "User that {option}`passwordFile` belongs to.";
      passwordFile = secretFile "the password of {option}`user`";
      tokenFile = secretFile "an access token";
    };

    telegram = receiver "Telegram." {
      tokenFile = secretFile "the token of the bot";
      chat = lib.mkOption {
        type = types.str;
        example = "123456";
        description = "The number of the chat, or `@name` of a public channel.";
      };
    };

    mail = receiver "Mail." {
      server = lib.mkOption {
        type = types.strMatching "smtps?://.+";
        example = "smtps://mail.example.org";
        description = "The mail server: `smtps://` for TLS from the first byte, `smtp://` for STARTTLS.";
      };
      user = text "cabinet-7@example.org" "User that {option}`passwordFile` belongs to.";
      passwordFile = secretFile "the password of {option}`user`";
      from = lib.mkOption {
        type = types.str;
        example = "Cabinet 7 <cabinet-7@example.org>";
        description = "The sender.";
      };
      to = lib.mkOption {
        type = types.nonEmptyListOf types.str;
        example = [ "me@example.org" ];
        description = "Who gets it.";
      };
    };

    webhook = receiver "A program of somebody else, which is sent JSON." {
      url = text "https://hooks.example.org/edgewatch" "Where it is sent.";
      urlFile = secretFile "that address";
      user = text "cabinet-7" "User that {option}`passwordFile` belongs to.";
      passwordFile = secretFile "the password of {option}`user`";
      tokenFile = secretFile "a bearer token";
      format = lib.mkOption {
        type = types.enum [
          "edgewatch"
          "alertmanager"
        ];
        default = "edgewatch";
        example = "alertmanager";
        description = "What is sent: the service's own JSON, or Alertmanager's.";
      };
    };

    ping = receiver "A dead man's switch, which is asked for as long as all is well." {
      url = text "http://192.168.1.4:3001/api/push/TOKEN" "The address that is asked.";
      urlFile = secretFile "that address";
      every = lib.mkOption {
        type = types.str;
        default = "5m";
        example = "10m";
        description = "How often.";
      };
    };

    settings = moreKeys "notify" {
      repeat = "12h";
      silence = [ "severity=info" ];
    };
  };

  config = lib.mkIf (edgewatch.enable && (receivers != { } || led != null)) {
    services.edgewatch.settings.notify = lib.mkMerge [
      cfg.settings
      (lib.filterAttrs (_: value: value != null) { inherit (cfg) device link; })
      (lib.mapAttrs table receivers)
    ];

    systemd.services.edgewatch-outbound.serviceConfig = {
      LoadCredential = map ({ name, key, file, ... }: "${credential name key}:${file}") files;
      IPAddressAllow = reach targets;
    }
    # A light that is not there is told of by the program, and the others are told all the same.
    // lib.optionalAttrs (led != null) {
      ReadWritePaths = [ "-/sys/class/leds/${led}" ];
      ExecStartPre = [ "+-${takeLight}" ];
    };

    assertions = [
      {
        assertion = !edgewatch.prometheus.agent;
        message = ''
          services.edgewatch.notify tells of alerts, and with prometheus.agent there are none on the device.
          Leave agent out, or let the centre tell.
        '';
      }
    ]
    ++ lib.concatMap (
      name:
      let
        half = (receivers.${name}.user == null) != (receivers.${name}.passwordFile == null);
      in
      lib.optional half {
        assertion = false;
        message = ''
          services.edgewatch.notify.${name}: user and passwordFile go together.
          Set the other one too, or neither.
        '';
      }
    ) (lib.filter (name: receivers.${name} ? user) (lib.attrNames receivers))
    ++ map ({ name, option, file, ... }: notInStore "notify.${name}.${option}" file) files;
  };
}
