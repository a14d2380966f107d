# The device updates itself: another system comes from a cache, by a signed manifest, and boots only once the device has been well with it;
# one that breaks the stack is left, and after two tries not tried again.
{ lib, ... }:
let
  # For the test alone, and its public half.
  key = ''
    -----BEGIN PRIVATE KEY-----
    MC4CAQAwBQYDK2VwBCIEIAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH
    -----END PRIVATE KEY-----
  '';
  publicKey = "MCowBQYDK2VwAyEA6kpsY+KcUgq+9VB7Ey7F+ZVHdq6+vnuSQh7qaRRG0iw=";
in
{
  nodes.machine =
    { config, pkgs, ... }:
    {
      services.edgewatch.update = {
        manifest = "http://127.0.0.1:8088/manifest.json";
        publicKeys = [ publicKey ];
        class = "test";
        cache = "file:///var/published/cache";
        settings = {
          well_for = "20s";
          within = "2m";
        };
      };
      # Room for a cache with a whole system.
      virtualisation.diskSize = lib.mkForce 6144;
      # Test machines may leave out what switches.
      system.switch.enable = true;
      specialisation = {
        better.configuration.environment.etc.better.text = "yes";
        # Nothing is stored then.
        broken.configuration.systemd.services.prometheus.serviceConfig.ExecStart = lib.mkForce [
          ""
          (lib.getExe' pkgs.coreutils "false")
        ];
      };
      environment.etc."test/key.pem".text = key;
      environment.etc."test/publish.sh".source = ../nixos/publish.sh;
      environment.systemPackages = [
        config.nix.package
        pkgs.openssl
      ];
      # Who publishes.
      systemd.sockets.published = {
        wantedBy = [ "sockets.target" ];
        listenStreams = [ "127.0.0.1:8088" ];
        socketConfig.Accept = true;
      };
      systemd.services."published@" = {
        serviceConfig.StandardInput = "socket";
        script = ''
          printf 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %s\r\n\r\n' "$(stat --format %s /var/published/manifest.json)"
          cat /var/published/manifest.json
        '';
      };
    };

  testScript = lib.readFile ./lib/prelude.py + ''
    wait_until_up()
    system = machine.succeed("readlink -f /run/current-system").strip()
    paths = {name: machine.succeed(f"readlink -f {system}/specialisation/{name}").strip() for name in ["better", "broken"]}
    # Where a machine was made without a database of its store.
    for path in [system, *paths.values()]:
        machine.succeed(f"nix-store --check-validity {path} || printf '{path}\\n\\n0\\n' | nix-store --register-validity")
    machine.succeed(f"nix-env --profile /nix/var/nix/profiles/system --set {system}")


    def publish(serial: int, name: str) -> None:
        arguments = "--class test --key /etc/test/key.pem --cache file:///var/published/cache --manifest /var/published/manifest.json"
        machine.succeed(f"mkdir -p /var/published && bash /etc/test/publish.sh {arguments} --serial {serial} {paths[name]} >&2")


    def running() -> str:
        return machine.succeed("readlink -f /run/current-system").strip()


    def default() -> str:
        return machine.succeed("readlink -f /nix/var/nix/profiles/system").strip()


    machine.succeed("systemctl list-timers edgewatch-update.timer | grep -q edgewatch-update")

    with subtest("a system that breaks the stack is left, and after two tries not tried again"):
        publish(1, "broken")
        for _ in range(2):
            said = machine.fail("edgewatch update --now 2>&1")
            assert "the system before it is back" in said, said
            same(running(), system)
            same(default(), system)
            wait_until_up()
        said = machine.fail("edgewatch update --now 2>&1")
        assert "failed 2 times on this device" in said, said

    with subtest("one that the device is well with is kept, by the unit that the timer starts"):
        publish(2, "better")
        machine.succeed("systemctl start edgewatch-update.service", timeout=600)
        same(running(), paths["better"])
        same(default(), paths["better"])
        machine.succeed("test -e /etc/better")
        machine.wait_until_succeeds(f"curl -sf {SERVICE}/metrics | grep -qx 'edge_update_serial 2'", timeout=60)

    with subtest("who resumes after a restart has nothing to do"):
        machine.succeed("systemctl start edgewatch-update-resume.service")
        wait_until_inactive("edgewatch-update-resume.service")
        same(unit("edgewatch-update-resume.service", "Result"), "success")
  '';
}
