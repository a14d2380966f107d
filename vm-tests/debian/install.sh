#!/usr/bin/env bash
# Installing the package is all it takes: the stack runs and is well, with no other command.
# shellcheck source=vm-tests/scenarios/lib.sh
. "$(dirname "$0")/lib.sh"

! command -v prometheus >/dev/null || fail "Prometheus is already here, so the package need not bring it"
DEBIAN_FRONTEND=noninteractive apt-get -qq --no-install-recommends install "$here/edgewatch.deb" >/run/apt.log 2>&1 ||
    fail "apt-get install: $(cat /run/apt.log)"
start=$(now)
wait_until_well 150
[ "$(prom_query 'sum(count_over_time(up[10m]) - sum_over_time(up[10m]))')" = 0 ] || fail "a scrape was lost while the package was installed"
measured seconds_until_well $(($(now) - start))
# Its status is 1 if it warns.
warnings=$({ edgewatch check --json || true; } | jq -r '[.checks[] | select(.status == "warning") | .subject] | join(" ")')
[ "$warnings" = clock ] || fail "a machine without network should warn of its clock, and of nothing else; it warns of: $warnings"
