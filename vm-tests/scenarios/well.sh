#!/usr/bin/env bash
# The stack at rest: every target is up, systemd holds what budget.toml says, and what the units use lies well within.
# shellcheck source=vm-tests/scenarios/lib.sh
. "$(dirname "$0")/lib.sh"

wait_until_up
held edgewatch.slice total
held edgewatch.service edgewatch
held prometheus.service prometheus
for unit in "${units[@]}"; do
    [ "$(property "$unit" Slice)" = edgewatch.slice ] || fail "$unit runs in $(property "$unit" Slice)"
    expect "$unit start limit" "$(property "$unit" StartLimitIntervalUSec)" == 0
done

expect "edge_budget_enforced" "$(metric edge_budget_enforced)" == 1
for controller in cpu memory pids; do
    expect "controller $controller" "$(metric "edge_cgroup_controller_available{controller=\"$controller\"}")" == 1
done
# What the sandbox hides cannot be read: each of these reads something else of the kernel.
for source in cgroup clock cpu disk filesystem load memory pressure process; do
    expect "source $source" "$(metric "edge_source_success{source=\"$source\"}")" == 1
done
expect "sources that fail" "$(curl -sf "$service/metrics" | grep -c '^edge_source_success{.*} 0' || true)" == 0

# The kernel gives the one in pages, whose size differs from machine to machine, and the other in kB.
resident=$(awk '$1 == "VmRSS:" { print $2 * 1024 }' "/proc/$(property edgewatch.service MainPID)/status")
expect "resident memory in percent of what the kernel says in kB" $(($(metric process_resident_memory_bytes) * 100 / resident)) ">" 60
expect "resident memory in percent of what the kernel says in kB" $(($(metric process_resident_memory_bytes) * 100 / resident)) "<" 160

journalctl --boot --unit edgewatch.service --output json --no-pager |
    jq --exit-status --slurp 'any(.[]; .TARGET == "edgewatch::serve")' >/dev/null || fail "the journal has no fields of the service"

sleep 20
for unit in "${units[@]}" edgewatch.slice; do
    usage "$unit"
done
expect "CPUs of the stack over a minute" "$(prom_query 'rate(edge_unit_cpu_seconds_total{unit="edgewatch.slice"}[1m])')" "<" 0.5
expect "seconds throttled" "$(metric 'edge_unit_cpu_throttled_seconds_total{unit="edgewatch.service"}')" "<" 20
wait_until_well 60
