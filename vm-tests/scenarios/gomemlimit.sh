#!/usr/bin/env bash
# What each GOMEMLIMIT costs Prometheus: collections, memory of its own and CPU time, while nothing sends its samples, while edgewatch-outbound
# does, and while it does by remote_write. From the time when what is alive grows no more until two blocks have been written.
# The argument: minutes of a block (120 as shipped), limits in MiB, and who sends: "20 24,32 nobody,outbound,remote_write".
# For a machine whose clock counts instructions (gomemlimit in vm-tests/debian/run): a microsecond of CPU time is a thousand of them there.
# Asserted is that the stack is up and the samples arrive; and, of the limit as shipped, what forwarding may cost over the blocks. A limit that
# makes Prometheus collect more than once a second is left after two minutes of that.
# shellcheck source=vm-tests/scenarios/lib.sh
. "$(dirname "$0")/lib.sh"

read -r block limits senders <<<"$1"
settling=$((block < 30 ? block + 10 : 40))
wait_until_up
unit=prometheus.service
settings=/etc/edgewatch/edgewatch.toml
changed=/etc/edgewatch/scenario.yml # beside the shipped one, which names its rules by a relative path
dropin=/run/systemd/system/$unit.d/zz-scenario.conf
centre=http://127.0.0.1:9095/api/v1/write
command=$(command_of $unit)
[[ $command =~ --config.file=([^ ]+) ]] && shipped=${BASH_REMATCH[1]}
[[ $command =~ --storage.tsdb.path=([^ ]+) ]] && data=${BASH_REMATCH[1]}
[[ $(property $unit Environment) =~ GOMEMLIMIT=([0-9]+)MiB ]] && shipped_limit=${BASH_REMATCH[1]}
cp $settings /run/edgewatch.toml
mkdir -p "$(dirname $dropin)"
at_end "systemctl stop scenario-centre; rm -f $dropin $changed; cp /run/edgewatch.toml $settings; systemctl daemon-reload; systemctl restart edgewatch $unit"

# Takes everything and forgets it.
cat >/run/centre.pl <<'PERL'
use IO::Socket::INET;
$SIG{CHLD} = 'IGNORE';
my $server = IO::Socket::INET->new(LocalAddr => '127.0.0.1:9095', Listen => 16, ReuseAddr => 1) or die "cannot listen: $!";
while (my $client = $server->accept) {
    next if fork;
    local $/ = "\r\n";
    while (<$client>) {
        my $length = 0;
        while (defined(my $field = <$client>)) { last if $field eq $/; $length = $1 if $field =~ /^content-length: *(\d+)/i }
        read $client, my $body, $length;
        print $client "HTTP/1.1 204 No Content$/$/";
        $client->flush;
    }
    exit;
}
PERL
systemd-run --quiet --collect --unit=scenario-centre perl /run/centre.pl

of_prometheus() { curl -sf --max-time 60 "$prometheus/metrics" | awk -v series="$1" 'index($0, series) == 1 { sum += $NF } END { print sum + 0 }'; }
# of_cgroup FILE FIELD: into the variable value. Each program that is started to look costs more than Prometheus does in a second.
of_cgroup() { of_stat "$cgroup/$1" "$2"; }
# What comes from nowhere is waited for.
exec {nowhere}<> <(:)
pause() { read -r -t "$1" -u "$nowhere" || true; }

# begin LIMIT SENDER: an empty history, and a Prometheus with this limit.
begin() {
    systemctl stop $unit
    rm -rf "${data:?}"/*
    cp "$shipped" $changed
    cp /run/edgewatch.toml $settings
    case $2 in
    nobody) ;;
    outbound) printf '[forward]\nurl = "%s"\n[forward.labels]\nedge = "gate-7"\n' $centre >>$settings ;;
    # The queue is that of nixos/remote-write.nix.
    remote_write)
        cat >>$changed <<YAML
remote_write:
  - url: $centre
    remote_timeout: 30s
    queue_config: { max_shards: 2, capacity: 2500, max_samples_per_send: 500, max_backoff: 1m }
YAML
        ;;
    *) fail "nobody is called $2" ;;
    esac
    chmod 644 $changed
    cat >$dropin <<UNIT
[Service]
Environment=GOMEMLIMIT=$1MiB
ExecStart=
ExecStart=${command/"$shipped"/$changed} --storage.tsdb.min-block-duration=${block}m --storage.tsdb.max-block-duration=${block}m
UNIT
    systemctl daemon-reload
    sync
    echo 3 >/proc/sys/vm/drop_caches
    systemctl start $unit
    wait_until_up
    systemctl restart edgewatch
    [ "$2" = outbound ] || systemctl stop edgewatch-outbound
}

# sent SENDER: samples so far.
sent() {
    case $1 in
    outbound) metric edge_forward_samples_sent_total ;;
    remote_write) of_prometheus prometheus_remote_storage_samples_total ;;
    esac
}

# counted: what has been counted so far, into variables of whoever asks.
counted() {
    seconds=$(now) collections=$(of_prometheus go_gc_duration_seconds_count)
    of_cgroup cpu.stat usage_usec
    cpu=$value
    of_cgroup memory.stat workingset_refault_file
    refaults=$value
}

# two_minutes: looks as often as anon changes.
two_minutes() {
    local value
    for _ in $(seq 24); do
        of_cgroup memory.stat anon
        sum=$((sum + value)) looks=$((looks + 1)) most=$((value > most ? value : most))
        read -r value <"$cgroup/memory.current"
        current=$((value > current ? value : current))
        pause 5
    done
}

per_second() { awk -v from="$1" -v to="$2" -v seconds="$3" -v unit="$4" 'BEGIN { printf "%.2f", (to - from) / seconds / unit }'; }

# watch LIMIT SENDER
watch() {
    local name="$1 MiB, sent by $2" since minutes=0 compactions=0 is_sick='' value cgroup before seconds collections cpu refaults
    local sum looks most current from_seconds from_collections from_cpu from_refaults
    cgroup=$(cgroup $unit) since=$(now)
    counted
    while [ "$compactions" -lt 2 ] || [ "$minutes" -lt 10 ]; do
        # What is alive grows until each series has begun its second chunk.
        if [ $(($(now) - since)) -le $((settling * 60)) ]; then
            sum=0 looks=0 most=0 current=0 minutes=0 from_seconds=$seconds from_collections=$collections from_cpu=$cpu from_refaults=$refaults
        fi
        two_minutes
        before=$collections
        counted
        minutes=$(((seconds - from_seconds) / 60)) compactions=$(of_prometheus prometheus_tsdb_compactions_total)
        # The CPU would be busy for hours; one block alone is 20 collections.
        [ "$(awk -v a="$before" -v b="$collections" 'BEGIN { print (b - a > 120) }')" = 0 ] || { is_sick=yes && break; }
        [ $(($(now) - since)) -lt $((block * 300 + 3600)) ] || fail "$name: only $compactions blocks after $((($(now) - since) / 60)) minutes"
    done
    measured "$name, minutes" "$minutes after $(((from_seconds - since) / 60))"
    measured "$name, blocks" "$compactions"
    [ -z "$is_sick" ] || measured "$name, collections in the last two minutes" "$(awk -v a="$before" -v b="$collections" 'BEGIN { print b - a }')"
    measured "$name, collections a minute" "$(per_second "$from_collections" "$collections" $((seconds - from_seconds)) 0.0166667)"
    [ "$is_sick" ] || measured "$name, most in 10 minutes" \
        "$(prom_query "max_over_time((rate(go_gc_duration_seconds_count{job=\"prometheus\"}[10m]) * 60)[$((minutes > 11 ? minutes - 10 : 1))m:1m])")"
    measured "$name, CPU ms a second" "$(per_second "$from_cpu" "$cpu" $((seconds - from_seconds)) 1000)"
    measured "$name, anon mean" "$(megabytes $((sum / looks)))"
    measured "$name, anon most" "$(megabytes "$most")"
    measured "$name, all of it most" "$(megabytes "$current")"
    measured "$name, refaults a second" "$(per_second "$from_refaults" "$refaults" $((seconds - from_seconds)) 1)"
    measured "$name, series" "$(of_prometheus prometheus_tsdb_head_series)"
    [ "$2" = nobody ] || expect "$name, samples sent" "$(sent "$2")" ">" 10000
    [ "$1/$2" != "$shipped_limit/outbound" ] || {
        expect "$name, anon mean, as shipped" "$(megabytes $((sum / looks)))" "<=" 25
        expect "$name, CPU ms a second, as shipped" "$(per_second "$from_cpu" "$cpu" $((seconds - from_seconds)) 1000)" "<" 20
    }
    [ "$is_sick" ] || expect "$name, lowest up" "$(prom_query "min_over_time(up{job=\"sensor\"}[$((seconds - since))s])")" == 1
}

for limit in ${limits//,/ }; do
    for sender in ${senders//,/ }; do
        begin "$limit" "$sender"
        watch "$limit" "$sender"
    done
done
