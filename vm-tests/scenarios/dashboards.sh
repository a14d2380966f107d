#!/usr/bin/env bash
# The program that shows dashboards starts when somebody looks and ends when nobody does. When it is killed, stands still or takes all
# its memory, its reader gets a page or is told, soon, and the next one a page; the sensor service misses no scrape, and does not grow.
# shellcheck source=vm-tests/scenarios/lib.sh
. "$(dirname "$0")/lib.sh"

unit=edgewatch-dashboards.service
page=d/edgewatch-overview
# Seconds after which silence is a fault.
limit=30
# What the sensor service may be charged for, whatever is looked at.
most=6

# look NAME [PATH]: asks for a page as a reader does, into /run/dashboards.NAME, with the status, 000 if there was none, and the seconds.
look() {
    curl -s --max-time $limit --output "/run/dashboards.$1" --write-out '%{http_code} %{time_total}\n' "$service/${2-$page}" || true
}
# is_page NAME STATUS: was it the page, to its end?
is_page() { [ "$2" = 200 ] && grep -q '</html>' "/run/dashboards.$1"; }

# shows WHAT: the next request works.
shows() {
    local status seconds
    read -r status seconds < <(look next)
    is_page next "$status" || fail "the page $1: status $status after $seconds s"
    measured "seconds of the page $1" "$seconds"
}
# answered WHAT: whoever looked meanwhile got a page, or was told: no silence. What look says is the standard input.
answered() {
    local status seconds
    read -r status seconds
    measured "answer to who looked $1" "$status"
    expect "seconds of who looked $1" "$seconds" "<" $limit
    case $status in
    200 | 502 | 503 | 504) ;;
    *) fail "who looked $1 got $status" ;;
    esac
    grep -q '</html>' /run/dashboards.reader || fail "who looked $1 got half a page"
}

# Charged now; the most of all looks is kept.
highest=0
weigh() {
    local now
    now=$(unit_memory edgewatch.service current)
    [ "$now" -le "$highest" ] || highest=$now
}
has_slept() { [ "$(property $unit ActiveState)" = inactive ]; }
has_failed() { [ "$(property $unit ActiveState)" = failed ]; }
at_end 'rm -f /run/dashboards.*'

wait_until_up
scrape_every 1s
pid=$(property edgewatch.service MainPID)
# What its start needed is given back after 20 s.
systemctl restart edgewatch.service
wait_until 60 "the service runs again" has_restarted edgewatch.service "$pid"
sleep 25
pid=$(property edgewatch.service MainPID) start=$(now)

shows "of a program that sleeps"
[ "$(property $unit Slice)" = edgewatch.slice ] || fail "$unit runs in $(property $unit Slice)"
held $unit dashboards
[ "$(stat --format '%a %U %G' /run/edgewatch/dashboards.sock)" = "660 root edgewatch-sockets" ] || fail "others may connect to the socket"
mapfile -t pages < <(curl -sf "$service/dashboards" | grep -o 'href="/[^"]*' | cut -d / -f 2- | sort -u)
expect "pages" ${#pages[@]} ">=" 3
for path in "${pages[@]}"; do
    read -r status seconds < <(look all "$path")
    [ "$status" = 200 ] || fail "$path: $status after $seconds s"
    weigh
done

# Killed between two looks, and while somebody looks.
systemctl kill --signal=KILL $unit
wait_until 10 "it is dead" has_failed
shows "after it was killed"
look reader >/run/dashboards.answer &
sleep 0.2
systemctl kill --signal=KILL $unit
wait $!
answered "while it was killed" </run/dashboards.answer
shows "after it was killed again"
weigh

# It stands still: the watchdog ends it, and the one who waits gets the page of the next.
systemctl kill --signal=STOP $unit
still=$(now)
answered "while it stood still" < <(look reader)
measured "seconds until it was ended" $(($(now) - still))
journalctl --boot --unit $unit --grep watchdog --quiet --no-pager >/dev/null || fail "the journal does not say that it was the watchdog"
shows "after it stood still"
weigh

# Memory without end, while somebody looks: it dies alone, by the kernel's hand or, where the machine is slow, by the watchdog's. What a
# process allocates is charged to where it is then.
full=$(property $unit MainPID) end=$(($(now) + 120))
sh -c 'echo $$ >"$0/cgroup.procs"; exec tail /dev/zero' "$(cgroup $unit)" &
while [ "$(property $unit MainPID)" = "$full" ]; do
    [ "$(now)" -lt "$end" ] || fail "nothing ends it when it takes all its memory"
    look full >/dev/null
    sleep 1
done
measured "died of" "$(journalctl --boot --unit $unit --grep 'Failed with result' --output cat --lines 1 --quiet)"
shows "after it took all its memory"
weigh

# A program that cannot start: those who look are told, and systemd does not try without a pause.
mkdir -p /run/systemd/system/$unit.d
printf '[Service]\nExecStart=\nExecStart=/bin/sh -c "exit 1"\n' >/run/systemd/system/$unit.d/zz-scenario.conf
at_end "rm -rf /run/systemd/system/$unit.d; systemctl daemon-reload"
systemctl daemon-reload
systemctl stop $unit 2>/dev/null
look reader >/run/dashboards.answer &
began=$(now) tries=0
sleep 10
tries=$(journalctl --boot --unit $unit --since=-10s --grep 'Main process exited' --output cat --quiet --no-pager | wc -l || true)
measured "seconds of these tries" $(($(now) - began))
expect "tries" "$tries" ">=" 2
expect "tries" "$tries" "<=" 12
rm -rf /run/systemd/system/$unit.d
systemctl daemon-reload
wait
answered "while it could not start" </run/dashboards.answer
[ "$(property edgewatch-dashboards.socket ActiveState)" = active ] || fail "the socket has failed"
shows "once it could start again"
weigh

# Nobody looks any more.
sleep 40
has_slept || fail "40 s after the last look $unit is $(property $unit ActiveState)"
[ "$(property $unit Result)" = success ] || fail "it ended with $(property $unit Result)"
weigh
usage edgewatch.service
expect "memory of the sensor service, at most" "$(megabytes "$highest")" "<=" $most
[ "$(property edgewatch.service MainPID)" = "$pid" ] || fail "the sensor service was restarted"
sleep 2
no_scrape_lost "$start" 1
# At the usual interval again: on a machine this slow Prometheus, which has just started, misses scrapes of itself a second apart.
umount "$(readlink -f "$(curl -sf "$prometheus/api/v1/status/flags" | jq -r '.data["config.file"]')")"
# If the kernel has killed, edgewatch check rightly tells of it, and advises this.
systemctl restart edgewatch.slice
wait_until_well 120 --window 30s
