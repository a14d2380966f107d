# The history reaches a centre over an outage, with a password that only the program that sends can read; the sensor service, which the network may ask,
# has no way out.
{ lib, ... }:
{
  nodes.centre = ./lib/receiver.nix;

  nodes.machine = {
    services.edgewatch = {
      prometheus.scrapeInterval = "5s";
      prometheus.scrapeTimeout = "4s";
      forward = {
        url = "http://centre:9090/api/v1/write";
        labels.edge = "gate-7";
        user = "machine";
        passwordFile = "/var/lib/secrets/centre";
        settings.window = "10s";
      };
      # A server that answers is as good as one for this.
      notify.ping = {
        url = "http://127.0.0.1:9090/-/healthy";
        every = "10s";
      };
    };
    systemd.tmpfiles.rules = [
      "d /var/lib/secrets 0700 root root"
      "f /var/lib/secrets/centre 0400 root root - opensesame"
    ];
  };

  testScript = lib.readFile ./lib/prelude.py + lib.readFile ./lib/receiver.py + ''
    start_all()
    outbound = "edgewatch-outbound.service"

    wait_for_centre()
    wait_until_up()
    machine.wait_for_unit(outbound)

    with subtest("samples arrive, with the password that only root can read"):
        wait_for_samples('count_over_time(up{job="sensor",edge="gate-7"}[600s])', 3)
        machine.succeed("! grep -r 'open[s]esame' /etc/systemd/system /etc/edgewatch /proc/[0-9]*/cmdline")

    with subtest("somebody is told"):
        machine.wait_until_succeeds("curl -sf http://127.0.0.1:8000/metrics | grep -F 'edge_notify_up{receiver=\"ping\"} 1'")
        # It says 1 for warnings, such as of a clock that nobody sets here.
        machine.wait_until_succeeds("(edgewatch check --json || true) | grep -F 'edgewatch-outbound runs'")

    with subtest("only what sends has a way out"):
        assert "centre" not in unit("edgewatch.service", "LoadCredential")
        same(unit("edgewatch.service", "IPAddressAllow"), "")
        assert unit(outbound, "IPAddressAllow") != ""

    with subtest("what was taken during an outage and a kill arrives afterwards"):
        centre.block()
        machine.sleep(40)
        machine.succeed(f"systemctl kill --signal=KILL {outbound}")
        machine.sleep(20)
        # That very minute: after it samples come as ever, and would make up for lost ones.
        end = machine.succeed("date +%s").strip()
        before = float(query(f'count_over_time(up{{job="sensor"}}[60s] @ {end})')[0]["value"][1])
        assert before >= 10, before
        machine.wait_for_unit(outbound)
        centre.unblock()
        wait_for_samples(f'count_over_time(up{{job="sensor",edge="gate-7"}}[60s] @ {end})', before)
        machine.succeed("! journalctl -b -u edgewatch-outbound.service --grep 'refused and passed over'")

    with subtest("its limits are those of the budget"):
        same(unit(outbound, "Slice"), "edgewatch.slice")
        same(unit("edgewatch.service", "NRestarts"), "0")
  '';
}
