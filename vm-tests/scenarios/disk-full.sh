#!/usr/bin/env bash
# The disk of the history runs full, and has room again: the stack goes on, and nobody has to remove or restart anything.
# shellcheck source=vm-tests/scenarios/lib.sh
. "$(dirname "$0")/lib.sh"

wait_until_up
data=$(curl -sf "$prometheus/api/v1/status/flags" | jq -r '.data["storage.tsdb.path"]')
filler=$data/scenario-filler
pid=$(property edgewatch.service MainPID) stored=$(prom_query 'count_over_time(up{job="sensor"}[1h])')
left() { df --output=avail --block-size=1 "$data" | tail -n 1 | tr -d ' '; }
# available MOUNTPOINT
available() {
    curl -sf --max-time 10 "$service/metrics" |
        awk -v point="mountpoint=\"$1\"" 'index($0, "node_filesystem_avail_bytes{") == 1 && index($0, point) { print $2 }'
}
at_end "rm -f '$filler'"
fallocate --length "$(left)" "$filler"
# The reserve of the file system as well: no byte may be left.
dd if=/dev/zero of="$filler" bs=64k oflag=append conv=notrunc status=none 2>/dev/null || true
expect "bytes left" "$(left)" "<" 65536
sleep 45
curl -sf "$service/metrics" >/dev/null || fail "the sensor service does not answer any more"
[ "$(property edgewatch.service MainPID)" = "$pid" ] || fail "the sensor service died"
# Whose disk it is, the service must see through its sandbox: else nobody is told.
expect "bytes left, as the service tells" "$(available "$(df --output=target "$data" | tail -n 1)")" "<" 65536
complaints || true
# As after a power cut: what starts on a full disk fails, and tries until there is room.
systemctl kill --signal=KILL prometheus.service
sleep 20
rm "$filler"
start=$(now)
# The longest pause between two tries is a minute.
wait_until 180 "both targets are up" is_up
measured "seconds until both targets are up" $(($(now) - start))
expect "stored scrapes" "$(prom_query 'count_over_time(up{job="sensor"}[1h])')" ">=" "$stored"
