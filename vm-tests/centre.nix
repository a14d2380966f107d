# The centre of a fleet and a device of it: the device is enrolled by one file on its boot partition, its history arrives over TLS with its
# password, and the rules know who is there and who is not.
{ hostPkgs, lib, ... }:
{
  nodes.centre = {
    imports = [ ./lib/centre.nix ];
    services.edgewatch.enable = false;
    # Only for the test: here they come out of the store.
    environment.etc."test/grafana".text = "a password for the test alone";
    services.grafana.settings.security = {
      admin_password = "$__file{/etc/test/grafana}";
      secret_key = "$__file{/etc/test/grafana}";
    };
  };

  nodes.machine =
    { pkgs, ... }:
    {
      imports = [ ../nixos/hosts/first-boot.nix ];
      appliance.bootPartition = "/boot/firmware";
      users.users.operator.isNormalUser = true;
      virtualisation.emptyDiskImages = [ 64 ];
      environment.systemPackages = [ pkgs.dosfstools ];
      # Instead of a file system of the system's own: what cannot be mounted yet keeps nobody waiting.
      systemd.services.boot-partition = {
        wantedBy = [ "multi-user.target" ];
        before = [ "edgewatch-first-boot.service" ];
        path = [ pkgs.util-linux ];
        script = "mkdir -p /boot/firmware && mount -t vfat /dev/vdb /boot/firmware || true";
        serviceConfig.Type = "oneshot";
      };
    };

  testScript = lib.readFile ./lib/prelude.py + lib.readFile ./lib/centre.py + ''
    SERVICES = [f"edgewatch-centre-{name}.service" for name in ["storage", "front", "rules"]]
    outbound = "edgewatch-outbound.service"
    state = "/var/lib/edgewatch-appliance"


    def at_centre(name: str, key: str) -> str:
        return centre.succeed(f"systemctl show --property={key} --value {name}").strip()


    def scrapes(edge: str) -> int:
        found = stored(f'sum(count_over_time(up{{job="sensor",edge="{edge}"}}[1h]))')
        return int(found[0]["value"][1]) if found else 0


    start_all()

    with subtest("the front waits for its certificate, however long that takes"):
        centre.wait_for_unit("multi-user.target")
        centre.wait_until_succeeds(
            f"[ $(systemctl show --property=NRestarts --value {SERVICES[1]}) -ge 4 ]", timeout=180
        )
        ca = certify()
        same({name: at_centre(name, "ActiveState") for name in SERVICES}, dict.fromkeys(SERVICES, "active"))

    with subtest("a device writes with its password, and nobody reads or writes in another way"):
        machine.wait_for_unit("multi-user.target")
        machine.succeed(f"cat >/tmp/ca.crt <<'END'\n{ca}END")
        # An empty request of snappy.
        machine.succeed("printf '\\0' >/tmp/empty")


        def answer(path: str, *options: str) -> str:
            command = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "60", "--cacert", "/tmp/ca.crt"]
            return machine.succeed(shlex.join([*command, *options, f"https://centre:8443/{path}"])).strip()


        write = ["api/v1/write", "--data-binary", "@/tmp/empty", "--user"]
        same(answer(*write, "gate-7:opensesame"), "204")
        same(answer(*write, "gate-7:wrong"), "401")
        # No route leads there.
        same(answer("api/v1/query?query=up", "--user", "gate-7:opensesame"), "400")
        for path in ["metrics", "flags", "debug/pprof/", "-/reload"]:
            same(answer(path), "401")
            same(answer(path, "--user", "gate-7:opensesame"), "400")
        machine.fail("curl -s --max-time 5 http://centre:8428/")
        machine.fail("curl -s --max-time 60 https://centre:8443/health")

    with subtest("a file on the boot partition enrols the device at its next boot, with the history before it"):
        wait_until_up()
        same(unit(outbound, "ActiveState"), "inactive")
        machine.succeed("${lib.getExe' hostPkgs.dosfstools "mkfs.vfat"} /dev/vdb && mount /dev/vdb /boot/firmware")
        machine.succeed(f"cat >/boot/firmware/centre <<'END'\n{enrolment(ca, 'gate-7')}END")
        hurry(machine)
        before = int(query('count_over_time(up{job="sensor"}[1h])')[0]["value"][1])
        machine.shutdown()
        machine.start()
        machine.wait_for_unit("multi-user.target")
        same(machine.succeed("ls /boot/firmware"), "")
        wait_until_up()

        def all_arrived(_: bool) -> bool:
            return scrapes("gate-7") > before

        retry(all_arrived, 400)

    with subtest("its password is read by nobody else"):
        for file in [f"{state}/centre", f"{state}/forward-secret"]:
            same(machine.succeed(f"stat -c '%a %U' {file}").strip(), "600 root")
        machine.succeed("! grep -r 'open[s]esame' /etc/edgewatch/ /run/systemd/system/ /proc/[0-9]*/cmdline")

    with subtest("the rules know who is there, and who was never seen"):
        wait_until_stored('fleet_inventory_info{edge="gate-7",site="north"}')
        wait_until_stored('edge:seen:state{edge="gate-7"} == 1')
        wait_until_stored('edge:seen:state{edge="gate-8"} == -1')

    with subtest("enrolled anew while it runs, it sends under its new name"):
        enrol(machine, ca, "gate-9")
        wait_until_stored('up{job="sensor",edge="gate-9"}')
        same(unit(outbound, "NRestarts"), "0")

    with subtest("Grafana has the dashboards of the fleet, and their data source answers"):
        admin = "-sf --max-time 200 --user 'admin:a password for the test alone' http://127.0.0.1:3000/api"
        found = json.loads(centre.wait_until_succeeds(f"curl {admin}/search?type=dash-db", timeout=200))
        same({dashboard["uid"] for dashboard in found}, {"edgewatch-fleet", "edgewatch-fleet-device"})
        same(json.loads(centre.succeed(f"curl {admin}/datasources/uid/edgewatch-fleet/health"))["status"], "OK")

    with subtest("killed, all of it comes back, with what was stored"):
        before = scrapes("gate-9")
        assert before > 0
        # What it has in memory alone it writes every 5 s: all that was counted is on the disk then.
        centre.sleep(10)
        centre.succeed("systemctl kill --signal=KILL " + " ".join(SERVICES))
        for name in SERVICES:
            centre.wait_until_succeeds(f"[ $(systemctl show --property=NRestarts --value {name}) -ge 1 ]")
            centre.wait_for_unit(name)
        centre.wait_until_succeeds("curl -sf http://127.0.0.1:8428/health")
        assert scrapes("gate-9") >= before, before

        def goes_on(_: bool) -> bool:
            return scrapes("gate-9") > before + 1

        retry(goes_on, 400)
  '';
}
