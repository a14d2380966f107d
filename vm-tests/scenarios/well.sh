#!/usr/bin/env bash
# The stack at rest: every target is up, systemd holds what budget.toml says, and what the units use lies well within.
# shellcheck source=vm-tests/scenarios/lib.sh
. "$(dirname "$0")/lib.sh"

# held UNIT SECTION: the kernel's limits are those of the budget.
held() {
    local quota period
    expect "$1 memory.max" "$(unit_memory "$1" max)" == "$(bytes "$(budget "$2" memory_max)")"
    expect "$1 memory.high" "$(unit_memory "$1" high)" == "$(bytes "$(budget "$2" memory_high)")"
    expect "$1 memory.min" "$(unit_memory "$1" min)" == "$(bytes "$(budget "$2" memory_min)")"
    expect "$1 pids.max" "$(cat "$(cgroup "$1")/pids.max")" == "$(budget "$2" tasks_max)"
    read -r quota period <"$(cgroup "$1")/cpu.max"
    expect "$1 cpu.max percent" "$((quota * 100 / period))" == "$(budget "$2" cpu_quota | tr -d %)"
}

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

journalctl --boot --unit edgewatch.service --output json --no-pager |
    jq --exit-status --slurp 'any(.[]; .TARGET == "edgewatch::serve")' >/dev/null || fail "the journal has no fields of the service"

sleep 20
for unit in "${units[@]}" edgewatch.slice; do
    usage "$unit"
done
expect "CPUs of the stack over a minute" "$(prom_query 'rate(edge_unit_cpu_seconds_total{unit="edgewatch.slice"}[1m])')" "<" 0.5
expect "seconds throttled" "$(metric 'edge_unit_cpu_throttled_seconds_total{unit="edgewatch.service"}')" "<" 20
wait_until_well 60
