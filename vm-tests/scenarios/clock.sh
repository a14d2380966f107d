#!/usr/bin/env bash
# The clock goes an hour ahead, and is set right later: the steps are counted, and no sample is refused for being old.
# shellcheck source=vm-tests/scenarios/lib.sh
. "$(dirname "$0")/lib.sh"

wait_until_up
scrape_every 5s
steps=$(metric edge_clock_steps_total)
date --set "+1 hour" >/dev/null
stepped() { [ "$(metric edge_clock_steps_total)" = $((steps + $1)) ]; }
wait_until 40 "the step ahead is counted" stepped 1
expect "size of the step" "$(metric edge_clock_step_seconds)" ">" 3590
sleep 15
date --set "-1 hour" >/dev/null
start=$(now)
wait_until 40 "the step back is counted" stepped 2
expect "size of the step" "$(metric edge_clock_step_seconds)" "<" -3590
sleep 20
no_scrape_lost "$start" 5
expect "samples out of order" "$(prom_query 'prometheus_tsdb_head_out_of_order_samples_appended_total')" ">" 0
