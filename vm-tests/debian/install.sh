# Installing the package is all it takes: the stack runs and is well, with no other command.
. "$(dirname "$0")/lib.sh"

! command -v prometheus >/dev/null || fail "Prometheus is already here, so the package need not bring it"
DEBIAN_FRONTEND=noninteractive apt-get -qq --no-install-recommends install "$here/edgewatch.deb"
start=$(uptime_seconds)
wait_until_well 120
awk -v start="$start" '{ print "seconds_until_well=" $1 - start }' /proc/uptime
[ "$(edgewatch check --json | jq -r '[.checks[] | select(.status == "warning") | .subject] | join(" ")')" = clock ] ||
    fail "a machine without network should warn of its clock, and of nothing else"
