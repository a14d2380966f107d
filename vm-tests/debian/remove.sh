# Without the package Prometheus is Debian's again; a purge leaves nothing of ours, and a new installation works at once.
. "$(dirname "$0")/lib.sh"

wait_until_up
export DEBIAN_FRONTEND=noninteractive
apt-get -qq remove edgewatch >/run/apt.log 2>&1 || fail "apt-get remove: $(cat /run/apt.log)"
[ "$(property prometheus.service Slice)" = system.slice ] || fail "Prometheus is still in $(property prometheus.service Slice)"
is_of_debian() { curl -sf $prometheus/api/v1/status/flags | grep -q '"/etc/prometheus/prometheus.yml"'; }
wait_until 60 "Prometheus runs with Debian's configuration" is_of_debian
for unit in edgewatch{,-dashboards}.{service,socket} edgewatch-probe.timer; do
    [ "$(property "$unit" ActiveState)" = inactive ] || fail "$unit still runs"
done
[ -e /etc/edgewatch/edgewatch.toml ] || fail "the settings are gone before the purge"
apt-get -qq purge edgewatch >/run/apt.log 2>&1 || fail "apt-get purge: $(cat /run/apt.log)"
left=$(find / -xdev -name '*edgewatch*' -not -path '/run/*' -not -path '/var/log/*' -not -path '/proc/*' -not -path '/var/cache/*' -not -path "$here/*")
[ -z "$left" ] || fail "left behind: $left"
apt-get -qq --no-install-recommends install "$here/edgewatch.deb" >/run/apt.log 2>&1 || fail "apt-get install: $(cat /run/apt.log)"
# Not the minutes that Debian's configuration left in the history.
wait_until_well 150 --window 30s
