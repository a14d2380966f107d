machine.start(allow_reboot=True)
wait_until_up()
system = machine.succeed("readlink -f /run/current-system").strip()
paths = {
    name: machine.succeed(f"readlink -f {system}/specialisation/{name}").strip()
    for name in machine.succeed(f"ls {system}/specialisation").split()
}
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
