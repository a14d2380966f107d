# shellcheck shell=bash
# Sourced by every scenario. A scenario runs as root in a booted machine with the stack installed, shows one behaviour, prints what
# it measured as key=value, and exits with 0 or, after a line that says what it missed, with 1. It leaves a stack that is well.
set -euo pipefail
trap 'echo "FAILED: line $LINENO: $BASH_COMMAND"' ERR
set -o errtrace

service=http://127.0.0.1:8000
prometheus=http://127.0.0.1:9090
# shellcheck disable=SC2034 # for the scenarios
units=(edgewatch.service prometheus.service)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

fail() { echo "FAILED: $*"; trap - ERR; exit 1; }

# expect WHAT ACTUAL OPERATOR LIMIT: compares numbers, and prints the measured one.
expect() {
    measured "$1" "$2"
    awk -v a="${2:-nothing}" -v b="$4" "BEGIN { exit !(a ~ /^[-+0-9.e]+\$/ && a + 0 $3 b + 0) }" || fail "$1 is ${2:-nothing}, should be $3 $4"
}

measured() { echo "${1// /_}=$2"; }

# Seconds since the boot: the clock that nobody sets.
now() {
    local up _
    read -r up _ </proc/uptime
    echo "${up%.*}"
}

# wait_until SECONDS WHAT COMMAND…
wait_until() {
    local end=$(($(now) + $1)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        [ "$(now)" -lt "$end" ] || fail "in vain waited until $what"
        sleep 1
    done
}

# prom_query EXPRESSION: the value of the first row.
prom_query() {
    curl -sf --max-time 30 "$prometheus/api/v1/query" --data-urlencode "query=$1" | jq -r '.data.result[0].value[1] // empty'
}

query_is() { [ "$(prom_query "$1")" = "$2" ]; }

# metric SERIES: what the service says now, by name and labels exactly as it writes them.
metric() {
    curl -sf --max-time 10 "$service/metrics" | awk -v series="$1" 'index($0, series " ") == 1 { print $2 }'
}

property() { systemctl show --property "$2" --value "$1"; }

cgroup() { echo "/sys/fs/cgroup$(property "$1" ControlGroup)"; }

# unit_memory UNIT FIELD: bytes; current, peak, max, high, min, or a line of memory.stat.
unit_memory() {
    case $2 in
    current | peak | max | high | min) cat "$(cgroup "$1")/memory.$2" ;;
    *) awk -v field="$2" '$1 == field { print $2 }' "$(cgroup "$1")/memory.stat" ;;
    esac
}

# of_stat FILE FIELD: a line of a cgroup's memory.stat or cpu.stat, into the variable value of whoever asks. Without another program: looking
# must not be what is measured.
of_stat() {
    local field
    # shellcheck disable=SC2034 # whose it is
    while read -r field value; do
        [ "$field" != "$2" ] || return 0
    done <"$1"
}

# command_of UNIT: the command line of its main process.
command_of() { tr '\0' ' ' <"/proc/$(property "$1" MainPID)/cmdline"; }

megabytes() { awk -v bytes="$1" 'BEGIN { printf "%.1f", bytes / 1048576 }'; }

is_up() {
    [ "$(prom_query "sum(up{job=~\"sensor|prometheus\"} and (time() - timestamp(up)) < 20)")" = 2 ]
}

wait_until_up() { wait_until 90 "both targets are up" is_up; }

# Every verdict that is not well, but for the clock's: a machine without network cannot set its clock.
complaints() {
    local report
    report=$(edgewatch check --json "$@") || true
    jq -r '.checks[] | select(.status == "failed" or .status == "warning") | select(.subject != "clock")
        | "\(.subject): \(.found)"' <<<"${report:?edgewatch check says nothing}"
}

wait_until_well() {
    local end=$(($(now) + $1)) found
    shift
    while found=$(complaints "$@" 2>&1); [ -n "$found" ]; do
        [ "$(now)" -lt "$end" ] || fail "edgewatch check is not content: $found"
        sleep 2
    done
}

# scrape_every INTERVAL: puts a changed configuration over Prometheus' own, wherever that is, until the scenario ends.
scrape_every() {
    local file changed=/run/prometheus-scenario.yml
    file=$(readlink -f "$(curl -sf "$prometheus/api/v1/status/flags" | jq -r '.data["config.file"]')")
    sed -E "s/^( *(scrape_interval|scrape_timeout|evaluation_interval)): .*/\1: $1/" "$file" >"$changed"
    chmod 644 "$changed"
    mount --bind "$changed" "$file"
    at_end "! mountpoint --quiet '$file' || umount '$file'; systemctl reload prometheus"
    systemctl reload prometheus
    wait_until 20 "Prometheus has the new interval" interval_is "$1"
}

interval_is() {
    curl -sf "$prometheus/api/v1/status/config" | jq -e --arg line "scrape_interval: $1" '.data.yaml | contains($line)'
}

# override UNIT LINE…: a drop-in until the scenario ends; the unit is restarted both times.
override() {
    local unit=$1 directory=/run/systemd/system/$1.d
    shift
    mkdir -p "$directory"
    printf '%s\n' "$@" >"$directory/zz-scenario.conf"
    at_end "rm '$directory/zz-scenario.conf'; systemctl daemon-reload; systemctl restart '$unit'"
    systemctl daemon-reload
    systemctl restart "$unit"
}

# at_end COMMANDS: in reverse order, whatever happens.
cleanup=
at_end() {
    cleanup="$1
$cleanup"
    trap 'trap - ERR; set +e; eval "$cleanup"' EXIT
}

# no_scrape_lost SINCE INTERVAL: since then (as now told it), the sensor was scraped each time, and each time it answered.
no_scrape_lost() {
    local window=$(($(now) - $1))
    expect "lowest up of the sensor" "$(prom_query "min_over_time(up{job=\"sensor\"}[${window}s])")" == 1
    expect "scrapes of the sensor in $window s" "$(prom_query "count_over_time(up{job=\"sensor\"}[${window}s])")" ">=" $((window / $2 - 1))
}

# budget SECTION KEY: what budget.toml says.
budget() {
    awk -v section="[$1]" -v key="$2" '/^\[/ { here = $1 == section } here && $1 == key { gsub(/"/, "", $3); print $3 }' \
        "${EDGEWATCH_BUDGET:-$here/budget.toml}"
}

# bytes 12M
bytes() { numfmt --from=iec "$1"; }

# usage UNIT: its memory as the kernel charges it, in MB.
usage() {
    local field
    printf '%s:' "$1"
    for field in current peak anon file kernel; do
        printf ' %s=%s' "$field" "$(megabytes "$(unit_memory "$1" $field)")"
    done
    printf ' refaults=%s\n' "$(unit_memory "$1" workingset_refault_file)"
}

# held UNIT SECTION: the kernel's limits are those of the budget.
held() {
    local quota period promised
    promised=$(budget "$2" memory_min)
    expect "$1 memory.max" "$(unit_memory "$1" max)" == "$(bytes "$(budget "$2" memory_max)")"
    expect "$1 memory.high" "$(unit_memory "$1" high)" == "$(bytes "$(budget "$2" memory_high)")"
    expect "$1 memory.min" "$(unit_memory "$1" min)" == "$(bytes "${promised:-0}")"
    expect "$1 pids.max" "$(cat "$(cgroup "$1")/pids.max")" == "$(budget "$2" tasks_max)"
    read -r quota period <"$(cgroup "$1")/cpu.max"
    expect "$1 cpu.max percent" "$((quota * 100 / period))" == "$(budget "$2" cpu_quota | tr -d %)"
}

# has_restarted UNIT PID: it is active, with another process than this one.
has_restarted() {
    [ "$(property "$1" ActiveState)" = active ] && [ "$(property "$1" MainPID)" != "$2" ] && [ "$(property "$1" MainPID)" != 0 ]
}
