#!/usr/bin/perl
# A stand-in for Grafana, which Debian has not: listens where its configuration says, and says that its database is well.
use strict;
use warnings;
use IO::Socket::INET;
$SIG{TERM} = sub { exit 0 };
my ($config) = "@ARGV" =~ /-config (\S+)/;
open(my $lines, '<', $config) or die "$config: $!";
my ($section, %setting) = ('');
for (<$lines>) { /^\[(.*)\]/ ? $section = $1 : /^(\w+)=(.*)/ && ($setting{"$section.$1"} = $2) }
sleep 2;
my $server = IO::Socket::INET->new(
    LocalAddr => "$setting{'server.http_addr'}:$setting{'server.http_port'}", Listen => 16, ReuseAddr => 1
) or die "listen: $!";
while (my $client = $server->accept) {
    sysread $client, my $request, 4096;
    print $client "HTTP/1.0 200 OK\r\n\r\n{\"database\": \"ok\"}\n";
    close $client;
}
