# Without the package Prometheus is Debian's again; a purge leaves nothing of ours, and a new installation works at once.
. "$(dirname "$0")/lib.sh"

own=/var/lib/prometheus/metrics2
wait_until_up
[ -z "$(ls $own)" ] || fail "something has written to the directory of Debian's Prometheus: $(ls $own)"
export DEBIAN_FRONTEND=noninteractive
apt-get -qq remove edgewatch >/run/apt.log 2>&1 || fail "apt-get remove: $(cat /run/apt.log)"
[ "$(property prometheus.service Slice)" = system.slice ] || fail "Prometheus is still in $(property prometheus.service Slice)"
is_of_debian() { curl -sf $prometheus/api/v1/status/flags | grep -q '"/etc/prometheus/prometheus.yml"'; }
wait_until 60 "Prometheus runs with Debian's configuration" is_of_debian
[ -e $own/wal ] || fail "Debian's Prometheus does not keep its history in $own"
for unit in edgewatch{,-dashboards}.{service,socket} edgewatch-probe.timer; do
    [ "$(property "$unit" ActiveState)" = inactive ] || fail "$unit still runs"
done
[ -e /etc/edgewatch/edgewatch.toml ] || fail "the settings are gone before the purge"
apt-get -qq purge edgewatch >/run/apt.log 2>&1 || fail "apt-get purge: $(cat /run/apt.log)"
left=$(find / -xdev -name '*edgewatch*' -not -path '/run/*' -not -path '/var/log/*' -not -path '/proc/*' -not -path '/var/cache/*' -not -path "$here/*")
[ -z "$left" ] || fail "left behind: $left"
apt-get -qq --no-install-recommends install "$here/edgewatch.deb" >/run/apt.log 2>&1 || fail "apt-get install: $(cat /run/apt.log)"
wait_until_well 150
[ -e $own/wal ] || fail "the history of Debian's Prometheus is gone"
