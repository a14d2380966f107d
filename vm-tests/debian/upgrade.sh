#!/usr/bin/env bash
# Another version of the package restarts the service, not Prometheus, and loses no scrape.
# shellcheck source=vm-tests/scenarios/lib.sh
. "$(dirname "$0")/lib.sh"

installs() {
    DEBIAN_FRONTEND=noninteractive apt-get -qq --reinstall install "$1" >/run/apt.log 2>&1 || fail "apt-get install: $(cat /run/apt.log)"
}
# Without apt's reading of its lists.
replaces() { dpkg --install "$1" >/run/apt.log 2>&1 || fail "dpkg --install: $(cat /run/apt.log)"; }
wait_until_up
scrape_every 5s
pid=$(property edgewatch.service MainPID) prometheus_pid=$(property prometheus.service MainPID) start=$(now)
installs "$here/edgewatch.deb"
[ "$(property edgewatch.service MainPID)" != "$pid" ] || fail "the old program still runs"
[ "$(property prometheus.service MainPID)" = "$prometheus_pid" ] || fail "Prometheus was restarted"

# Other limits are in force at once, and Prometheus is not restarted for them.
# Not in /run: with less than 16 MB free there systemd refuses to read its units anew.
changed=/var/tmp/changed
dpkg-deb --raw-extract "$here/edgewatch.deb" $changed
at_end "rm -rf $changed $changed.deb"
sed -i 's/^MemoryMax=.*/MemoryMax=299M/; s/^TasksMax=.*/TasksMax=255/' $changed/usr/lib/systemd/system/edgewatch.slice
sed -i 's/^MemoryHigh=.*/MemoryHigh=50M/; s/^CPUQuota=.*/CPUQuota=90%/' $changed/usr/lib/systemd/system/prometheus.service.d/edgewatch.conf
dpkg-deb -Znone --build $changed $changed.deb >/dev/null
limits() {
    unit_memory edgewatch.slice max
    cat "$(cgroup edgewatch.slice)/pids.max"
    unit_memory prometheus.service high
    cat "$(cgroup prometheus.service)/cpu.max"
}
before=$(limits)
replaces $changed.deb
[ "$(limits)" = "$(printf '%s\n' "$(bytes 299M)" 255 "$(bytes 50M)" "90000 100000")" ] || fail "the limits in force are $(limits): $(cat /run/apt.log)"
replaces "$here/edgewatch.deb"
[ "$(limits)" = "$before" ] || fail "the limits of the first package are not back: $(limits)"
[ -z "$(find /run/systemd/system.control -name '*.conf' 2>/dev/null)" ] || fail "an upgrade leaves overrides behind"
[ "$(property prometheus.service MainPID)" = "$prometheus_pid" ] || fail "Prometheus was restarted for its limits"
sleep 11
no_scrape_lost "$start" 5

# A package of before kept the history in the directory of Debian's Prometheus. It goes on from there, and back with such a package.
history=/var/lib/prometheus
before=$(date +%s)
samples() { prom_query "count_over_time(up{job=\"sensor\"}[$(($(date +%s) - before + 60))s] @ $before)"; }
kept=$(samples)
sed -i "s|$history/edgewatch|$history/metrics2|" $changed/usr/lib/systemd/system/prometheus.service.d/edgewatch-debian.conf
dpkg-deb -Znone --build $changed $changed.deb >/dev/null
for package in $changed.deb "$here/edgewatch.deb"; do
    replaces "$package"
    wait_until_up
    expect "samples of before" "$(samples)" ">=" "$kept"
done
[ -z "$(ls $history/metrics2)" ] || fail "the history stays in the directory of Debian's Prometheus"

# With less than 16 MB free in /run systemd reads no unit anew: whoever installs is told what that leaves.
at_end "rm -f /run/filler"
fallocate --length $(($(df --output=avail --block-size=1 /run | tail -n 1) - 8388608)) /run/filler
replaces "$here/edgewatch.deb"
grep -q 'the units and limits of before stay in force' /run/apt.log || fail "a refused reload of the units is not told: $(cat /run/apt.log)"
rm /run/filler
systemctl daemon-reload
