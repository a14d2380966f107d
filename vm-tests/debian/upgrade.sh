#!/usr/bin/env bash
# Another version of the package restarts the service, not Prometheus, and loses no scrape.
# shellcheck source=vm-tests/scenarios/lib.sh
. "$(dirname "$0")/lib.sh"

wait_until_up
scrape_every 5s
pid=$(property edgewatch.service MainPID) prometheus_pid=$(property prometheus.service MainPID) start=$(now)
DEBIAN_FRONTEND=noninteractive apt-get -qq --reinstall install "$here/edgewatch.deb" >/run/apt.log 2>&1 ||
    fail "apt-get install: $(cat /run/apt.log)"
[ "$(property edgewatch.service MainPID)" != "$pid" ] || fail "the old program still runs"
[ "$(property prometheus.service MainPID)" = "$prometheus_pid" ] || fail "Prometheus was restarted"
sleep 11
no_scrape_lost "$start" 5
