#!/usr/bin/env bash
# Grafana's rendered unit, with a stand-in for the program: it looks at what it was given as Grafana would, and says hello.
# shellcheck source=vm-tests/scenarios/lib.sh
. "$(dirname "$0")/lib.sh"

grafana=http://127.0.0.1:3000
asleep() { [ "$(property grafana.service ActiveState)" = inactive ]; }
said() { journalctl --boot --no-pager --output cat --unit grafana.service --unit edgewatch-grafana.service --unit edgewatch-grafana-secrets.service; }

useradd --system --home-dir /var/lib/grafana --shell /bin/false grafana
cat >/usr/bin/grafana <<'PERL'
#!/usr/bin/perl
use strict;
use IO::Socket::INET;
$SIG{TERM} = sub { exit 0 };
$| = 1;
my ($config) = "@ARGV" =~ /-config (\S+)/;
open(my $lines, '<', $config) or die "$config: $!";
my ($section, %set) = ('');
for (<$lines>) { /^\[(.*)\]/ ? $section = $1 : /^(\w+)=(.*)/ && ($set{"$section.$1"} = $2) }
for my $secret ('security.admin_password', 'security.secret_key') {
    my ($file) = $set{$secret} =~ /^\$__file\{(.*)\}$/ or die "$secret is in the store: $set{$secret}";
    open(my $content, '<', $file) or die "$file: $!";
    $set{$secret} = join '', <$content>;
    length $set{$secret} > 15 or die "$secret is short";
}
-s $set{'dashboards.default_home_dashboard_path'} or die 'no home dashboard';
my @sources = glob "$set{'paths.provisioning'}/datasources/*.yaml" or die 'no data source';
open(my $written, '>', '/var/lib/grafana/written') or die "state: $!";
print "GOMEMLIMIT=$ENV{GOMEMLIMIT} user=$set{'security.admin_user'} key=" . length($set{'security.secret_key'}) . "\n";
sleep 3; # as slow as it is
my $server = IO::Socket::INET->new(LocalAddr => "$set{'server.http_addr'}:$set{'server.http_port'}", Listen => 16, ReuseAddr => 1) or die;
while (my $client = $server->accept) {
    sysread $client, my $request, 4096;
    print $client "HTTP/1.0 200 OK\r\n\r\n$set{'security.admin_password'}\n";
    close $client;
}
PERL
chmod 755 /usr/bin/grafana
mkdir -p /run/systemd/system/edgewatch-grafana.service.d
printf '[Service]\nExecStart=\nExecStart=%s\n' '/usr/lib/systemd/systemd-socket-proxyd --exit-idle-time=10s 127.0.0.1:3001' \
    >/run/systemd/system/edgewatch-grafana.service.d/idle.conf
systemctl daemon-reload
asleep || fail "Grafana runs, and nobody looks"

password=$(</var/lib/edgewatch-appliance/password)
[ "$(curl -sf --max-time 120 $grafana)" = "$password" ] || fail "the first visit: $(said)"
[ "$(property grafana.service Slice)" = edgewatch.slice ] || fail "Grafana is outside of the slice"
expect "Grafana memory.max" "$(unit_memory grafana.service max)" == "$(bytes "$(budget grafana memory_max)")"
said | grep -q "^GOMEMLIMIT=$(budget grafana gomemlimit) user=operator key=3[23]" || fail "what it was given: $(said)"
key=$(sha256sum /var/lib/edgewatch-grafana/secret_key)
[ "$(stat --format %a /var/lib/edgewatch-grafana/secret_key)" = 600 ] || fail "others can read the key"
wait_until 90 "Grafana sleeps again" asleep
curl -sf --max-time 120 --output /dev/null $grafana || fail "the second visit: $(said)"
[ "$(sha256sum /var/lib/edgewatch-grafana/secret_key)" = "$key" ] || fail "the second start made another key"
wait_until 90 "Grafana sleeps again" asleep
wait_until_well 90
