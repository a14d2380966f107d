#!/usr/bin/env bash
# What the stack at rest writes to the disk in a day, everything included that this machine writes: the history, the journal of the
# system and that of the file system. The argument has, as NAME=VALUE: commit, the seconds between two commits of ext4 (5 is its default);
# expire, those that the kernel keeps what is dirty (30 are its default); options, more of the mount; journal=volatile; queries=memory, the file in
# which Prometheus notes the queries that run; minutes. First with Prometheus, then for a third of the time without. Nothing is asserted: a day is
# extrapolated, and no gate has the time. Where hours pass in minutes (counted in vm-tests/debian/run) blocks are among what is written.
# shellcheck source=vm-tests/scenarios/lib.sh
. "$(dirname "$0")/lib.sh"

commit=5 expire='' options='' journal='' queries='' minutes=45
for setting in $1; do declare "${setting?}"; done
[ -z "$expire" ] || echo $((expire * 100)) >/proc/sys/vm/dirty_expire_centisecs
mount -o "remount,commit=$commit${options:+,$options}" /
if [ "$journal" ]; then
    mkdir -p /run/systemd/journald.conf.d
    printf '[Journal]\nStorage=%s\nRuntimeMaxUse=16M\n' "$journal" >/run/systemd/journald.conf.d/scenario.conf
    systemctl restart systemd-journald
fi
wait_until_up
if [ "$queries" ]; then
    [[ $(command_of prometheus.service) =~ --storage.tsdb.path=([^ ]+) ]] && data=${BASH_REMATCH[1]}
    install -d -o prometheus /run/scenario-queries
    systemctl stop prometheus
    ln -sf /run/scenario-queries/active "$data/queries.active"
    systemctl start prometheus
    wait_until_up
fi
disk=/sys/class/block/$(lsblk --noheadings --output NAME "$(findmnt --noheadings --output SOURCE /)" | head -n 1)/stat
# Fields of the kernel's Documentation/block/stat.rst; a sector has 512 bytes, whatever the disk has.
counters() {
    local fields
    read -r -a fields <"$disk"
    echo "${fields[4]} ${fields[6]} ${fields[15]}"
}
process_writes() { awk '$1 == "write_bytes:" { print $2 }' "/proc/$(property "$1" MainPID)/io" 2>/dev/null || echo 0; }

# a_day SECONDS COUNT [UNIT]: as many in a day.
a_day() { awk -v seconds="$1" -v count="$2" -v unit="${3:-1}" 'BEGIN { printf "%.1f", count / unit * 86400 / seconds }'; }

# watch WHAT MINUTES
settings=${1// /, }
watch() {
    local start seconds before after prometheus journald name="$1, $settings"
    # What was written before belongs to nobody.
    sync
    read -r -a before < <(counters)
    prometheus=$(process_writes prometheus.service) journald=$(process_writes systemd-journald.service) start=$(now)
    for _ in $(seq $(($2 / 5))); do
        sleep 300
        read -r -a after < <(counters)
        seconds=$(($(now) - start))
        measured "$name, after $((seconds / 60)) min, MB a day" "$(a_day $seconds $((after[1] - before[1])) 1953.125)"
    done
    measured "$name, writes a day" "$(a_day $seconds $((after[0] - before[0])))"
    measured "$name, flushes a day" "$(a_day $seconds $((after[2] - before[2])))"
    measured "$name, MB a day that Prometheus says" "$(a_day $seconds $(($(process_writes prometheus.service) - prometheus)) 1e6)"
    measured "$name, MB a day that journald says" "$(a_day $seconds $(($(process_writes systemd-journald.service) - journald)) 1e6)"
}

findmnt --noheadings --output OPTIONS /
# The start is over, and the kernel has made the file system's tables.
sleep 300
watch "the whole" "$minutes"
systemctl stop prometheus.service edgewatch-probe.timer
watch "without Prometheus" $((minutes / 3))
systemctl start prometheus.service edgewatch-probe.timer
wait_until_up
