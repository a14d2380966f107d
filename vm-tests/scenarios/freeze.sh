#!/usr/bin/env bash
# Units that stand still: systemd's watchdog restarts the sensor service. Prometheus knows no watchdog; it is asked whether it is
# alive, and killed if not.
# shellcheck source=vm-tests/scenarios/lib.sh
. "$(dirname "$0")/lib.sh"

wait_until_up
sensor=$(property edgewatch.service MainPID) storage=$(property prometheus.service MainPID) start=$(now)
at_end "systemctl kill --signal=CONT prometheus.service"
systemctl kill --signal=STOP edgewatch.service prometheus.service
wait_until 60 "the watchdog has restarted the sensor service" has_restarted edgewatch.service "$sensor"
measured "edgewatch.service seconds until it runs again" $(($(now) - start))
journalctl --boot --unit edgewatch.service --grep watchdog --quiet --no-pager >/dev/null || fail "the journal does not say that it was the watchdog"
complaints | grep '^prometheus:' || fail "edgewatch check says nothing of a Prometheus that stands still"
wait_until 200 "Prometheus has been restarted" has_restarted prometheus.service "$storage"
measured "prometheus.service seconds until it runs again" $(($(now) - start))
wait_until_up
