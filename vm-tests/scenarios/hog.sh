#!/usr/bin/env bash
# Memory without end in one unit: this unit alone dies and comes back. The sensor service dies by the kernel's hand, which is counted
# and told. Prometheus, whose MemoryHigh is far below its MemoryMax, is slowed down so much in between that the probe, which it no
# longer answers, may be the first.
# shellcheck source=vm-tests/scenarios/lib.sh
. "$(dirname "$0")/lib.sh"

# hog UNIT: what a leak in the unit would do. What a process allocates is charged to where it is then.
hog() {
    sh -c 'echo $$ >"$0/cgroup.procs"; exec tail /dev/zero' "$(cgroup "$1")" &
}

# Where memory is short the program's own pages are read again and again, for up to half a minute in an emulated machine: the
# watchdog, which may then be the first, is not what is to be seen here.
override edgewatch.service '[Service]' WatchdogSec=3min
wait_until_up
declare -A others=([edgewatch.service]=prometheus.service [prometheus.service]=edgewatch.service)
for unit in "${units[@]}"; do
    pid=$(property "$unit" MainPID) other=$(property "${others[$unit]}" MainPID) start=$(now)
    hog "$unit"
    wait_until 180 "$unit was killed and is back" has_restarted "$unit" "$pid"
    measured "$unit seconds until it runs again" $(($(now) - start))
    measured "$unit died of" "$(journalctl --boot --unit "$unit" --grep 'Failed with result' --output cat --lines 1 --quiet)"
    [ "$(property "${others[$unit]}" MainPID)" = "$other" ] || fail "${others[$unit]} died as well"
done
journalctl --boot --unit edgewatch.service --grep oom-kill --quiet --no-pager >/dev/null ||
    fail "edgewatch.service did not die of its memory limit"
wait_until_up
expect "slice peak" "$(unit_memory edgewatch.slice peak)" "<=" "$(bytes "$(budget total memory_max)")"
expect "oom kills in the slice" "$(metric 'edge_unit_memory_events_total{unit="edgewatch.slice",event="oom_kill"}')" ">=" 1
complaints | grep '^oom kills:' || fail "edgewatch check does not tell of the kills"

# What edgewatch check advises.
systemctl restart edgewatch.slice
wait_until_well 120 --window 30s
