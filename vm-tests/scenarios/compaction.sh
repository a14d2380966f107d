#!/usr/bin/env bash
# Memory of a stack that has just booted, at rest with its 15 s scrapes, and over two compactions of the head: hours of history in
# minutes, by scrapes every two seconds into blocks of a minute.
# shellcheck source=vm-tests/scenarios/lib.sh
. "$(dirname "$0")/lib.sh"

# Pages belong to the unit that reads them first. This boot's must not belong to the copying of a program.
systemctl stop "${units[@]}"
sync
echo 3 >/proc/sys/vm/drop_caches
systemctl start "${units[@]}"
wait_until_up

files() {
    service_cgroup=$(cgroup edgewatch.service) prometheus_cgroup=$(cgroup prometheus.service)
}

# judged WHAT ACTUAL OPERATOR LIMIT: as expect, but what comes after it is measured all the same.
too_much=''
judged() { (expect "$@") || too_much="$too_much; $1"; }

# judge STATE SECONDS SERVICE ANON [COMMAND…]: looks each second until they are over or the command succeeds, and takes the worst. The MB
# that are allowed: SERVICE for the service, ANON for Prometheus' own.
judge() {
    local state=$1 end=$(($(now) + $2)) most_service=$3 most_anon=$4 refaults start current=0 anon=0 both=0 service_current=0 value service_value
    shift 4
    files
    of_stat "$prometheus_cgroup/memory.stat" workingset_refault_file
    refaults=$value start=$(now)
    while [ "$(now)" -lt "$end" ]; do
        of_stat "$prometheus_cgroup/memory.stat" anon
        anon=$((value > anon ? value : anon))
        read -r value <"$prometheus_cgroup/memory.current"
        read -r service_value <"$service_cgroup/memory.current"
        current=$((value > current ? value : current))
        service_current=$((service_value > service_current ? service_value : service_current))
        both=$((value + service_value > both ? value + service_value : both))
        sleep 1
        # Asking Prometheus costs it more than a look at files.
        [ $# = 0 ] || [ $(($(now) % 4)) != 0 ] || ! "$@" || break
    done
    [ $# = 0 ] || [ "$(now)" -lt "$end" ] || fail "$state: not seen in time"
    of_stat "$prometheus_cgroup/memory.stat" workingset_refault_file
    value=$(((value - refaults) / ($(now) - start)))
    usage edgewatch.service
    usage prometheus.service
    judged "$state: edgewatch.service current" "$(megabytes $service_current)" "<=" "$most_service"
    judged "$state: prometheus.service current" "$(megabytes $current)" "<=" 48
    judged "$state: prometheus.service anon" "$(megabytes $anon)" "<=" "$most_anon"
    judged "$state: both" "$(megabytes $both)" "<=" 56
    judged "$state: refaults a second" $value "<" 5
}

# Reading the program for the first time is no refault, but makes some: let it settle.
sleep 30
start=$(now)
# A page of 16 KB is charged as a whole, whatever is used of it.
judge idle 30 $(($(getconf PAGESIZE) > 4096 ? 5 : 4)) 28
no_scrape_lost "$start" 15

compactions() { curl -sf "$prometheus/metrics" | awk '$1 == "prometheus_tsdb_compactions_total" { print $2 }'; }
command=$(command_of prometheus.service)
override prometheus.service '[Service]' 'ExecStart=' \
    "ExecStart=$command --storage.tsdb.min-block-duration=1m --storage.tsdb.max-block-duration=1m"
wait_until_up
scrape_every 2s
sleep 30
start=$(now) done_before=$(compactions)
compacted() { [ "$(compactions)" -ge $((done_before + 2)) ]; }
# GOMEMLIMIT is a soft limit: while a compaction lasts, the heap may pass it for a moment. With blocks of a minute another one can fall
# into the time after them.
judge "two compactions" 300 6 40 compacted
judge "after them" 20 6 40
measured "compactions" $(($(compactions) - done_before))
no_scrape_lost "$start" 2
[ -z "$too_much" ] || fail "too much${too_much/;/:}"
