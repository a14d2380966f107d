# Each kind of password file that somebody may put on the boot partition: taken over and let in with, or left there with a reason on the
# console, while the password before lets in as ever.
{ hostPkgs, lib, ... }:
{
  nodes.machine =
    { pkgs, ... }:
    {
      imports = [ ../nixos/hosts/first-boot.nix ];
      appliance.bootPartition = "/boot/firmware";
      services.edgewatch.listenAddress = "0.0.0.0";
      users.users.operator.isNormalUser = true;
      virtualisation.emptyDiskImages = [ 64 ];
      environment.systemPackages = [ pkgs.dosfstools ];
    };

  testScript = lib.readFile ./lib/prelude.py + ''
    STATE = "/var/lib/edgewatch-appliance"
    # An address that is not loopback's: from there a password is wanted.
    OUTSIDE = "192.0.2.1"


    def comes_up() -> None:
        machine.wait_for_unit("edgewatch-first-boot.service", timeout=90)
        machine.succeed(f"ip address replace {OUTSIDE}/32 dev lo")
        wait_until_up()


    def lets_in(password: str) -> bool:
        code = status(f"http://{OUTSIDE}:8000/", "--user", f"operator:{password}")
        assert code in {"200", "401"}, code
        return code == "200"


    def first_boot() -> str:
        "What runs at each boot, and what the console shows then."
        machine.succeed("systemctl restart edgewatch-first-boot.service edgewatch.service")
        return machine.succeed("cat /etc/issue.d/edgewatch.issue")


    def give(content: bytes, name: str = "password") -> None:
        escaped = "".join(f"\\{byte:03o}" for byte in content)
        machine.succeed(f"printf '{escaped}' >/boot/firmware/{name}")


    comes_up()
    made = machine.succeed(f"cat {STATE}/password")

    with subtest("without a file the device makes a password, tells it at the console, and nobody else reads it"):
        assert f"Password {made}\n" in machine.succeed("cat /etc/issue.d/edgewatch.issue"), made
        assert lets_in(made) and not lets_in("edgewatch")
        for file, mode in {f"{STATE}/password": "600", f"{STATE}/users": "600", STATE: "700"}.items():
            same(machine.succeed(f"stat -c %a {file}").strip(), mode)
        # The console's, and the pages'.
        account = machine.succeed(f"cat {STATE}/users").strip()
        assert machine.succeed("getent shadow operator").startswith(account), account

    machine.succeed("${lib.getExe' hostPkgs.dosfstools "mkfs.vfat"} /dev/vdb && mkdir -p /boot/firmware && mount /dev/vdb /boot/firmware")

    with subtest("what cannot be a password stays there, and the console says why"):
        for content, why in [
            (b"short\n", "has 5 bytes, and 8 to 72 are needed"),
            (b"x" * 73, "has 73 bytes, and 8 to 72 are needed"),
            (b"\r\n", "has 0 bytes, and 8 to 72 are needed"),
            ("grüße-123\n".encode("latin-1"), "is neither UTF-8 nor UTF-16"),
            ("correct horse".encode("utf-16-le"), "is neither UTF-8 nor UTF-16"),
        ]:
            give(content)
            shown = first_boot()
            assert why in shown and "it was not taken" in shown, shown
            machine.succeed("test -e /boot/firmware/password")
            assert lets_in(made), why
        machine.succeed("rm /boot/firmware/password")

    with subtest("what an editor of any system writes is taken, and removed from the card"):
        before = made
        for password, content, name in [
            ("correct horse 1", b"correct horse 1", "password"),
            ("correct horse 2", b"correct horse 2\n", "password"),
            ("correct horse 3", b"correct horse 3\r\n", "password.txt"),
            ("grüße-4", "\ufeffgrüße-4\r\n".encode("utf-8"), "password.txt"),
            ("grüße-5", "grüße-5\r\n".encode("utf-16"), "password"),
            ("x" * 72, b"x" * 72, "password"),
        ]:
            give(content, name)
            shown = first_boot()
            assert "with the password that was given" in shown and password not in shown, shown
            same(machine.succeed("ls /boot/firmware"), "")
            assert lets_in(password) and not lets_in(before), password
            before = password

    with subtest("the one that was given stays through a restart of the device"):
        machine.shutdown()
        comes_up()
        assert lets_in(before) and not lets_in(made)
  '';
}
