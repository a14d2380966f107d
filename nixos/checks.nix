# What `nix flake check` looks at without booting a machine.
{ pkgs, edgewatch }:
let
  inherit (pkgs) lib;
  nixFiles = lib.fileset.toSource {
    root = ../.;
    fileset = lib.fileset.fileFilter (file: file.hasExt "nix") ../.;
  };
  check =
    name: tools: command:
    pkgs.runCommand name { nativeBuildInputs = tools; } ''
      ${command}
      touch $out
    '';
  # Options that docs/nixos.md does not tell of. The budget's are budget.toml's.
  undocumented = lib.filter (name: !lib.hasInfix "`${name}`" (lib.readFile ../docs/nixos.md)) (
    lib.filter
      (name: !lib.hasPrefix "budget." name && !lib.hasInfix "<" name && !lib.hasInfix "_module" name)
      (
        map ({ name, ... }: lib.removePrefix "services.edgewatch." name) (
          lib.optionAttrSetToDocList (import ./options.nix { inherit pkgs; }).options
        )
      )
  );
  # Another command of cargo's on the sources and libraries of the package.
  cargo =
    name: tool: command:
    edgewatch.overrideAttrs (old: {
      pname = name;
      nativeBuildInputs = old.nativeBuildInputs ++ [ tool ];
      buildPhase = command;
      doCheck = false;
      installPhase = "touch $out";
      postInstall = "";
    });
in
{
  clippy =
    cargo "clippy" pkgs.clippy
      "cargo clippy --offline --workspace --lib --bins --examples -- --deny warnings";
  # With the tests, which are no part of the package's sources: it need not be built anew when they change.
  fmt = (cargo "fmt" pkgs.rustfmt "cargo fmt --all --check").overrideAttrs (_: {
    src = lib.fileset.toSource {
      root = ../.;
      fileset = lib.fileset.unions [
        ../Cargo.toml
        ../Cargo.lock
        ../build.rs
        ../rustfmt.toml
        ../src
        ../crates
        ../examples
        ../tests
      ];
    };
  });
  nixfmt = check "nixfmt" [ pkgs.nixfmt ] "find ${nixFiles} -name '*.nix' -exec nixfmt --check {} +";
  statix = check "statix" [ pkgs.statix ] "statix check --config ${../statix.toml} ${nixFiles}";
  deadnix = check "deadnix" [ pkgs.deadnix ] "deadnix --fail ${nixFiles}";
  rules = check "rules" [ pkgs.prometheus.cli ] "promtool test rules ${../prometheus}/tests/*.yml ${../fleet}/tests/*.yml";
  # What Grafana would say nothing of, and show nothing.
  dashboards = check "dashboards" [ pkgs.jq ] ''
    for file in ${../grafana-dashboards}/*.json; do
      jq --exit-status '
        (.uid | startswith("edgewatch-")) and (.title | length > 0) and (.panels | length > 0) and
        ([.. | objects | select(.type? == "prometheus" and has("uid")) | .uid] | length > 0 and all(. == "edgewatch-prometheus"))
      ' "$file" >/dev/null || { echo "$file: no uid, title or panels, or another data source"; exit 1; }
    done
  '';
  library =
    let
      wrong = import ./lib-test.nix { inherit lib; };
    in
    lib.throwIf (wrong != [ ]) "nixos/lib.nix: ${builtins.toJSON wrong}" (check "library" [ ] "");
  outcome =
    let
      wrong = import ./outcome-test.nix { inherit pkgs; } ++ import ./sandbox-test.nix { inherit pkgs; };
    in
    lib.throwIf (wrong != [ ]) "the module: ${builtins.toJSON wrong}" (check "outcome" [ ] "");
  examples =
    let
      inherit (import ./examples.nix { inherit pkgs; }) refused settings shown;
    in
    lib.throwIf (refused != [ ] || lib.length shown < 12)
      "the documents show ${toString (lib.length shown)} configurations: ${toString refused}"
      (check "examples" [ ] "cat ${toString settings}");
  documentation = lib.throwIf (undocumented != [ ]) ''
    docs/nixos.md does not tell of ${lib.concatStringsSep ", " undocumented}
  '' (check "documentation" [ ] "");
  assertions = import ./assertions.nix { inherit pkgs; };
  # A machine that is nothing but a centre.
  centre =
    (import (pkgs.path + "/nixos/lib/eval-config.nix") {
      inherit lib;
      system = null;
      modules = [
        ./centre.nix
        {
          nixpkgs = { inherit pkgs; };
          boot.loader.grub.device = "nodev";
          fileSystems."/".device = "/dev/disk/by-label/nixos";
          system.stateVersion = "26.05";
          services.grafana.settings.security = {
            admin_password = "$__file{/var/lib/secrets/grafana-admin}";
            secret_key = "$__file{/var/lib/secrets/grafana}";
          };
          services.edgewatch-centre = {
            enable = true;
            openFirewall = true;
            usersFile = "/var/lib/secrets/users.yml";
            certificateFile = "/var/lib/acme/centre/fullchain.pem";
            keyFile = "/var/lib/acme/centre/key.pem";
            devices.gate-7.site = "north";
          };
        }
      ];
    }).config.system.build.toplevel;
}
