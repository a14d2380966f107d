#!/usr/bin/env bash
# Memory without end in one unit: the kernel kills this unit alone, which comes back; the kill is counted and told.
# shellcheck source=vm-tests/scenarios/lib.sh
. "$(dirname "$0")/lib.sh"

# hog UNIT: what a leak in the unit would do. A group of the kernel's is one of pages, so the process only has to move there.
hog() {
    sh -c 'echo $$ >"$0/cgroup.procs"; exec tail /dev/zero' "$(cgroup "$1")" &
}

wait_until_up
declare -A others=([edgewatch.service]=prometheus.service [prometheus.service]=edgewatch.service)
for unit in "${units[@]}"; do
    pid=$(property "$unit" MainPID) other=$(property "${others[$unit]}" MainPID) start=$(now)
    hog "$unit"
    wait_until 120 "$unit was killed and is back" has_restarted "$unit" "$pid"
    measured "$unit seconds until it runs again" $(($(now) - start))
    journalctl --boot --unit "$unit" --grep oom-kill --quiet --no-pager >/dev/null || fail "$unit did not die of its memory limit"
    [ "$(property "${others[$unit]}" MainPID)" = "$other" ] || fail "${others[$unit]} died as well"
done
wait_until_up
expect "slice peak" "$(unit_memory edgewatch.slice peak)" "<=" "$(bytes "$(budget total memory_max)")"
expect "oom kills in the slice" "$(metric 'edge_unit_memory_events_total{unit="edgewatch.slice",event="oom_kill"}')" ">=" 2
complaints | grep '^oom kills:' || fail "edgewatch check does not tell of the kills"

# What edgewatch check advises.
systemctl restart edgewatch.slice
wait_until_well 120
