# A Prometheus that stands still is killed after a while, and comes back; nobody has to look.
. "$(dirname "$0")/lib.sh"

wait_until_up
pid=$(property prometheus.service MainPID) start=$(now)
systemctl kill --signal=STOP prometheus.service
wait_until 240 "Prometheus has been restarted" has_restarted prometheus.service "$pid"
measured "seconds until it runs again" $(($(now) - start))
[ "$(property edgewatch-probe.timer ActiveState)" = active ] || fail "the probe does not go on"
wait_until_up
