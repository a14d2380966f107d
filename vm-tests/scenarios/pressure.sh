#!/usr/bin/env bash
# Something else on the device takes all the memory there is: the kernel kills that, not the stack.
# shellcheck source=vm-tests/scenarios/lib.sh
. "$(dirname "$0")/lib.sh"

wait_until_up
pids=$(for unit in "${units[@]}"; do property "$unit" MainPID; done) start=$(now)
systemd-run --quiet --unit scenario-hog --property MemorySwapMax=0 tail /dev/zero
hog_is_dead() { [ "$(property scenario-hog ActiveState)" = failed ]; }
wait_until 120 "the kernel has killed the hog" hog_is_dead
[ "$(property scenario-hog Result)" = oom-kill ] || fail "the hog ended with $(property scenario-hog Result)"
systemctl reset-failed scenario-hog
measured "seconds until the hog was killed" $(($(now) - start))
[ "$(for unit in "${units[@]}"; do property "$unit" MainPID; done)" = "$pids" ] || fail "a unit of the stack died as well"
# While there is no memory at all, a scrape may come too late; afterwards none does.
measured "scrapes that succeeded meanwhile" "$(prom_query "avg_over_time(up{job=\"sensor\"}[$(($(now) - start))s])")"
wait_until_up
start=$(now)
sleep 31
no_scrape_lost "$start" 15
