# Grafana on demand, with a stand-in for the program, which Debian does not have: asleep at rest, started by the first visit, which
# waits for it; within the slice; asleep again when nobody looks. The unit and the directories are those of Grafana's own package.
. "$(dirname "$0")/lib.sh"

grafana=http://127.0.0.1:3000
asleep() { [ "$(property grafana-server.service ActiveState)" = inactive ]; }
[ "$(property edgewatch-grafana.socket ActiveState)" = inactive ] || fail "the socket is open without Grafana"

useradd --system --home-dir /usr/share/grafana --shell /bin/false grafana
mkdir -p /usr/share/grafana/bin /var/lib/grafana /etc/systemd/system/edgewatch-grafana.service.d
chown grafana: /var/lib/grafana
cat >/usr/share/grafana/bin/grafana <<'PERL'
#!/usr/bin/perl
use IO::Socket::INET;
$SIG{TERM} = sub { exit 0 };
$| = 1;
print "@ARGV GOMEMLIMIT=$ENV{GOMEMLIMIT}\n";
open(my $settings, '<', '/usr/share/edgewatch/grafana/grafana.ini') or die "settings: $!";
for (grep { /__file/ } <$settings>) { /\{(.*)\}/; -s $1 > 20 or die "$1 is missing"; -o $1 or die "$1 is not mine"; }
open(my $file, '>', '/var/lib/grafana/edgewatch/written') or die "state: $!";
sleep 3; # as slow as it is
my $server = IO::Socket::INET->new(LocalAddr => '127.0.0.1:3001', Listen => 16, ReuseAddr => 1) or die;
while (my $client = $server->accept) { sysread $client, my $request, 4096; print $client "HTTP/1.0 200 OK\r\n\r\nhello\n"; close $client }
PERL
chmod 755 /usr/share/grafana/bin/grafana
cat >/usr/lib/systemd/system/grafana-server.service <<'UNIT'
[Unit]
Description=Grafana instance
Wants=network-online.target
After=network-online.target
[Service]
EnvironmentFile=/etc/default/grafana-server
User=grafana
Group=grafana
Type=simple
Restart=on-failure
WorkingDirectory=/usr/share/grafana
RuntimeDirectory=grafana
RuntimeDirectoryMode=0750
ExecStart=/usr/share/grafana/bin/grafana server --config=${CONF_FILE} --pidfile=${PID_FILE_DIR}/grafana-server.pid
LimitNOFILE=10000
TimeoutStopSec=20
UMask=0027
[Install]
WantedBy=multi-user.target
UNIT
cat >/etc/systemd/system/edgewatch-grafana.service.d/idle.conf <<'UNIT'
[Service]
ExecStart=
ExecStart=/usr/lib/systemd/systemd-socket-proxyd --exit-idle-time=10s 127.0.0.1:3001
UNIT
at_end 'systemctl stop grafana-server edgewatch-grafana.socket
    rm -r /usr/share/grafana /etc/systemd/system/edgewatch-grafana.service.d /usr/lib/systemd/system/grafana-server.service
    systemctl daemon-reload'
systemctl daemon-reload
# What dpkg does when Grafana's package comes.
/var/lib/dpkg/info/edgewatch.postinst triggered /usr/share/grafana/bin
[ "$(property edgewatch-grafana.socket ActiveState)" = active ] || fail "the socket did not open when Grafana came"
asleep || fail "Grafana runs, and nobody looks"
said=$(systemd-analyze verify --man=no edgewatch-grafana.{socket,service} grafana-server.service 2>&1) || true
[ -z "$said" ] || fail "systemd-analyze verify: $said"
systemd-analyze security --no-pager --threshold=25 grafana-server.service | tail -n 1

start=$(now)
[ "$(curl -sf --max-time 60 $grafana)" = hello ] || fail "the first visit: $(systemctl status --no-pager edgewatch-grafana grafana-server; journalctl -b --no-pager -u grafana-server -u edgewatch-grafana)"
measured "seconds of the first visit" $(($(now) - start))
[ "$(property grafana-server.service Slice)" = edgewatch.slice ] || fail "Grafana is outside of the slice"
expect "Grafana memory.max" "$(unit_memory grafana-server.service max)" == "$(bytes "$(budget grafana memory_max)")"
limit_is_told() { [ "$(metric 'edge_unit_memory_limit_bytes{unit="grafana.service",limit="max"}')" = "$(bytes "$(budget grafana memory_max)")" ]; }
wait_until 30 "the limit of Grafana is in the metrics" limit_is_told
journalctl -b --quiet --unit grafana-server.service --grep "grafana.ini GOMEMLIMIT=$(budget grafana gomemlimit)" >/dev/null || fail "not started with the settings of edgewatch"
wait_until 60 "Grafana sleeps again" asleep
[ "$(curl -sf --max-time 60 $grafana)" = hello ] || fail "the second visit"
systemctl stop edgewatch-grafana.service
# Not what other scenarios left in the history.
wait_until_well 90 --window 45s
