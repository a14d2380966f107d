#!/usr/bin/env bash
# Something else on the device takes all the memory there is, again and again: the kernel kills that, not the stack, which misses
# no scrape.
# shellcheck source=vm-tests/scenarios/lib.sh
. "$(dirname "$0")/lib.sh"

wait_until_up
pids() { for unit in "${units[@]}"; do property "$unit" MainPID; done; }
before=$(pids) start=$(now)
hog_is_dead() { [ "$(property scenario-hog ActiveState)" = failed ]; }
for _ in 1 2 3; do
    hogged=$(now)
    systemd-run --quiet --unit scenario-hog --property MemorySwapMax=0 tail /dev/zero
    wait_until 120 "the kernel has killed the hog" hog_is_dead
    [ "$(property scenario-hog Result)" = oom-kill ] || fail "the hog ended with $(property scenario-hog Result)"
    systemctl reset-failed scenario-hog
    measured "seconds until the hog was killed" $(($(now) - hogged))
    sleep 10
done
[ "$(pids)" = "$before" ] || fail "a unit of the stack died as well"
sleep 6
no_scrape_lost "$start" 15
