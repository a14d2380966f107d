# What several subjects need.
{ lib }:
let
  isLoopback = address: lib.hasPrefix "127." address || address == "::1";
  notInStoreAt = option: file: {
    assertion = file == null || !lib.hasPrefix builtins.storeDir (toString file);
    message = ''
      ${option} lies in the Nix store, which everybody on the device can read.
      Put the file on the device by other means and name it as a string, such as "/var/lib/secrets/NAME".
    '';
  };
in
{
  # "96M" as a number of bytes.
  bytes =
    size:
    let
      parts = builtins.match "([0-9]+)([KMG]?)" size;
      unit = {
        "" = 1;
        K = 1024;
        M = 1024 * 1024;
        G = 1024 * 1024 * 1024;
      };
    in
    lib.toInt (lib.head parts) * unit.${lib.last parts};

  # Grafana is always behind a socket, so that its sandbox needs no network. edgewatch-grafana.service knows this port.
  grafanaInnerPort = 3001;

  inherit isLoopback;
  isWildcard = address: address == "0.0.0.0" || address == "::";

  # ADDRESS:PORT as systemd and URLs write it.
  endpoint =
    address: port: (if lib.hasInfix ":" address then "[${address}]" else address) + ":" + toString port;

  # "1m30s" in milliseconds, as far as Prometheus and systemd mean the same by it.
  milliseconds =
    duration:
    let
      unit = {
        ms = 1;
        s = 1000;
        m = 60 * 1000;
        min = 60 * 1000;
        h = 3600 * 1000;
        d = 24 * 3600 * 1000;
        w = 7 * 24 * 3600 * 1000;
        y = 365 * 24 * 3600 * 1000;
      };
      parts = lib.filter lib.isList (builtins.split "([0-9]+)([a-z]+)" duration);
    in
    lib.foldl' (total: part: total + lib.toInt (lib.head part) * unit.${lib.last part}) 0 parts;

  # An option for a file with a secret on the device, which systemd hands as a credential to `reader`.
  secretFile =
    reader: example: what:
    lib.mkOption {
      type = lib.types.nullOr lib.types.str;
      default = null;
      inherit example;
      description = "File on the device with ${what}. systemd hands it to ${reader} as a credential.";
    };

  # An option for more keys of a table of the service's settings than have an option of their own.
  moreKeys =
    table: example:
    lib.mkOption {
      type = with lib.types; attrsOf anything;
      default = { };
      inherit example;
      description = "More keys of `[${table}]`, as docs/configuration.md lists them.";
    };

  # What IPAddressAllow= must say so that these URLs, or HOST:PORT, can be reached: a name can lead anywhere, and asks a name server. The
  # device itself is left out, because the units allow it anyway: naming it would change them, and restart what a reload is enough for.
  reach =
    targets:
    let
      hostOf =
        target:
        let
          parts = builtins.match "([a-z0-9]+://)?([^@/]*@)?(\\[([^]]*)]|[^:/]*)(:.*|/.*)?" target;
          host = if lib.elemAt parts 3 != null then lib.elemAt parts 3 else lib.elemAt parts 2;
          isNumber = builtins.match "[0-9.]+|.*:.*" host != null;
        in
        if parts != null && (host == "localhost" || isNumber) then host else "any";
    in
    lib.unique (lib.filter (host: host != "localhost" && !isLoopback host) (map hostOf targets));

  # For files that serve other distributions too and hold a value as text: it must be there, once.
  replaceOnce =
    from: to: text:
    lib.throwIfNot (lib.length (lib.splitString from text) == 2)
      "edgewatch: `${from}` is to be replaced, and is not in the text exactly once"
      (lib.replaceStrings [ from ] [ to ] text);

  # An option of another module that is ours to set. We set it as a default, so that a definition elsewhere does not end in a conflict that
  # tells of lib.mkForce, but in this.
  ours = option: value: mustBe: instead: {
    assertion = value == mustBe;
    message = ''
      ${option} = ${builtins.toJSON value} cannot hold: edgewatch needs ${builtins.toJSON mustBe} there.
      ${instead}
    '';
  };

  # A file on the device, never one of the store.
  notInStore = option: notInStoreAt "services.edgewatch.${option}";

  inherit notInStoreAt;

  # The sandbox of services of ours outside of the stack, whose units have it from a drop-in of the package (systemd.exec(5)).
  hardened = {
    LockPersonality = true;
    MemoryDenyWriteExecute = true;
    PrivateDevices = true;
    ProtectClock = true;
    ProtectControlGroups = true;
    ProtectHome = true;
    ProtectHostname = true;
    ProtectKernelLogs = true;
    ProtectKernelModules = true;
    ProtectKernelTunables = true;
    RestrictNamespaces = true;
    RestrictRealtime = true;
    SystemCallArchitectures = "native";
  };

  # A file of sections with `key = value` lines. A value with an @PLACEHOLDER@ is left out: who reads the file gives it.
  readINI =
    file:
    let
      value =
        text:
        if text == "true" then
          true
        else if text == "false" then
          false
        else
          text;
      step =
        { section, settings }@state:
        line:
        let
          header = builtins.match "\\[(.*)]" line;
          pair = builtins.match "([a-z_]+) = ([^@]*)" line;
        in
        if header != null then
          state // { section = lib.head header; }
        else if pair != null then
          {
            inherit section;
            settings = lib.recursiveUpdate settings {
              ${section}.${lib.head pair} = value (lib.last pair);
            };
          }
        else
          state;
      start = {
        section = "";
        settings = { };
      };
    in
    (lib.foldl' step start (lib.splitString "\n" (lib.readFile file))).settings;

  # An address that only the device itself reaches, unless told otherwise.
  listenAddress =
    what:
    lib.mkOption {
      type = lib.types.strMatching "[0-9a-fA-F.:]+";
      default = "127.0.0.1";
      example = "0.0.0.0";
      description = "IP address at which ${what} listens.";
    };

  openFirewall =
    what:
    lib.mkOption {
      type = with lib.types; either bool (listOf str);
      default = false;
      example = [ "eth0" ];
      description = "Whether to open the port of ${what} in the firewall; or the interfaces at which to open it.";
    };

  # networking.firewall for such an option.
  opened =
    option: port:
    if lib.isBool option then
      { allowedTCPPorts = lib.optional option port; }
    else
      { interfaces = lib.genAttrs option (_: { allowedTCPPorts = [ port ]; }); };
}
