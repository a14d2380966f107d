#!/usr/bin/env bash
# A network that wishes the service ill, and a dashboard that nobody can draw, all at once for 60 s, or as many as the argument says:
# idle connections, one that asks without end and reads no answer, wrong passwords, and a visitor of the dashboard. The service
# lives on, Prometheus misses no scrape, and who knows the password gets in.
# shellcheck source=vm-tests/scenarios/lib.sh
. "$(dirname "$0")/lib.sh"

lasting=${1:-60}
# Not of the loopback, which is trusted here as docs/operations.md advises: the enemy's address, and the owner's.
enemy=192.0.2.1 owner=192.0.2.2
directory=/run/siege
mkdir -p $directory/dashboards
at_end "rm -rf $directory"

for address in $enemy $owner; do ip address add "$address/32" dev lo; done
at_end "for address in $enemy $owner; do ip address del \$address/32 dev lo; done"

# Each variable is the one before it, twice: the last would have 1.3 GB.
variables='{"name":"v0","type":"custom","query":"aaaaaaaaaa"}'
for number in $(seq 27); do
    before="\$v$((number - 1))"
    variables+=",{\"name\":\"v$number\",\"type\":\"custom\",\"query\":\"$before$before\"}"
done
cat >$directory/dashboards/bomb.json <<JSON
{"uid":"bomb","title":"bomb","templating":{"list":[$variables]},"panels":[]}
JSON
# The password is "secret", at the cost of 10 that people choose.
# shellcheck disable=SC2016 # a hash
echo 'operator:$2b$10$n6CRmUV4vc1sikoqMR41zeDZhpLUDhxQLIMjds9TBqBZddXEiGjz6' >$directory/users
cat >$directory/edgewatch.toml <<TOML
[auth]
users_file = "users"
trust_loopback = true
[dashboards]
directories = ["$directory/dashboards"]
TOML

unit=edgewatch.service
mkdir -p /run/systemd/system/edgewatch.{socket,service}.d
printf '[Socket]\nListenStream=\nListenStream=0.0.0.0:8000\n' >/run/systemd/system/edgewatch.socket.d/zz-scenario.conf
cat >/run/systemd/system/edgewatch.service.d/zz-scenario.conf <<UNIT
[Service]
ExecStart=
ExecStart=$(command -v edgewatch) serve --config $directory/edgewatch.toml
LoadCredential=users:$directory/users
UNIT
restart() { systemctl daemon-reload && systemctl stop $unit && systemctl restart edgewatch.socket && systemctl start $unit; }
at_end "rm -f /run/systemd/system/edgewatch.{socket,service}.d/zz-scenario.conf; restart"
restart
wait_until_up
scrape_every 5s

# code_and_time ADDRESS PASSWORD PATH: the status and the seconds that it took; 000 if there was no answer.
code_and_time() {
    curl -s --interface "$1" --max-time 10 --user "operator:$2" --output /dev/null --write-out '%{http_code} %{time_total}\n' \
        "http://$enemy:8000/$3" || true
}
expect "status without the password" "$(code_and_time $enemy guess metrics | cut -d ' ' -f 1)" == 401
sleep 2
expect "status with it" "$(code_and_time $owner secret metrics | cut -d ' ' -f 1)" == 200

pid=$(property $unit MainPID) start=$(now) end=$(($(now) + lasting))
restarts=$(property $unit NRestarts)
attackers=()
# shellcheck disable=SC2016 # for the end
at_end 'kill "${attackers[@]}" 2>/dev/null; wait "${attackers[@]}"'
question=$'GET /healthz HTTP/1.1\r\nHost: edge\r\n\r\n'
# again SECONDS_BETWEEN COMMAND…: until it is over.
again() { while [ "$(now)" -lt "$end" ]; do "${@:2}" || true; sleep "$1"; done; }

# Connections without a password that keep themselves alive with a question a minute, and come again when they are closed.
idle() {
    trap '' PIPE
    exec {connection}<>"/dev/tcp/$enemy/8000" || return
    local status=142
    # Above 128, no more came in time; the other is the end of the file.
    while [ $status -gt 128 ] && [ "$(now)" -lt "$end" ]; do
        printf %s "$question" >&"$connection" || break
        while read -r -t 55 -u "$connection" _ && status=0 || status=$?; [ $status = 0 ]; do :; done
    done
    exec {connection}>&-
}
for _ in $(seq 64); do
    again 5 idle 2>/dev/null &
    attackers+=($!)
done

# Asks without end and reads nothing.
questions=
for _ in $(seq 100); do questions+=$question; done
pipeline() {
    trap '' PIPE
    exec {connection}<>"/dev/tcp/$enemy/8000" || return
    while printf %s "$questions" >&"$connection"; do :; done
    exec {connection}>&-
}
again 0.2 pipeline 2>/dev/null &
attackers+=($!)

guess() {
    curl -s --parallel --parallel-immediate --parallel-max 200 --max-time 10 --user operator:guess --output /dev/null \
        --write-out '%{http_code}\n' "http://$enemy:8000/metrics?[1-200]"
}
again 0.2 guess >$directory/guesses 2>/dev/null &
attackers+=($!)

again 2 code_and_time $owner secret d/bomb >$directory/visits &
attackers+=($!)

slowest=0
while [ "$(now)" -lt "$end" ]; do
    sleep 5
    read -r status seconds < <(code_and_time $owner secret metrics)
    [ "$status" = 200 ] || fail "after $(($(now) - start)) s the right password got $status in $seconds s"
    slowest=$(awk -v a="$slowest" -v b="$seconds" 'BEGIN { print (a > b ? a : b) }')
    [ "$(property $unit MainPID)" = "$pid" ] || fail "after $(($(now) - start)) s the service was restarted"
done
kill "${attackers[@]}" 2>/dev/null || true
wait "${attackers[@]}" || true
attackers=()
for kind in guesses visits; do
    measured "answers to $kind" "$(cut -d ' ' -f 1 $directory/$kind | sort | uniq -c | tr -s ' \n' ' ')"
done
usage $unit
expect "seconds that the right password took, at most" "$slowest" "<=" 3
expect "restarts" "$(($(property $unit NRestarts) - restarts))" == 0
expect "kills by the kernel" "$(awk '$1 == "oom_kill" { print $2 }' "$(cgroup $unit)/memory.events")" == 0
expect "memory, at most" "$(unit_memory $unit peak)" "<=" "$(bytes "$(budget edgewatch memory_max)")"
! grep -q '^200' $directory/guesses || fail "a guess was right"
no_scrape_lost "$start" 5
