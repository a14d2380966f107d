#!/usr/bin/env bash
# Memory of a stack that has just booted, at rest with its 15 s scrapes, and over two compactions of the head: hours of history in
# minutes, by scrapes each second into blocks of a minute.
# shellcheck source=vm-tests/scenarios/lib.sh
. "$(dirname "$0")/lib.sh"

# Pages belong to the unit that reads them first. This boot's must not belong to the copying of a program.
systemctl stop "${units[@]}"
sync
echo 3 >/proc/sys/vm/drop_caches
systemctl start "${units[@]}"
wait_until_up

refaults() { unit_memory prometheus.service workingset_refault_file; }

# judge STATE COMMAND…: looks each second until the command succeeds, and takes the worst.
judge() {
    local state=$1 before start current=0 anon=0 both=0 service_current=0 value service_value
    shift
    before=$(refaults) start=$(now)
    until "$@"; do
        value=$(unit_memory prometheus.service current) service_value=$(unit_memory edgewatch.service current)
        current=$((value > current ? value : current))
        service_current=$((service_value > service_current ? service_value : service_current))
        both=$((value + service_value > both ? value + service_value : both))
        value=$(unit_memory prometheus.service anon)
        anon=$((value > anon ? value : anon))
        sleep 1
    done
    usage edgewatch.service
    usage prometheus.service
    expect "$state: edgewatch.service current" "$(megabytes $service_current)" "<=" 6
    expect "$state: prometheus.service current" "$(megabytes $current)" "<=" 48.5
    expect "$state: prometheus.service anon" "$(megabytes $anon)" "<=" 24
    expect "$state: both" "$(megabytes $both)" "<=" 56
    expect "$state: refaults a second" $((($(refaults) - before) / ($(now) - start))) "<" 5
}

# Reading the program for the first time is no refault, but makes some: let it settle.
sleep 30
start=$(now)
later() { [ "$(now)" -ge "$1" ]; }
judge idle later $((start + 30))
no_scrape_lost "$start" 15

compactions() { curl -sf "$prometheus/metrics" | awk '$1 == "prometheus_tsdb_compactions_total" { print $2 }'; }
command=$(tr '\0' ' ' <"/proc/$(property prometheus.service MainPID)/cmdline")
override prometheus.service '[Service]' 'ExecStart=' \
    "ExecStart=$command --storage.tsdb.min-block-duration=1m --storage.tsdb.max-block-duration=1m"
wait_until_up
scrape_every 1s
start=$(now) before=$(compactions)
compacted() { [ "$(compactions)" -ge $((before + 2)) ]; }
judge "two compactions" compacted
judge "after them" later $(($(now) + 20))
no_scrape_lost "$start" 1
