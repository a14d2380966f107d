# This machine's systemd understands every line of the units, and a change of the budget is in force at once.
. "$(dirname "$0")/lib.sh"

all=(edgewatch.{slice,socket,service} edgewatch-dashboards.{socket,service} edgewatch-outbound.service edgewatch-probe.{timer,service} edgewatch-grafana.socket prometheus.service)
said=$(systemd-analyze verify --man=no "${all[@]}" 2>&1) || fail "systemd-analyze verify: $said"
[ -z "$said" ] || fail "systemd-analyze verify: $said"
for limit in edgewatch=15 edgewatch-dashboards=15 edgewatch-outbound=15 edgewatch-probe=15 edgewatch-grafana=15 prometheus=20; do
    table=$(systemd-analyze security --no-pager --threshold="${limit#*=}" "${limit%=*}.service") || fail "$table"
    tail -n 1 <<<"$table"
done

limit_is() { [ "$(unit_memory edgewatch.slice max)" = "$(bytes "$1")" ]; }
at_end "systemctl set-property edgewatch.slice MemoryMax=$(budget total memory_max); systemctl revert edgewatch.slice"
systemctl set-property edgewatch.slice MemoryMax=250M
wait_until 20 "the slice has its new limit" limit_is 250M
tells() { complaints | grep -x 'limits in force: edgewatch.slice has 250.0 MB instead of 300.0 MB'; }
wait_until 20 "edgewatch check tells of it" tells
