#!/usr/bin/env bash
# At rest nothing is written to the card before it has to be: what Prometheus writes rests in memory until it is old
# (vm.dirty_expire_centisecs), though little is written to the disk and the kernel would grant it no share of what may be dirty; and the
# probe, which starts twice a minute, makes no files.
# shellcheck source=vm-tests/scenarios/lib.sh
. "$(dirname "$0")/lib.sh"

seconds=150
traced=/sys/kernel/tracing/instances/writeback
mkdir "$traced"
at_end "rmdir $traced"
echo "reason == 0" >"$traced/events/writeback/writeback_start/filter" # WB_REASON_BACKGROUND of include/linux/backing-dev-defs.h
wait_until_up
group=$(stat --format %i "$(cgroup prometheus.service)")
files=$(stat --format %y /var/tmp)
echo 1 >"$traced/events/writeback/writeback_start/enable"
sleep $seconds
echo 0 >"$traced/events/writeback/writeback_start/enable"
begun=$(grep -c "cgroup_ino=$group\$" "$traced/trace") || true
expect "background writebacks of Prometheus in $seconds s" "$begun" == 0
[ "$(stat --format %y /var/tmp)" = "$files" ] || fail "something made or removed a file in /var/tmp"
