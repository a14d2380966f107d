# Of the machine `centre`, which receiver.nix makes one that takes samples.
def received(expression: str) -> float:
    url = "http://127.0.0.1:9090/api/v1/query"
    answer = centre.succeed(
        shlex.join(["curl", "-sf", "-u", "machine:opensesame", "--data-urlencode", f"query={expression}", url])
    )
    result = json.loads(answer)["data"]["result"]
    return float(result[0]["value"][1]) if result else 0.0


def wait_for_samples(expression: str, count: float) -> None:
    def enough(_: bool) -> bool:
        return received(expression) >= count

    retry(enough, 180)


def wait_for_centre() -> None:
    centre.wait_for_unit("prometheus.service")
    # It wants a password: any answer will do.
    centre.wait_until_succeeds("curl -s http://127.0.0.1:9090/-/ready")
