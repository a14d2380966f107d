# Every limit: defaults from budget.toml, in force through a drop-in for each unit of the stack.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) types;
  inherit (import ./lib.nix { inherit lib; }) bytes;
  cfg = config.services.edgewatch;
  inherit (cfg) budget;
  shipped = lib.importTOML ../budget.toml;

  size = types.strMatching "[0-9]+[KMG]?";
  goSize = types.strMatching "[0-9]+(KiB|MiB|GiB)";
  diskSize = types.strMatching "[0-9]+(KB|MB|GB)";
  percent = types.strMatching "[0-9]+%";
  score = types.ints.between (-1000) 1000;
  duration = types.strMatching "([0-9]+(ms|s|m|h|d|w|y))+";
  key = type: example: description: { inherit type example description; };
  keys = {
    memory_max = key size "128M" "Memory that is never exceeded: the kernel kills before.";
    memory_high = key size "120M" "Memory above which the unit is slowed down.";
    memory_min = key size "32M" "Memory that is left to the unit, however short of it the rest of the device runs.";
    memory_swap_max = key size "64M" "Swap that may be used.";
    cpu_quota = key percent "75%" "CPU time, in percent of one CPU.";
    cpu_weight = key (types.ints.between 1 10000) 300 "Share of the CPU when several want it.";
    tasks_max = key types.ints.positive 128 "Most threads and processes.";
    oom_score_adjust = key score 200 "Who is killed first when memory runs out: the highest.";
    gomemlimit = key goSize "64MiB" "Memory that Go's runtime tries to stay below.";
    gomaxprocs = key types.ints.positive 2 "Most threads that run Go code at once.";
    gogc = key types.ints.positive 50 "Growth of the heap, in percent, until Go collects garbage.";
    query_max_concurrency = key types.ints.positive 4 "Most queries at once.";
    query_max_samples = key types.ints.positive 1000000 "Most samples that a query may load.";
    query_timeout = key duration "30s" "Time after which a query is given up.";
    web_max_connections = key types.ints.positive 64 "Most connections at once.";
    retention_time = key duration "7d" "Time for which the history is kept.";
    retention_size = key diskSize "2GB" "Disk space of the history; the oldest goes first.";
    wal_segment_size = key diskSize "32MB" "Size of a file of the write-ahead log.";
    block_chunk_segment_size = key diskSize "64MB" "Size of a file of samples.";
  };

  directives = {
    memory_max = "MemoryMax";
    memory_high = "MemoryHigh";
    memory_min = "MemoryMin";
    memory_swap_max = "MemorySwapMax";
    cpu_quota = "CPUQuota";
    cpu_weight = "CPUWeight";
    tasks_max = "TasksMax";
    oom_score_adjust = "OOMScoreAdjust";
  };
  variables = [
    "gomemlimit"
    "gomaxprocs"
    "gogc"
  ];
  set =
    table:
    lib.concatMapAttrs (name: directive: {
      ${if table ? ${name} then directive else null} = table.${name};
    }) directives;
  environment =
    table:
    let
      present = lib.filter (name: table ? ${name}) variables;
    in
    lib.optionalAttrs (present != [ ]) {
      Environment = lib.concatMapStringsSep " " (
        name: "${lib.toUpper name}=${toString table.${name}}"
      ) present;
    };
  # Comes after edgewatch.conf, the drop-in of the package, in the order of their names.
  dropIn = unit: section: table: {
    "lib/systemd/system/${unit}.d/limits.conf" = pkgs.writeText "limits.conf" (
      lib.generators.toINI { } { ${section} = set table // environment table; }
    );
  };

  hasGrafana = cfg.grafana.mode != "off";
  units = [
    "edgewatch"
    "dashboards"
    "outbound"
    "prometheus"
  ]
  ++ lib.optional hasGrafana "grafana";
  sum = name: lib.foldl' (total: unit: total + bytes (budget.${unit}.${name} or "0")) 0 units;
  withinTotal = name: {
    assertion = sum name <= bytes budget.total.${name};
    message = ''
      services.edgewatch.budget: ${name} of ${lib.concatStringsSep ", " units} adds up to
      ${toString (sum name / 1024 / 1024)}M, above the total of ${budget.total.${name}}.
      Lower one of them, raise services.edgewatch.budget.total.${name}, or give up Grafana's share with
      services.edgewatch.grafana.mode = "off".
    '';
  };
  highBelowMax =
    unit:
    let
      inherit (budget.${unit}) memory_high memory_max;
    in
    {
      assertion = bytes memory_high <= bytes memory_max;
      message = ''
        services.edgewatch.budget.${unit}: memory_high (${memory_high}) is above memory_max (${memory_max}) and never holds.
        Lower memory_high or raise memory_max.
      '';
    };

  file = (pkgs.formats.toml { }).generate "budget.toml" budget;
in
{
  options.services.edgewatch.budget = lib.mapAttrs (
    _: lib.mapAttrs (name: default: lib.mkOption (keys.${name} // { inherit default; }))
  ) shipped;

  config = lib.mkIf cfg.enable {
    systemd.packages = [
      (pkgs.linkFarm "edgewatch-limits" (
        dropIn "edgewatch.slice" "Slice" budget.total
        // dropIn "edgewatch.service" "Service" budget.edgewatch
        // dropIn "edgewatch-dashboards.service" "Service" budget.dashboards
        // dropIn "edgewatch-outbound.service" "Service" budget.outbound
        // dropIn "prometheus.service" "Service" budget.prometheus
        // lib.optionalAttrs hasGrafana (dropIn "grafana.service" "Service" budget.grafana)
      ))
    ];

    # The service judges by the budget that is in force; for people: edgewatch check --budget /etc/edgewatch/budget.toml
    environment.etc."edgewatch/budget.toml".source = file;
    services.edgewatch.settings = lib.mkIf (budget != shipped) { paths.budget = "${file}"; };

    assertions = [
      (withinTotal "memory_max")
      (withinTotal "memory_min")
    ]
    ++ map highBelowMax ([ "total" ] ++ units);
  };
}
