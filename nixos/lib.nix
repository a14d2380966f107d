# What several subjects need.
{ lib }:
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

  isLoopback = address: lib.hasPrefix "127." address || address == "::1";
  isWildcard = address: address == "0.0.0.0" || address == "::";

  # Everybody on the device can read the store. Not lib.isStorePath, which knows only what lies directly in it.
  inStore = path: lib.hasPrefix builtins.storeDir (toString path);

  # ADDRESS:PORT as systemd and URLs write it.
  endpoint =
    address: port:
    (if lib.hasInfix ":" address then "[${address}]" else address) + ":" + toString port;

  # For files that serve other distributions too and hold a value as text: it must be there, once.
  replaceOnce =
    from: to: text:
    lib.throwIfNot (
      lib.length (lib.splitString from text) == 2
    ) "edgewatch: `${from}` is to be replaced, and is not in the text exactly once" (
      lib.replaceStrings [ from ] [ to ] text
    );

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
      type = lib.types.bool;
      default = false;
      example = true;
      description = "Whether to open the port of ${what} in the firewall.";
    };
}
