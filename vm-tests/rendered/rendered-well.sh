#!/usr/bin/env bash
# The rendered configuration has booted: the stack is well, the first boot has made a password, and the network is asked for it.
# shellcheck source=vm-tests/scenarios/lib.sh
. "$(dirname "$0")/lib.sh"

wait_until_well 180
cycle=$(journalctl --boot --grep 'ordering cycle' --output cat --no-pager || true)
[ -z "$cycle" ] || fail "$cycle"
journalctl --boot --unit edgewatch-first-boot.service --no-pager --output cat
for unit in edgewatch edgewatch-first-boot edgewatch-fingerprint; do
    expect "restarts of $unit" "$(property $unit.service NRestarts)" == 0
done
for unit in edgewatch.service prometheus.service edgewatch-first-boot.service edgewatch-fingerprint.service edgewatch-clock.service edgewatch-probe.timer edgewatch-{dashboards,grafana}.socket; do
    [ "$(property "$unit" ActiveState)" = active ] || fail "$unit is $(property "$unit" ActiveState)"
done
failed=$(systemctl --failed --plain --no-legend | grep -E 'edgewatch|prometheus' || true)
[ -z "$failed" ] || fail "$failed"

password=$(</var/lib/edgewatch-appliance/password)
expect "length of the password" ${#password} == 19
grep -qF "Password $password" /run/edgewatch-appliance/issue || fail "the console does not show the password"
getent shadow operator | grep -qF "$(cut -d : -f 2 /var/lib/edgewatch-appliance/users)" || fail "it is not the password of the account"

# An address that is not loopback. From one address of the device to another the kernel takes the latter as the source.
mkdir -p /run/systemd/network
printf '[Match]\nName=lo\n[Network]\nAddress=192.0.2.1/32\n' >/run/systemd/network/scenario.network
at_end "rm /run/systemd/network/scenario.network; systemctl stop systemd-networkd.socket systemd-networkd.service"
systemctl start systemd-networkd.service
wait_until 30 "the address is there" grep -qF 192.0.2.1 /proc/net/fib_trie
fingerprint=$(curl -sf http://127.0.0.1:8000/metrics | sed -n 's/^edge_tls_certificate_info{fingerprint="\([^"]*\)".*/\1/p')
grep -qF "${fingerprint:?the service shows no certificate}" /run/edgewatch-appliance/certificate || fail "the console does not show the fingerprint"
# The certificate names the device, and not this address.
code() { curl -s --insecure --max-time 10 --output /dev/null --write-out '%{http_code}' "$@"; }
expect "status in clear text" "$(code http://192.0.2.1:8000/)" == 307
expect "status without a password" "$(code https://192.0.2.1:8000/)" == 401
expect "status with the password" "$(code --user "operator:$password" https://192.0.2.1:8000/)" == 200
# The last one: whoever fails has to wait.
expect "status with another password" "$(code --user operator:edgewatch https://192.0.2.1:8000/)" == 401
expect "status of Prometheus from there" "$(code http://192.0.2.1:9090/ || true)" == 000

# It waited for a time that nobody told, and then began.
journalctl --boot --unit edgewatch-clock.service --grep 'no time server has set the clock' --quiet --no-pager >/dev/null ||
    fail "the journal does not say that the time is unknown"
waited=$(property edgewatch-clock.service ExecMainStartTimestampMonotonic)
began=$(property prometheus.service ExecMainStartTimestampMonotonic)
expect "seconds until Prometheus began" $(((began - waited) / 1000000)) ">=" 60
