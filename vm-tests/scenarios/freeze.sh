#!/usr/bin/env bash
# A sensor service that stands still is restarted by systemd's watchdog. Prometheus knows no watchdog: edgewatch check tells of it.
# shellcheck source=vm-tests/scenarios/lib.sh
. "$(dirname "$0")/lib.sh"

wait_until_up
pid=$(property edgewatch.service MainPID) start=$(now)
systemctl kill --signal=STOP edgewatch.service
wait_until 90 "the watchdog has restarted it" has_restarted edgewatch.service "$pid"
measured "seconds until it runs again" $(($(now) - start))
journalctl --boot --unit edgewatch.service --grep watchdog --quiet --no-pager >/dev/null || fail "the journal does not say that it was the watchdog"

pid=$(property prometheus.service MainPID)
at_end "systemctl kill --signal=CONT prometheus.service"
systemctl kill --signal=STOP prometheus.service
complaints | grep '^prometheus:' || fail "edgewatch check says nothing of a Prometheus that stands still"
systemctl kill --signal=CONT prometheus.service
wait_until_up
[ "$(property prometheus.service MainPID)" = "$pid" ] || fail "Prometheus did not go on, but was restarted"
