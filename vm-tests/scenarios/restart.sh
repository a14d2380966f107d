#!/usr/bin/env bash
# Restarts and reloads lose no scrape: connections wait in systemd's socket.
# shellcheck source=vm-tests/scenarios/lib.sh
. "$(dirname "$0")/lib.sh"

wait_until_up
scrape_every 5s
pid=$(property prometheus.service MainPID) start=$(now)
for _ in 1 2 3; do
    systemctl restart edgewatch.service
    sleep 3
    systemctl reload edgewatch.service
    sleep 2
done
systemctl reload prometheus.service
sleep 11
no_scrape_lost "$start" 5
[ "$(property prometheus.service MainPID)" = "$pid" ] || fail "a reload restarted Prometheus"
expect "reload of Prometheus" "$(prom_query prometheus_config_last_reload_successful)" == 1
expect "reload of the service" "$(metric edge_config_last_reload_successful)" == 1
