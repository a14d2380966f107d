#!/usr/bin/env bash
# The power goes while samples are written; the device comes back by itself, with all but the last moments. Two boots on the same
# disk: in the first with the argument "before", which ends in POWER CUT, in the second with "after".
# shellcheck source=vm-tests/scenarios/lib.sh
. "$(dirname "$0")/lib.sh"

note=/var/tmp/scenario-power-cut
series='up{job="sensor"}'
# stored FROM TO: number of samples between the two times.
stored() { prom_query "count_over_time(${series}[$(($2 - $1))s] @ $2)"; }
# scrapes SECONDS: the times of the last samples, one a line.
scrapes() {
    curl -sf "$prometheus/api/v1/query" --data-urlencode "query=${series}[$1s]" | jq '.data.result[].values[][0] | floor' | sort -n
}

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
    scrapes $(($(date +%s) - end)) >/run/scrapes
    last=$(awk -v booted="$booted" '$1 < booted' /run/scrapes | tail -n 1)
    first=$(awk -v booted="$booted" '$1 >= booted' /run/scrapes | head -n 1)
    expect "older samples" "$(stored $((end - 600)) "$end")" == "$older"
    expect "seconds of samples lost" $((cut - ${last:-0})) "<=" 35
    measured "seconds from power to the first sample" $((${first:-0} - booted))
    # How long an emulated kernel takes is no matter of ours.
    start=$(($(property basic.target ActiveEnterTimestampMonotonic) / 1000000))
    expect "gap without the time off and the start of the system" $((cut - last + first - booted - start)) "<=" 60
    ;;
*) fail "which of the two boots is this: before or after?" ;;
esac
