# The units and files of a configuration that are ours, as they come to lie in /etc on the device: the package's, with what NixOS adds.
# For machines that cannot build the package with Nix: `binary`, `dashboards` and `outbound` are the programs built by cargo. See scripts/render-nixos.
{
  flake,
  nixpkgs,
  host,
  binary,
  dashboards,
  outbound,
}:
let
  system = flake.nixosConfigurations.${host}.extendModules {
    modules = [
      {
        services.edgewatch.package = package;
        nixpkgs.overlays = [ (_: _: { inherit remarshal; }) ];
      }
    ];
  };
  inherit (system) config pkgs;
  inherit (pkgs) lib;

  package = import ./prebuilt.nix { inherit pkgs binary dashboards outbound; };

  # The stand-in for nixpkgs has no programs of its own. JSON is YAML, and its scalars and lists are TOML's.
  remarshal = nixpkgs.symlinkJoin {
    name = "remarshal";
    paths = [
      (nixpkgs.writeShellScriptBin "json2yaml" ''exec cp "$@"'')
      (nixpkgs.writeShellScriptBin "json2toml" ''
        exec /usr/bin/python3 -c '
        import json, sys
        def write(table, path):
            if path: print(f"[{path}]")
            for key, value in table.items():
                if not isinstance(value, dict): print(f"{key} = {json.dumps(value)}")
            for key, value in table.items():
                if isinstance(value, dict): write(value, f"{path}.{key}" if path else key)
        sys.stdout = open(sys.argv[2], "w")
        write(json.load(open(sys.argv[1])), "")' "$@"
      '')
    ];
  };

  # What the documents show, to be built for itself.
  examples = (import ./examples.nix { inherit pkgs package; }).settings;

  isOurs =
    name:
    lib.hasPrefix "edgewatch" name
    || lib.elem name [
      "grafana.service"
      "prometheus.service"
    ];
  units = lib.filterAttrs (name: unit: isOurs name && unit.enable) config.systemd.units;
  files = [
    "edgewatch/budget.toml"
    "edgewatch/edgewatch.toml"
    "prometheus/prometheus.yaml"
  ];
  links =
    kind: targets: name:
    lib.concatMapStrings (target: ''
      mkdir -p ${target}.${kind}
      ln -sf ../${name} ${target}.${kind}/
    '') targets;
in
pkgs.runCommand "edgewatch-rendered-${host}" { passthru = { inherit config examples; }; } ''
  ${lib.concatMapStrings (file: ''
    mkdir -p $out/etc/$(dirname ${file})
    ln -s ${config.environment.etc.${file}.source} $out/etc/${file}
  '') files}
  mkdir -p $out/etc/systemd/system
  cd $out/etc/systemd/system
  for from in ${
    toString (lib.filter (from: lib.hasPrefix "edgewatch" from.name) config.systemd.packages)
  }; do
    for path in $from/lib/systemd/system/*; do
      if [ -d "$path" ]; then
        mkdir -p "$(basename "$path")"
        ln -s "$path"/* "$(basename "$path")"/
      elif [ -e "$path" ]; then
        ln -s "$path" .
      fi
    done
  done
  ${lib.concatStrings (
    lib.mapAttrsToList (name: unit: ''
      if [ -e ${name} ]; then
        mkdir -p ${name}.d
        ln -s ${unit.unit}/${name} ${name}.d/overrides.conf
      else
        ln -s ${unit.unit}/${name} ${name}
      fi
      ${links "wants" unit.wantedBy name}${links "requires" unit.requiredBy name}
    '') units
  )}
''
