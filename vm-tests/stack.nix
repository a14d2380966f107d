# The whole stack: every target is up, and Grafana, asleep until somebody comes, shows the dashboards with data in them.
{ lib, ... }:
{
  nodes.machine = { };

  testScript = lib.readFile ./lib/prelude.py + ''
    wait_until_up()

    with subtest("every target is up"):
        # Two scrapes of each.
        machine.wait_until_succeeds(
            "curl -sf --data-urlencode 'query=min(count_over_time(up[5m]))' http://127.0.0.1:9090/api/v1/query"
            " | jq -e '(.data.result[0].value[1] | tonumber) >= 2'",
            timeout=120,
        )
        targets = get(f"{PROMETHEUS}/api/v1/targets?state=active")["data"]["activeTargets"]
        health = {target["labels"]["job"]: target["health"] for target in targets}
        same(health, {"sensor": "up", "prometheus": "up"})
        same(query("min(up)")[0]["value"][1], "1")

    with subtest("rules are loaded and evaluate"):
        groups = get(f"{PROMETHEUS}/api/v1/rules")["data"]["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        assert len(rules) > 10, rules
        same([rule["name"] for rule in rules if rule["health"] == "err"], [])

    with subtest("Grafana sleeps, and the first visit starts it"):
        machine.require_unit_state("grafana.service", "inactive")
        same(get(f"{GRAFANA}/api/health")["database"], "ok")
        machine.require_unit_state("grafana.service", "active")

    with subtest("its data source answers"):
        password = machine.succeed("cat /var/lib/edgewatch-grafana/admin_password").strip()
        source = f"{GRAFANA}/api/datasources/uid/edgewatch-prometheus/health"
        same(get(source, "--user", f"admin:{password}")["status"], "OK")

    with subtest("every dashboard is there for who has no password, and nothing can be changed"):
        dashboards = {found["uid"] for found in get(f"{GRAFANA}/api/search?type=dash-db")}
        same(dashboards, {"edgewatch-overview", "edgewatch-hardware", "edgewatch-sensors", "edgewatch-budget"})
        overview = f"{GRAFANA}/api/dashboards/uid/edgewatch-overview"
        code = status(overview, "-X", "DELETE")
        assert code in {"401", "403"}, code

    with subtest("a panel's query is answered through Grafana"):
        question = {
            "from": "now-5m",
            "to": "now",
            "queries": [
                {"refId": "A", "datasource": {"uid": "edgewatch-prometheus"}, "expr": "up", "instant": True}
            ],
        }
        answer = get(f"{GRAFANA}/api/ds/query", "--json", json.dumps(question))
        same(len(answer["results"]["A"]["frames"]), 2)

    with subtest("the second start finds the secrets of the first"):
        before = machine.succeed("sha256sum /var/lib/edgewatch-grafana/*")
        machine.succeed("systemctl stop edgewatch-grafana.service")
        wait_until_inactive("grafana.service")
        get(f"{GRAFANA}/api/health")
        same(machine.succeed("sha256sum /var/lib/edgewatch-grafana/*"), before)
  '';
}
