#!/usr/bin/env bash
# The power goes while samples are written; the device comes back by itself, with all but the last moments. Two boots on the same
# disk: in the first with the argument "before", which ends in POWER CUT, in the second with "after".
# shellcheck source=vm-tests/scenarios/lib.sh
. "$(dirname "$0")/lib.sh"

note=/var/tmp/edgewatch-power-cut
series='up{job="sensor"}'
# stored FROM TO: number of samples between the two times.
stored() { prom_query "count_over_time(${series}[$(($2 - $1))s] @ $2)"; }

case $1 in
before)
    wait_until_up
    scrape_every 1s
    sleep 60
    end=$(($(date +%s) - 35))
    echo "$(date +%s) $end $(stored $((end - 600)) "$end")" >$note
    sync $note
    echo "POWER CUT"
    sleep infinity
    ;;
after)
    read -r cut end older <$note
    wait_until_up
    booted=$(date --date "$(uptime -s)" +%s)
    last=$(prom_query "max_over_time(timestamp($series)[1h:1s] @ $booted)")
    first=$(prom_query "min_over_time(timestamp($series)[$(($(date +%s) - booted))s:1s])")
    expect "older samples" "$(stored $((end - 600)) "$end")" == "$older"
    expect "seconds of samples lost" "$((cut - ${last%.*}))" "<=" 35
    measured "seconds from power to the first sample" "$((${first%.*} - booted))"
    expect "gap without the time off" "$((cut - ${last%.*} + ${first%.*} - booted))" "<=" 60
    ;;
esac
