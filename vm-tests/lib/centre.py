# Of the machine `centre`, which centre.nix makes the centre of a fleet.
def stored(expression: str) -> list[Any]:
    url = "http://127.0.0.1:8428/api/v1/query"
    command = ["curl", "-sf", "--max-time", "60", "--data-urlencode", f"query={expression}", url]
    return json.loads(centre.succeed(shlex.join(command)))["data"]["result"]


def wait_until_stored(expression: str) -> None:
    def is_there(_: bool) -> bool:
        return stored(expression) != []

    retry(is_there, 400)


def certify() -> str:
    "Gives the centre its certificate, as its owner does, and says what devices have to trust."
    new = "openssl req -x509 -config /etc/test/openssl.cnf -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30"
    authority = "-keyout ca.key -out ca.crt -subj /CN=test -addext basicConstraints=critical,CA:TRUE"
    own = "-CA ca.crt -CAkey ca.key -keyout new.key -out tls.crt -subj /CN=centre -addext subjectAltName=DNS:centre"
    centre.succeed(
        f"cd /var/lib/secrets && {new} {authority} && {new} {own} -addext basicConstraints=critical,CA:FALSE && mv new.key tls.key"
    )
    # Nobody tells the front: it has to find both by itself.
    centre.wait_until_succeeds("curl -s --cacert /var/lib/secrets/ca.crt https://centre:8443/", timeout=120)
    return centre.succeed("cat /var/lib/secrets/ca.crt")


def enrolment(ca: str, edge: str) -> str:
    "The file that the owner of the centre gives for a device."
    url = "https://centre:8443/api/v1/write"
    return f'url = "{url}"\nedge = "{edge}"\nuser = "gate-7"\npassword = "opensesame"\nca = """\n{ca}"""\n'


def hurry(device: Any) -> None:
    "What it will send, it sends soon."
    device.succeed("mkdir -p /etc/edgewatch/edgewatch.d")
    device.succeed("printf '[forward]\\nwindow = \"10s\"\\nlag = \"5s\"\\n' >/etc/edgewatch/edgewatch.d/a-test.toml")


def enrol(device: Any, ca: str, edge: str) -> None:
    hurry(device)
    # NixOS has no other place for a drop-in that is written on the device.
    command = "edgewatch enrol --directory /var/lib/edgewatch-enrolled --units /run/systemd/system -"
    device.succeed(f"{command} <<'END'\n{enrolment(ca, edge)}END\n")


