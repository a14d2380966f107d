# Two upgrades one after the other, and back again, as `nixos-rebuild switch` and `switch --rollback` do it: each time the stack is that of
# the generation, and the history is whole.
{ lib, ... }:
{
  nodes.machine =
    { config, pkgs, ... }:
    let
      inherit (config.services.edgewatch) package;
      # The same at another place of the store, as an update has it.
      moved = lib.mkForce (
        pkgs.runCommand package.name { inherit (package) version meta; } ''
          cp -r ${package} $out
          chmod -R u+w $out
          find $out/lib -type f -exec sed -i "s|${package}|$out|g" {} +
        ''
      );
      second = {
        package = moved;
        prometheus.retention = "2d";
      };
    in
    {
      # Test machines may leave out what switches.
      system.switch.enable = true;
      environment.systemPackages = [ config.nix.package ];
      services.edgewatch.prometheus = {
        scrapeInterval = "5s";
        scrapeTimeout = "4s";
      };
      specialisation.second.configuration.services.edgewatch = second;
      specialisation.third.configuration.services.edgewatch = second // {
        budget.edgewatch.memory_high = "9M";
        extraScrapeTargets.itself = [ "127.0.0.1:8000" ];
      };
    };

  testScript = lib.readFile ./lib/prelude.py + ''
    PROFILE = "/nix/var/nix/profiles/system"
    first = machine.succeed("readlink -f /run/current-system").strip()
    systems = {"first": first} | {
        name: machine.succeed(f"readlink -f {first}/specialisation/{name}").strip() for name in ["second", "third"]
    }
    # Where a machine was made without a database of its store.
    for path in systems.values():
        machine.succeed(f"nix-store --check-validity {path} || printf '{path}\\n\\n0\\n' | nix-store --register-validity")


    def activate() -> str:
        "Switches to the generation of the profile, and says which it is."
        machine.succeed(f"{PROFILE}/bin/switch-to-configuration test >&2")
        return machine.succeed("readlink -f /run/current-system").strip()


    def is_whole(generation: str) -> None:
        "Every sample of the time before the upgrades is there, and new ones come."
        machine.wait_until_succeeds(
            f"curl -sf {PROMETHEUS}/api/v1/query --data-urlencode 'query=time() - timestamp(up{{job=\"sensor\"}}) < 15'"
            " | jq -e '.data.result | length == 1'",
            timeout=120,
        )
        same(query(f'count_over_time(up{{job="sensor"}}[10m] @ {end})')[0]["value"][1], stored)
        third = generation == "third"
        same(unit("edgewatch.service", "MemoryHigh"), str((9 if third else 10) * 1024 * 1024))
        flags = get(f"{PROMETHEUS}/api/v1/status/flags")["data"]
        same(flags["storage.tsdb.retention.time"], "12h" if generation == "first" else "2d")
        machine.wait_until_succeeds(
            f"[ $(curl -sf '{PROMETHEUS}/api/v1/targets?state=active' | jq '.data.activeTargets | length') = {3 if third else 2} ]",
            timeout=120,
        )
        program = machine.succeed("readlink -f /proc/$(systemctl show --property=MainPID --value edgewatch.service)/exe").strip()
        wanted = machine.succeed(f"readlink -f {systems[generation]}/sw/bin/edgewatch").strip()
        same(program, wanted)


    machine.wait_for_unit("multi-user.target")
    wait_until_up()
    machine.succeed(f"nix-env --profile {PROFILE} --set {first}")
    machine.sleep(60)
    end = machine.succeed("date +%s").strip()
    stored = query(f'count_over_time(up{{job="sensor"}}[10m] @ {end})')[0]["value"][1]
    assert int(stored) >= 8, stored

    for name in ["second", "third"]:
        with subtest(f"upgrade to the {name} generation"):
            machine.succeed(f"nix-env --profile {PROFILE} --set {systems[name]}")
            same(activate(), systems[name])
            is_whole(name)

    for name in ["second", "first"]:
        with subtest(f"back to the {name} generation"):
            machine.succeed(f"nix-env --profile {PROFILE} --rollback")
            same(activate(), systems[name])
            is_whole(name)

    with subtest("the time of all the switches is there as well"):
        seconds = int(machine.succeed("date +%s")) - int(end)
        scrapes = int(query(f'sum_over_time(up{{job="sensor"}}[{seconds}s])')[0]["value"][1])
        # Prometheus itself is restarted by other flags, twice, and away for seconds.
        assert scrapes >= seconds / 5 * 0.6, (scrapes, seconds)
  '';
}
