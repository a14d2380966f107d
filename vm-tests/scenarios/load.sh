#!/usr/bin/env bash
# Hammered pages and heavy queries: what is too much is refused, and the stack stays within its budget and misses no scrape.
# shellcheck source=vm-tests/scenarios/lib.sh
. "$(dirname "$0")/lib.sh"

wait_until_up
scrape_every 5s
pid=$(property prometheus.service MainPID) start=$(now)
requests() {
    { timeout 30 curl -s --output /dev/null --write-out '%{http_code}\n' "$@" 2>/dev/null || true; } | sort | uniq -c | tr -s ' \n' ' '
}
requests "$service/metrics?[1-100000]" >/run/load.metrics &
requests "$service/dashboards/overview?[1-100]" >/run/load.dashboards &
# A day of every series at every second, 20 at a time.
for _ in $(seq 20); do
    requests "$prometheus/api/v1/query" --data-urlencode 'query=sum(sum_over_time({__name__=~".+"}[1d:1s]))' &
done >/run/load.heavy
wait
measured "answers of /metrics" "$(cat /run/load.metrics)"
measured "answers of a dashboard" "$(cat /run/load.dashboards)"
measured "answers to heavy queries" "$(sort /run/load.heavy | uniq -c | tr -s ' \n' ' ')"
! grep -qvE '^ *[0-9]+ (422|503) *$' /run/load.heavy || fail "heavy queries should get 422 or 503"
for unit in "${units[@]}" edgewatch.slice; do
    usage "$unit"
done
[ "$(property prometheus.service MainPID)" = "$pid" ] || fail "Prometheus died"
expect "slice peak" "$(unit_memory edgewatch.slice peak)" "<=" "$(bytes "$(budget total memory_max)")"
sleep 6
no_scrape_lost "$start" 5
