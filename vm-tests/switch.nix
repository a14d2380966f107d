# Switches to other configurations, as nixos-rebuild does: afterwards everything answers at its address, new or old, and every target is
# up; and where the address stays no request is refused meanwhile.
{ lib, ... }:
{
  nodes.machine =
    { config, pkgs, ... }:
    let
      inherit (config.services.edgewatch) package;
      configurations = {
        moved = {
          port = 8080;
          prometheus.port = 9095;
          grafana.port = 3300;
        };
        shown = {
          listenAddress = "0.0.0.0";
          settings.http.insecure = true;
        };
        # The same at another place of the store, as an update has it.
        upgraded.package = lib.mkForce (
          pkgs.runCommand package.name { inherit (package) version meta; } ''
            cp -r ${package} $out
            chmod -R u+w $out
            find $out/lib -type f -exec sed -i "s|${package}|$out|g" {} +
          ''
        );
        limited = {
          budget.edgewatch.memory_high = "10M";
          budget.prometheus.memory_high = "60M";
          settings.http.keep_alive = "30s";
        };
        watching.extraScrapeTargets.itself = [ "127.0.0.1:8000" ];
        dark.grafana.mode = "off";
      };

      # ask NAME URL: over and over, with a line for each answer: its status, and that of curl, which is 7 if nobody listens.
      ask = pkgs.writeShellScriptBin "ask" ''
        while :; do
          status=0
          code=$(${lib.getExe pkgs.curl} -s -o /dev/null -w '%{http_code}' --max-time 300 "$2") || status=$?
          echo "$code $status" >>"/run/asked-$1"
          ${lib.getExe' pkgs.coreutils "sleep"} 0.2
        done
      '';
    in
    {
      # Test machines may leave out what switches.
      system.switch.enable = true;
      environment.systemPackages = [ ask ];
      specialisation = lib.mapAttrs (_: edgewatch: {
        configuration.services = { inherit edgewatch; };
      }) configurations;
    };

  testScript = lib.readFile ./lib/prelude.py + ''
    system = machine.succeed("readlink -f /run/current-system").strip()
    kept = {"service": f"{SERVICE}/healthz", "grafana": f"{GRAFANA}/api/health"}


    def switch(name: str, asked: dict[str, str]) -> None:
        for who, url in asked.items():
            machine.succeed(f"rm -f /run/asked-{who}", f"systemd-run --unit=ask-{who} ask {who} {url}")
            machine.wait_for_file(f"/run/asked-{who}")
        machine.succeed(f"{system}/{name}/bin/switch-to-configuration test >&2")
        machine.sleep(10)
        for who in asked:
            machine.succeed(f"systemctl stop ask-{who}.service")
            answers = machine.succeed(f"cat /run/asked-{who}").splitlines()
            machine.log(f"{name or 'back'}: {len(answers)} answers of {who}")
            # A restart of Grafana cuts off those whom it is answering, but refuses nobody.
            wrong = [line for line in answers if line.endswith(" 7") or who == "service" and line != "200 0"]
            same(wrong, [])
            assert len(answers) >= 3, answers


    def wait_for_targets(port: int, prometheus: int, *more: str) -> None:
        expected = {f"127.0.0.1:{port} sensor up", f"127.0.0.1:{prometheus} prometheus up", *more}

        def all_up(last: bool) -> bool:
            code, answer = machine.execute(f"curl -sf --max-time 30 http://127.0.0.1:{prometheus}/api/v1/targets?state=active")
            if code != 0:
                return False
            targets = [(target["labels"], target["health"]) for target in json.loads(answer)["data"]["activeTargets"]]
            found = {f"{labels['instance']} {labels['job']} {health}" for labels, health in targets}
            if last:
                same(found, expected)
            return found == expected

        retry(all_up, 180)


    def listening() -> set[str]:
        lines = machine.succeed("ss -Htln").splitlines()
        ours = {":8000", ":8080", ":9090", ":9095", ":3000", ":3300"}
        return {line.split()[3] for line in lines if any(line.split()[3].endswith(port) for port in ours)}


    def at(*ports: int) -> set[str]:
        return {f"127.0.0.1:{port}" for port in ports}


    wait_for_targets(8000, 9090)
    same(get(kept["grafana"])["database"], "ok")

    with subtest("other ports: everything answers there, nothing at the old ones, and back"):
        switch("specialisation/moved", {})
        wait_for_targets(8080, 9095)
        same(listening(), at(8080, 9095, 3300))
        machine.succeed("curl -sf http://127.0.0.1:8080/healthz")
        same(get("http://127.0.0.1:3300/api/health")["database"], "ok")
        switch("", {})
        wait_for_targets(8000, 9090)
        same(listening(), at(8000, 9090, 3000))
        same(get(kept["grafana"])["database"], "ok")

    with subtest("another address"):
        switch("specialisation/shown", {"grafana": kept["grafana"]})
        wait_for_targets(8000, 9090)
        same(listening(), {"0.0.0.0:8000"} | at(9090, 3000))
        switch("", {"grafana": kept["grafana"]})
        wait_for_targets(8000, 9090)
        same(listening(), at(8000, 9090, 3000))

    with subtest("another package"):
        before = unit("edgewatch.service", "ExecMainPID")
        switch("specialisation/upgraded", kept)
        assert unit("edgewatch.service", "ExecMainPID") != before, before
        wait_for_targets(8000, 9090)

    with subtest("other limits and settings"):
        switch("specialisation/limited", kept)
        wait_for_targets(8000, 9090)
        same(unit("edgewatch.service", "MemoryHigh"), str(10 * 1024 * 1024))
        same(unit("prometheus.service", "MemoryHigh"), str(60 * 1024 * 1024))

    with subtest("another target"):
        switch("specialisation/watching", kept)
        wait_for_targets(8000, 9090, "127.0.0.1:8000 itself up")

    with subtest("without Grafana, and with it again"):
        switch("specialisation/dark", {"service": kept["service"]})
        wait_for_targets(8000, 9090)
        same(listening(), at(8000, 9090))
        same(unit("grafana.service", "ActiveState"), "inactive")
        switch("", {"service": kept["service"]})
        wait_for_targets(8000, 9090)
        same(get(kept["grafana"])["database"], "ok")
  '';
}
