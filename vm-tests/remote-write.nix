# Samples reach another server, also those of a time when it could not be reached.
{ lib, ... }:
{
  nodes.centre = ./lib/receiver.nix;

  nodes.machine = {
    services.edgewatch = {
      prometheus.scrapeInterval = "5s";
      prometheus.scrapeTimeout = "4s";
      remoteWrite.centre = {
        url = "http://centre:9090/api/v1/write";
        username = "machine";
        passwordFile = "/var/lib/secrets/remote-write";
        settings.queue_config.max_backoff = "5s";
      };
    };
    systemd.tmpfiles.rules = [
      "d /var/lib/secrets 0700 root root"
      "f /var/lib/secrets/remote-write 0400 root root - opensesame"
    ];
  };

  testScript = lib.readFile ./lib/prelude.py + lib.readFile ./lib/receiver.py + ''
    start_all()
    wait_for_centre()
    wait_until_up()

    with subtest("samples arrive, with the password that only root can read"):
        wait_for_samples('count_over_time(up{job="sensor"}[600s])', 3)
        machine.succeed("! grep -r opensesame /etc/systemd/system/prometheus.service /etc/prometheus/")

    with subtest("what was taken during an outage arrives afterwards"):
        centre.block()
        machine.sleep(60)
        # That very minute: after it samples come as ever, and would make up for lost ones.
        end = machine.succeed("date +%s").strip()
        before = int(query(f'count_over_time(up{{job="sensor"}}[60s] @ {end})')[0]["value"][1])
        assert before >= 10, before
        centre.unblock()
        wait_for_samples(f'count_over_time(up{{job="sensor"}}[60s] @ {end})', before)
  '';
}
