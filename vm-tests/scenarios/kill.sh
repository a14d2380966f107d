#!/usr/bin/env bash
# A unit that is killed is back as soon as its RestartSec allows, and what was stored before is still there.
# shellcheck source=vm-tests/scenarios/lib.sh
. "$(dirname "$0")/lib.sh"

wait_until_up
for unit in "${units[@]}"; do
    stored=$(prom_query 'count_over_time(up{job="sensor"}[1h])')
    pid=$(property "$unit" MainPID) restarts=$(property "$unit" NRestarts) start=$(now)
    systemctl kill --signal=KILL "$unit"
    wait_until 20 "$unit runs again" has_restarted "$unit" "$pid"
    measured "$unit seconds until it runs again" $(($(now) - start))
    expect "$unit restarts" "$(property "$unit" NRestarts)" == $((restarts + 1))
    wait_until_up
    expect "stored scrapes" "$(prom_query 'count_over_time(up{job="sensor"}[1h])')" ">=" "$stored"
done
