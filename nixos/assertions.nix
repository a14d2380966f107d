# Every assertion of the module: the mistake, and words of the message that tells of it. Evaluated, never booted.
{ pkgs }:
let
  inherit (pkgs) lib;
  failures =
    settings:
    let
      system = import (pkgs.path + "/nixos/lib/eval-config.nix") {
        inherit lib;
        system = null;
        modules = [
          ./.
          {
            nixpkgs = { inherit pkgs; };
            system.stateVersion = lib.trivial.release;
            services.edgewatch = lib.recursiveUpdate { enable = true; } settings;
          }
        ];
      };
    in
    lib.concatMap (
      { assertion, message }: lib.optional (!assertion && lib.hasInfix "edgewatch" message) message
    ) system.config.assertions;

  mistakes = [
    {
      settings.budget.prometheus.memory_max = "200M";
      says = "above the total of 300M";
    }
    {
      settings.budget.edgewatch.memory_low = "32M";
      says = "above the total of 48M";
    }
    {
      settings.budget.grafana.memory_high = "181M";
      says = "Lower memory_high";
    }
    {
      settings.listenAddress = "0.0.0.0";
      says = "services.edgewatch.usersFile, or";
    }
    {
      settings.usersFile = "${builtins.storeDir}/users";
      says = "usersFile lies in the Nix store";
    }
    {
      settings.grafana = {
        listenAddress = "0.0.0.0";
        anonymousViewer = true;
      };
      says = "anonymousViewer = false";
    }
    {
      settings.grafana.port = 3001;
      says = "Choose another port";
    }
    {
      settings.grafana.adminPasswordFile = "${builtins.storeDir}/password";
      says = "the file with admin_password lies in the Nix store";
    }
    {
      settings.grafana.secretKeyFile = "${builtins.storeDir}/key";
      says = "the file with secret_key lies in the Nix store";
    }
  ];
  # None of these may be refused.
  fine = [
    { }
    {
      listenAddress = "0.0.0.0";
      usersFile = "/var/lib/secrets/users";
      grafana.listenAddress = "192.168.1.5";
    }
    {
      budget.prometheus.memory_max = "276M";
      grafana.mode = "off";
    }
    {
      grafana.mode = "always";
      prometheus.retention = "2d";
    }
  ];

  unnoticed = lib.filter (
    { settings, says }:
    let
      messages = failures settings;
    in
    lib.length messages != 1 || !lib.hasInfix says (lib.head messages)
  ) mistakes;
  refused = lib.concatMap failures fine;
in
lib.throwIf (unnoticed != [ ])
  "not told of as it should be: ${lib.concatMapStringsSep "; " ({ says, ... }: says) unnoticed}"
  (
    lib.throwIf (refused != [ ]) "refused without need: ${toString refused}" (
      pkgs.runCommand "assertions" { } "touch $out"
    )
  )
