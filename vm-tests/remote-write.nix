# Samples reach another server, also those of a time when it could not be reached.
{ lib, ... }:
{
  nodes.server =
    { config, ... }:
    {
      services.edgewatch.enable = false;
      services.prometheus = {
        enable = true;
        extraFlags = [ "--web.enable-remote-write-receiver" ];
        # The user machine, with the password `opensesame`.
        webConfigFile = "/etc/web.yml";
        checkConfig = "syntax-only";
      };
      environment.etc."web.yml".text = ''
        basic_auth_users:
          machine: $2b$05$XKF9AX3b8wKE2D61bYVAguGQFQcR/FLOXVkmjvpO8K.3gfMAPntBe
      '';
      networking.firewall.allowedTCPPorts = [ config.services.prometheus.port ];
    };

  nodes.machine = {
    services.edgewatch = {
      prometheus.scrapeInterval = "5s";
      prometheus.scrapeTimeout = "4s";
      remoteWrite.server = {
        url = "http://server:9090/api/v1/write";
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

  testScript = lib.readFile ./lib/prelude.py + ''
    start_all()


    def received(seconds: int) -> int:
        url = "http://127.0.0.1:9090/api/v1/query"
        expression = f'count_over_time(up{{job="sensor"}}[{seconds}s])'
        answer = server.succeed(
            shlex.join(["curl", "-sf", "-u", "machine:opensesame", "--data-urlencode", f"query={expression}", url])
        )
        result = json.loads(answer)["data"]["result"]
        return int(result[0]["value"][1]) if result else 0


    def wait_for_samples(seconds: int, count: int) -> None:
        def enough(_: bool) -> bool:
            return received(seconds) >= count

        retry(enough, 180)


    server.wait_for_unit("prometheus.service")
    # It wants a password: any answer will do.
    server.wait_until_succeeds("curl -s http://127.0.0.1:9090/-/ready")
    wait_until_up()

    with subtest("samples arrive, with the password that only root can read"):
        wait_for_samples(600, 3)
        machine.succeed("! grep -r opensesame /etc/systemd/system/prometheus.service /etc/prometheus/")

    with subtest("what was taken during an outage arrives afterwards"):
        server.block()
        machine.sleep(60)
        before = int(query('count_over_time(up{job="sensor"}[60s])')[0]["value"][1])
        assert before >= 10, before
        server.unblock()
        wait_for_samples(90, before)
  '';
}
