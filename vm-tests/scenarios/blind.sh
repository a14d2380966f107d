#!/usr/bin/env bash
# A kernel that cannot hold the budget: the stack works all the same, and says so wherever one looks. Needs a boot of its own, with
# cgroup_disable=memory psi=0 on the kernel's command line.
# shellcheck source=vm-tests/scenarios/lib.sh
. "$(dirname "$0")/lib.sh"

wait_until_up
expect "edge_budget_enforced" "$(metric edge_budget_enforced)" == 0
expect "controller memory" "$(metric 'edge_cgroup_controller_available{controller="memory"}')" == 0
expect "edge_pressure_available" "$(metric edge_pressure_available)" == 0
status=0
edgewatch check --json >/run/report || status=$?
expect "exit status of edgewatch check" $status ">" 0
jq -e '.checks[] | select(.subject == "enforcement" and .status != "ok") | .remedy | contains("cgroup_enable=memory")' /run/report ||
    fail "edgewatch check does not say how to switch the memory controller on"
jq -e '.checks[] | select(.remedy // "" | contains("psi=1"))' /run/report >/dev/null ||
    fail "edgewatch check does not say how to switch pressure on"
wait_until 120 "the alert is on its way" query_is 'count(ALERTS{alertname="BudgetNotEnforced"})' 1
