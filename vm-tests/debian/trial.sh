#!/usr/bin/env bash
# An upgrade with which the device is not well is taken back, with the history intact; the second time apt refuses that version; one with
# which it is well stays. Two boots on the same disk, for the power is cut in the middle of a trial: the first with the argument "before",
# the second with "after".
# shellcheck source=vm-tests/scenarios/lib.sh
. "$(dirname "$0")/lib.sh"

state=/var/lib/edgewatch-trial
note=/var/tmp/scenario-trial
version_is() { [ "$(dpkg-query --show --showformat '${Version} ${db:Status-Status}' edgewatch)" = "$1 installed" ]; }
was_taken_back() { version_is "$1" && [ ! -e $state/trial ]; }
# package VERSION [COMMANDS]: another version of the package, in whose tree the commands were run.
package() {
    local tree=/var/tmp/tree
    rm -rf $tree
    dpkg-deb --raw-extract "$here/edgewatch.deb" $tree
    sed -i "s/^Version: .*/Version: $1/" $tree/DEBIAN/control
    (cd $tree && eval "${2-}")
    dpkg-deb -Znone --build $tree "/var/tmp/edgewatch_$1.deb" >/dev/null
    rm -rf $tree
}
# upgrade VERSION: whatever its scripts say.
upgrade() { dpkg --force-confdef --force-confold --install "/var/tmp/edgewatch_$1.deb" >/run/dpkg.log 2>&1 || true; }
# candidate: the version that apt would install, of a repository that has them all.
candidate() {
    local list=/etc/apt/sources.list.d/scenario.list file
    for file in /var/tmp/edgewatch_*.deb; do
        dpkg-deb --field "$file"
        printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "${file##*/}" "$(stat -c %s "$file")" "$(sha256sum "$file" | cut -d ' ' -f 1)"
    done >/var/tmp/Packages
    echo "deb [trusted=yes] file:/var/tmp ./" >$list
    apt-get -qq -o Dir::Etc::SourceList=/dev/null update >/run/apt.log 2>&1 || fail "apt-get update: $(cat /run/apt.log)"
    apt-cache policy edgewatch | awk '$1 == "Candidate:" { print $2 }'
}
# It is read every 15 s.
metric_is() { [ "$(metric "$1")" = "$2" ]; }
watchdog_is() { curl -sf "$service/metrics" | grep -q "^node_watchdog_info{.*state=\"$1\""; }
samples() { prom_query "count_over_time(up{job=\"sensor\"}[$(($(date +%s) - $1 + 60))s] @ $1)"; }

# The owner has changed the first of the two files.
# shellcheck disable=SC2016 # what `package` expands
new_settings='for file in etc/edgewatch/edgewatch.toml etc/edgewatch/prometheus.yml; do echo "# theirs" >>$file; done'
settings_are_of_before() {
    grep -qx "# mine" /etc/edgewatch/edgewatch.toml || fail "the owner's settings are gone"
    ! grep -qx "# theirs" /etc/edgewatch/prometheus.yml || fail "the settings of the version that was taken back stay"
}

old=$(dpkg-deb --field "$here/edgewatch.deb" Version)
bad=$old+bad worse=$old+worse idle=$old+idle good=$old+good

case $1 in
before)
    mkdir -p /etc/systemd/system/edgewatch-trial.service.d
    printf '[Service]\nEnvironment=WELL_FOR=30 WITHIN=180\n' >/etc/systemd/system/edgewatch-trial.service.d/scenario.conf
    systemctl daemon-reload
    wait_until_up
    start=$(date +%s)
    printf '%s\n' "$start" "$(samples "$start")" >$note
    echo "# mine" >>/etc/edgewatch/edgewatch.toml
    # The program does not start.
    package "$bad" "printf '#!/bin/sh\nexit 1\n' >usr/bin/edgewatch; $new_settings"
    upgrade "$bad"
    version_is "$bad" || fail "the upgrade did not come: $(cat /run/dpkg.log)"
    apt-mark -qq hold edgewatch
    dpkg-deb --raw-extract $state/previous.deb /var/tmp/packed
    (cd /var/tmp/packed && md5sum --quiet --check DEBIAN/md5sums) || fail "what is kept is not the package"
    cp -r /var/tmp/packed/DEBIAN /var/tmp/kept && dpkg-deb --control "$here/edgewatch.deb" /var/tmp/first
    [ "$(cat /var/tmp/kept/conffiles)" = /etc/edgewatch/prometheus.yml ] || fail "the settings in it are $(cat /var/tmp/kept/conffiles)"
    diff -r --exclude=control --exclude=conffiles /var/tmp/first /var/tmp/kept || fail "what is kept has other scripts"
    rm -rf /var/tmp/{packed,kept,first}
    wait_until 420 "the bad version is taken back" was_taken_back "$old"
    [ "$(apt-mark showhold)" = edgewatch ] || fail "nobody holds the package any more"
    apt-mark -qq unhold edgewatch
    wait_until_well 150 --window 1m
    wait_until 40 "one upgrade is told to be taken back" metric_is edge_update_taken_back 1
    expect "samples of before" "$(samples "$(head -n 1 $note)")" ">=" "$(tail -n 1 $note)"
    settings_are_of_before
    [ "$(candidate)" = "$bad" ] || fail "one failure is enough for apt to refuse a version"
    # Not even its scripts run, so that dpkg leaves it half installed, and nothing of it can help.
    package "$worse" 'printf "#!/bin/sh\nexit 1\n" | tee usr/bin/edgewatch usr/lib/edgewatch/trial DEBIAN/postinst >DEBIAN/prerm'
    upgrade "$worse"
    version_is "$worse" && fail "its scripts should have failed"
    wait_until 420 "the worse version is taken back" was_taken_back "$old"
    wait_until_well 150 --window 1m
    upgrade "$bad"
    sleep 20
    sync
    echo "POWER CUT"
    sleep infinity
    ;;
after)
    [ -e $state/trial ] || was_taken_back "$old" || fail "the trial is forgotten"
    wait_until 420 "the bad version is taken back" was_taken_back "$old"
    wait_until_well 150 --window 1m
    wait_until 40 "three upgrades are told to be taken back" metric_is edge_update_taken_back 3
    expect "samples of before" "$(samples "$(head -n 1 $note)")" ">=" "$(tail -n 1 $note)"
    [ "$(candidate)" = "$worse" ] || fail "apt would install $(candidate), which failed twice here"
    settings_are_of_before
    # The version before armed the watchdog, and the next one does not.
    modprobe softdog
    mkdir -p /etc/systemd/system.conf.d
    printf '[Manager]\nRuntimeWatchdogSec=10min\n' >/etc/systemd/system.conf.d/scenario.conf
    systemctl daemon-reexec
    wait_until 40 "the watchdog is armed" watchdog_is active
    package "$idle" 'sed -i "1a rm -f /etc/systemd/system.conf.d/scenario.conf; systemctl daemon-reexec" DEBIAN/postinst'
    upgrade "$idle"
    version_is "$idle" || fail "the idle version did not come: $(cat /run/dpkg.log)"
    wait_until 40 "the watchdog is not armed" watchdog_is inactive
    wait_until 420 "the idle version is taken back" was_taken_back "$old"
    journalctl --boot --unit edgewatch-trial | grep "was well, but for what the version before did: hardware watchdog" || fail "the reason is not told"
    wait_until_well 150 --window 1m
    package "$good" "$new_settings"
    upgrade "$good"
    wait_until 25 "the trial is told" metric_is edge_update_on_trial 1
    wait_until 300 "the good version is kept" test ! -e $state/trial
    version_is "$good" || fail "the good version is gone"
    grep -qx "# mine" /etc/edgewatch/edgewatch.toml || fail "the owner's settings are gone"
    grep -qx "# theirs" /etc/edgewatch/prometheus.yml || fail "the new settings did not come"
    for file in $state/failed /etc/apt/preferences.d/edgewatch-refused; do
        [ ! -e "$file" ] || fail "$file still holds against it what failed before"
    done
    ;;
esac
