#!/usr/bin/env bash
# A kernel that cannot hold the budget: the stack works all the same, and says so wherever one looks. Needs a boot of its own. With the
# argument "controller" or none, the kernel's command line says cgroup_disable=memory psi=0; with "v1", cgroup v2 is switched off.
# shellcheck source=vm-tests/scenarios/lib.sh
. "$(dirname "$0")/lib.sh"

# says SUBJECT REMEDY: edgewatch check complains, and tells how to mend it.
says() {
    jq -e --arg subject "$1" --arg remedy "$2" \
        'any(.checks[]; .subject == $subject and .status != "ok" and (.remedy // "" | contains($remedy)))' /run/report >/dev/null ||
        fail "edgewatch check does not say $2 of $1: $(jq -c .checks /run/report)"
}

wait_until_up
expect "edge_budget_enforced" "$(metric edge_budget_enforced)" == 0
status=0
edgewatch check --json >/run/report || status=$?
expect "exit status of edgewatch check" $status ">" 0
case ${1:-controller} in
controller)
    expect "controller memory" "$(metric 'edge_cgroup_controller_available{controller="memory"}')" == 0
    says enforcement cgroup_enable=memory
    expect "edge_pressure_available" "$(metric edge_pressure_available)" == 0
    says pressure psi=1
    ;;
v1)
    [ ! -e /sys/fs/cgroup/cgroup.controllers ] || fail "this machine has cgroup v2"
    says enforcement systemd.unified_cgroup_hierarchy=1
    ;;
esac
wait_until 120 "the alert is on its way" query_is 'count(ALERTS{alertname="BudgetNotEnforced"})' 1
