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

# systemd itself, over D-Bus: a unit that fails is told by its name, and no longer when it has been reset. A start reads at once.
failed='node_systemd_unit_state{name="fails-on-purpose.service",state="failed"}'
says() { systemctl restart edgewatch.service && sleep 2 && [ "$(metric "$failed")" = "$1" ]; }
systemd-run --quiet --unit=fails-on-purpose false
wait_until 30 "the failed unit is told" says 1
expect "units that have failed" "$(metric 'node_systemd_units{state="failed"}')" ">=" 1
systemctl reset-failed fails-on-purpose.service
wait_until 30 "the failed unit is forgotten" says ""
expect "units that are active" "$(metric 'node_systemd_units{state="active"}')" ">" 10
