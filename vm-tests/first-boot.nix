# The first boots of an appliance: secrets of its own, a way in, and what was put on its boot partition while flashing.
{ lib, ... }:
let
  appliance =
    name:
    { pkgs, ... }:
    {
      imports = [ ../nixos/hosts/appliance.nix ];
      networking.hostName = name;
      appliance.bootPartition = "/boot/firmware";
      virtualisation.emptyDiskImages = [ 64 ];
      virtualisation.fileSystems."/boot/firmware" = {
        device = "/dev/vdb";
        fsType = "vfat";
        options = [
          "nofail"
          "noauto"
        ];
      };
      environment.systemPackages = [ pkgs.dosfstools ];
    };
in
{
  # The profiles that images import may set options of nixpkgs.
  node.pkgsReadOnly = false;

  nodes.machine = appliance "machine";
  nodes.visitor = appliance "visitor";

  testScript =
    { nodes, ... }:
    lib.readFile ./lib/prelude.py
    + ''
      address = "${nodes.machine.networking.primaryIPAddress}"
      state = "/var/lib/edgewatch-appliance"
      start_all()
      machine.wait_for_unit("multi-user.target")
      visitor.wait_for_unit("multi-user.target")


      def seen(password: str) -> str:
          # The certificate names the device, and not this address.
          command = ["curl", "-s", "--insecure", "--max-time", "60", "-o", "/dev/null", "-w", "%{http_code}"]
          url = f"https://{address}:8000/"
          return visitor.succeed(shlex.join([*command, "--user", f"operator:{password}", url])).strip()


      with subtest("a boot partition that is no file system keeps nobody out"):
          machine.require_unit_state("edgewatch-first-boot.service", "active")

      with subtest("a password is made, shown on the console, and lets in"):
          made = machine.succeed(f"cat {state}/password")
          machine.wait_until_tty_matches("1", f"Password +{made}")
          wait_until_up()
          same(seen(made), "200")
          same(seen("edgewatch"), "401")
          metrics = machine.succeed("curl -sf http://127.0.0.1:8000/metrics")
          fingerprint = metrics.split('edge_tls_certificate_info{fingerprint="')[1].split('"')[0]
          machine.wait_until_tty_matches("1", fingerprint)
          same(get(f"{GRAFANA}/api/user", "--user", f"operator:{made}")["login"], "operator")
          machine.fail(f"su -s /bin/sh nobody -c 'cat {state}/password || cat /etc/issue.d/edgewatch.issue'")

      with subtest("it lets in at the console, and not over ssh"):
          machine.send_key("alt-f2")
          machine.wait_until_tty_matches("2", "login: ")
          machine.send_chars("operator\n")
          machine.wait_until_tty_matches("2", "Password: ")
          machine.send_chars(f"{made}\n")
          machine.wait_until_tty_matches("2", r"operator@.*\$")
          visitor.fail(f"ssh -o StrictHostKeyChecking=no -o BatchMode=yes operator@{address} true")

      with subtest("another device has other secrets"):
          for secret in [f"{state}/password", "/etc/machine-id", "/etc/ssh/ssh_host_ed25519_key.pub"]:
              assert machine.succeed(f"cat {secret}") != visitor.succeed(f"cat {secret}"), secret

      with subtest("files on the boot partition are taken over and removed"):
          visitor.succeed("ssh-keygen -q -t ed25519 -N \"\" -f /root/key")
          key = visitor.succeed("cat /root/key.pub").strip()
          machine.succeed("mkfs.vfat /dev/vdb && mount /boot/firmware")
          machine.succeed(f"printf '%s\\r\\n' '{key}' >/boot/firmware/authorized_keys")
          machine.succeed("printf 'a password of my own\\r\\n' >/boot/firmware/password")
          machine.shutdown()
          machine.start()
          machine.wait_for_unit("multi-user.target")
          same(machine.succeed("ls /boot/firmware"), "")
          wait_until_up()
          same(seen("a password of my own"), "200")
          same(seen(made), "401")
          machine.fail("grep -q 'a password of my own' /etc/issue.d/edgewatch.issue")
          visitor.succeed(f"ssh -i /root/key -o StrictHostKeyChecking=no operator@{address} sudo true")

      with subtest("the name of the device leads to it"):
          visitor.wait_until_succeeds("getent ahostsv4 machine.local", timeout=60)
    '';
}
