# The history goes to a centre and a dead man's switch is asked, by a program of its own that costs little, comes back, and is missed when it does
# not; and without them there is none. The centre is another Prometheus on the machine, outside of the slice.
. "$(dirname "$0")/lib.sh"

wait_until_up
unit=edgewatch-outbound.service
settings=/etc/edgewatch/edgewatch.toml
centre=http://127.0.0.1:9095
[ "$(property $unit ActiveState)/$(property $unit Result)" = inactive/success ] || fail "with nothing to send it is $(property $unit ActiveState)"

cp $settings /run/edgewatch.toml
at_end "systemctl stop scenario-centre; rm -rf /run/scenario-centre; cp /run/edgewatch.toml $settings; systemctl restart edgewatch; systemctl stop $unit"
start_centre() {
    systemd-run --quiet --collect --unit=scenario-centre prometheus --config.file=/dev/null --storage.tsdb.path=/run/scenario-centre \
        --web.listen-address=127.0.0.1:9095 --web.enable-remote-write-receiver --log.level=warn
}
at_centre() { curl -sf --max-time 30 "$centre/api/v1/query" --data-urlencode "query=$1" | jq -r '.data.result[0].value[1] // empty'; }
is_up_there() { [ "$(at_centre 'count(up{edge="gate-7"} == 1)')" = 2 ]; }

# The centre is not there yet: what is stored meanwhile waits.
cat >>$settings <<TOML
[forward]
url = "$centre/api/v1/write"
window = "15s"
lag = "30s"
[forward.labels]
edge = "gate-7"
[notify.ping]
url = "$centre/-/healthy"
every = "10s"
TOML
systemctl restart edgewatch
is_running() { [ "$(property $unit ActiveState)" = active ]; }
wait_until 60 "the service has started what sends" is_running
held $unit outbound
has_failed() { [ "$(metric 'edge_forward_requests_failed_total{kind="connect"}')" -gt 0 ]; }
wait_until 90 "it says that the centre cannot be reached" has_failed

# The most memory of its own so far is kept in a file.
most() {
    local anon
    anon=$(unit_memory $unit anon)
    [ "$anon" -le "$(cat /run/most 2>/dev/null || echo 0)" ] || echo "$anon" >/run/most
}
rm -f /run/most
start_centre
end=$(($(now) + 90))
until is_up_there; do most; [ "$(now)" -lt $end ] || fail "nothing arrived at the centre: $(journalctl --boot --unit $unit --no-pager | tail -n 5)"; sleep 0.5; done
# At rest: the pages that the start needed are given back after 20 s.
for _ in $(seq 30); do most; sleep 1; done
usage $unit
usage edgewatch.service
expect "anon while it catches up, MB" "$(megabytes "$(cat /run/most)")" "<=" 3
expect "anon at rest, MB" "$(megabytes "$(unit_memory $unit anon)")" "<=" 0.7
expect "all of it at rest, MB" "$(megabytes "$(unit_memory $unit current)")" "<=" 5
expect "the switch" "$(metric 'edge_notify_up{receiver="ping"}')" == 1
expect "what it wrote, KB" "$(($(awk '$1 == "write_bytes:" { print $2 }' "/proc/$(property $unit MainPID)/io") / 1024))" "<=" 200
wait_until_well 60

# It goes on where it was.
pid=$(property $unit MainPID)
kill -KILL "$pid"
wait_until 30 "it is back after a SIGKILL" has_restarted $unit "$pid"
since=$(date +%s)
has_since() { awk -v newest="$(at_centre 'max(timestamp(up{edge="gate-7"}))')" -v since="$since" 'BEGIN { exit !(newest >= since) }'; }
wait_until 150 "the centre has what is stored since" has_since

# A reload of the service is one of both, and a refused one is told.
sed -i 's/^every = "10s"/every = "1s"/' $settings
systemctl reload edgewatch || true
refused() { [ "$(metric edge_outbound_config_last_reload_successful)" = 0 ]; }
wait_until 30 "the refusal of the new settings is known" refused
complaints | grep -q '^outbound: the last reload was refused' || fail "edgewatch check does not tell of it"
sed -i 's/^every = "1s"/every = "20s"/' $settings
systemctl reload edgewatch
taken() { [ "$(metric edge_outbound_config_last_reload_successful)" = 1 ]; }
wait_until 30 "the next settings are taken" taken

# One that does not run is missed.
systemctl stop $unit
is_missed() { [ "$(metric edge_outbound_up)" = 0 ]; }
wait_until 60 "the service says that it does not run" is_missed
complaints | grep -q '^outbound: .*does not run' || fail "edgewatch check does not tell of it"
systemctl start $unit
wait_until_well 60

# The same settings without any of it: it ends, and well.
cp /run/edgewatch.toml $settings
systemctl reload edgewatch
is_gone() { [ "$(property $unit ActiveState)/$(property $unit Result)" = inactive/success ]; }
wait_until 30 "it has ended" is_gone
[ -z "$(metric edge_outbound_up)" ] || fail "the service still speaks of it"
