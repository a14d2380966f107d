#!/usr/bin/env bash
# A device without a clock of its own starts long before its history ends, and learns the time later. Needs a boot of its own, with
# a clock that says 1970 and without the time that systemd saved. The argument is the time that is right at the boot.
# shellcheck source=vm-tests/scenarios/lib.sh
. "$(dirname "$0")/lib.sh"

right=$1
synchronise() { date --set "@$((right + $(now)))" >/dev/null; }
# Samples from before this boot.
history() { prom_query "count_over_time(up{job=\"sensor\"}[12h] @ $right)"; }
answers() { curl -sf "$service/readyz" && curl -sf "$prometheus/-/ready"; }

wait_until 90 "the service and Prometheus answer" answers
wrong=$(date +%s)
expect "days behind" $(((right - wrong) / 86400)) ">" 1
kept=$(history)
expect "samples of the history" "$kept" ">" 0
# What is much older than the newest sample is not stored: nobody may take this for a stack that is well.
tells() {
    edgewatch check --json >/run/report || true
    jq -e 'any(.checks[]; .subject == "clock" and .status == "warning")
        and any(.checks[]; .subject == "target sensor" and .status == "failed" and (.remedy | contains("the clock is behind the history")))' /run/report
}
wait_until 60 "edgewatch check says that nothing is stored, and that the clock is not set" tells
jq -r '.checks[] | select(.subject == "target sensor") | .found' /run/report

synchronise
start=$(now)
wait_until 40 "samples are stored" is_up
measured "seconds from the time to the first samples" $(($(now) - start))
expect "samples of the history" "$(history)" == "$kept"
expect "steps of the clock" "$(metric edge_clock_steps_total)" == 1
sleep 31
no_scrape_lost $((start + 20)) 15

# The first boot of all: the first samples are those of the wrong time, and retention must not take the right ones for old.
data=$(curl -sf "$prometheus/api/v1/status/flags" | jq -r '.data["storage.tsdb.path"]')
systemctl stop prometheus.service
find "${data:?}" -mindepth 1 -delete
date --set "@$wrong" >/dev/null
systemctl start prometheus.service
wait_until_up
sleep 20
expect "samples at the wrong time" "$(prom_query 'count_over_time(up{job="sensor"}[5m])')" ">" 0
synchronise
start=$(now)
wait_until 40 "samples are stored" is_up
measured "seconds from the time to the first samples" $(($(now) - start))
compactions() { curl -sf "$prometheus/metrics" | awk '$1 == "prometheus_tsdb_compactions_total" { print $2 }'; }
compacted() { [ "$(compactions)" -ge 1 ]; }
wait_until 120 "the samples of the wrong time are put away" compacted
sleep 31
no_scrape_lost $((start + 20)) 15
usage prometheus.service
