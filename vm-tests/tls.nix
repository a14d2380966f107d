# What others read of the device is encrypted, and they can know that it is the device.
{ lib, ... }:
{
  nodes.machine = {
    imports = [ ./lib/operator.nix ];
    services.edgewatch = {
      listenAddress = "0.0.0.0";
      openFirewall = true;
      tls.enable = true;
    };
  };
  nodes.visitor.services.edgewatch.enable = false;

  testScript =
    { nodes, ... }:
    lib.readFile ./lib/prelude.py
    + ''
      password = "a password for the test alone"
      address = "${nodes.machine.networking.primaryIPAddress}"
      # The name in the certificate; which address it has is no matter of the test.
      named = ["--connect-to", f"machine:8000:{address}:8000", "--cacert", "/tmp/device.pem"]


      def seen(url: str, *options: str) -> str:
          written = "%{http_code} %{redirect_url}"
          command = ["curl", "-s", "--max-time", "60", "-o", "/dev/null", "-w", written]
          return visitor.succeed(shlex.join([*command, *options, url])).strip()


      def fingerprint() -> str:
          metrics = machine.succeed("curl -sf http://127.0.0.1:8000/metrics")
          return metrics.split('edge_tls_certificate_info{fingerprint="')[1].split('"')[0]


      start_all()
      visitor.wait_for_unit("multi-user.target")
      wait_until_up()

      with subtest("clear text from the network is sent to TLS, but for health"):
          same(seen(f"http://{address}:8000/d/x?from=now-1h"), f"307 https://{address}:8000/d/x?from=now-1h")
          same(seen(f"http://{address}:8000/healthz"), "200")

      with subtest("who has the device's certificate reads over TLS, and nobody else is taken for the device"):
          certificate = machine.succeed("sed '/PRIVATE/,$d' /var/lib/edgewatch/tls.pem")
          visitor.succeed(f"cat >/tmp/device.pem <<'END'\n{certificate}\nEND")
          same(seen("https://machine:8000/", *named), "401")
          same(seen("https://machine:8000/", *named, "--user", f"operator:{password}"), "200")
          visitor.fail(f"curl -sf --max-time 60 https://{address}:8000/healthz")

      with subtest("its key is read by nobody else, and it stays through a restart"):
          before = fingerprint()
          machine.fail("su -s /bin/sh nobody -c 'cat /var/lib/edgewatch/tls.pem'")
          machine.succeed("edgewatch check --wait 1m >/tmp/report || [ $? = 1 ]")
          machine.succeed(f"grep -F {before} /tmp/report")
          machine.succeed("systemctl restart edgewatch")
          same(fingerprint(), before)
    '';
}
