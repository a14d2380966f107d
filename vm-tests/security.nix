# What others can reach and read.
{ lib, ... }:
let
  password = "a password for the test alone";
in
{
  nodes.machine = {
    imports = [ ./lib/operator.nix ];
    services.edgewatch = {
      listenAddress = "0.0.0.0";
      openFirewall = true;
      grafana = {
        listenAddress = "0.0.0.0";
        openFirewall = true;
        adminPasswordFile = "/etc/test/password";
      };
    };
    # Only for the test: here it comes out of the store.
    environment.etc."test/password" = {
      text = password;
      mode = "0400";
    };
  };
  nodes.visitor.services.edgewatch.enable = false;

  testScript =
    { nodes, ... }:
    lib.readFile ./lib/prelude.py
    + ''
      address = "${nodes.machine.networking.primaryIPAddress}"


      def seen(url: str, *options: str) -> str:
          command = ["curl", "-s", "--max-time", "200", "-o", "/dev/null", "-w", "%{http_code}"]
          return visitor.succeed(shlex.join([*command, *options, url])).strip()


      start_all()
      visitor.wait_for_unit("multi-user.target")
      machine.wait_for_unit("prometheus.service")
      wait_until_up()

      with subtest("from the network the pages want a password, and Prometheus is not there"):
          for path in ["/", "/metrics", "/sensor"]:
              same(seen(f"http://{address}:8000{path}"), "401")
          same(seen(f"http://{address}:8000/healthz"), "200")
          same(seen(f"http://{address}:8000/", "--user", "operator:${password}"), "200")
          visitor.fail(f"curl -s --max-time 5 http://{address}:9090/")
          visitor.fail(f"curl -s --max-time 5 http://{address}:3001/")

      with subtest("Grafana shows nothing without a password, and all with it"):
          same(seen(f"http://{address}:3000/api/search"), "401")
          same(seen(f"http://{address}:3000/api/search", "--user", "admin:${password}"), "200")
          same(seen(f"http://{address}:3000/api/search", "--user", "admin:admin"), "401")

      with subtest("only these ports are open"):
          listening = machine.succeed("ss -Htln | awk '{ print $4 }' | grep -v -e '^127' -e '^\\[::1' | sed 's/.*://'")
          same(sorted(set(listening.split()) - {"22"}), ["3000", "8000"])

      with subtest("secrets are in the files of root, and not in the store or in a unit"):
          secret = "/var/lib/edgewatch-grafana/secret_key"
          assert int(machine.succeed(f"wc -c <{secret}")) >= 32
          # The key is not on its own command line. That of a process which has ended meanwhile is no error.
          find = f"grep -rlF --no-messages --file={secret}"
          machine.succeed(f"{find} /var/lib/edgewatch-grafana")
          same(machine.succeed(f"{find} /nix/store/*grafana* /etc/systemd /proc/*/environ /proc/*/cmdline || true"), "")
          same(machine.succeed("stat -c %a /var/lib/edgewatch-grafana").strip(), "700")
          machine.fail(f"su -s /bin/sh nobody -c 'cat {secret}'")

      with subtest("only the service reaches the program that shows dashboards"):
          door = "/run/edgewatch/dashboards.sock"
          same(machine.succeed(f"stat -c '%a %U %G' {door}").strip(), "660 root edgewatch-sockets")
          ask = f"curl -s --max-time 30 --unix-socket {door} http://localhost/healthz"
          machine.succeed(ask)
          machine.fail(f"su -s /bin/sh nobody -c '{ask}'")

      with subtest("the sandboxes are as tight as promised"):
          for name, limit in {"edgewatch": 1.5, "edgewatch-dashboards": 1.5, "edgewatch-outbound": 1.5, "prometheus": 2.0, "grafana": 2.5}.items():
              table = machine.succeed(f"systemd-analyze security --no-pager {name}.service | tail -n 1")
              exposure = float(table.split(":")[1].split()[0])
              assert exposure <= limit, table
    '';
}
