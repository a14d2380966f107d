#!/usr/bin/perl
# A stand-in for Grafana, which Debian has not: what the tests ask of its API, out of the configuration and the provisioning that the module
# writes, with the memory that it may take. Whether Grafana itself takes them, only a test with the real one can say.
use strict;
use warnings;
use HTTP::Tiny;
use IO::Socket::INET;
use JSON::PP;
use MIME::Base64;
$SIG{TERM} = sub { exit 0 };

# What a file says after `key=`, in each section; `$__file{PATH}` is what stands in that file.
my ($config) = "@ARGV" =~ /-config (\S+)/;
my ($section, %setting) = ('');
for (split /\n/, slurp($config)) {
    if (/^\[(.*)\]/) { $section = $1 }
    elsif (my ($key, $value) = /^(\w+)\s*=\s*(.*)/) {
        my ($file) = $value =~ /^\$__file\{(.*)\}$/;
        $setting{"$section.$key"} = defined $file ? slurp($file) =~ s/\s+$//r : $value;
    }
}
my %provisioned = map { $_ => join '', map { slurp($_) } glob "$setting{'paths.provisioning'}/$_/*" } qw(datasources dashboards);
my ($prometheus) = $provisioned{datasources} =~ /\burl"?:\s*"?([^"\s,}]+)/ or die 'no data source is provisioned';
my ($source) = $provisioned{datasources} =~ /\buid"?:\s*"?([^"\s,}]+)/ or die 'the data source has no uid';
my %dashboard = map { $_->{uid} => $_ } map { decode_json(slurp($_)) } map { glob "$_/*.json" }
    $provisioned{dashboards} =~ /\bpath"?:\s*"?([^"\s,}]+)/g;

my $memory = '';
# A centre has no budget.
my ($mib) = ($source eq 'edgewatch-fleet' ? '0MiB' : $ENV{GOMEMLIMIT} // '') =~ /^(\d+)MiB$/ or die 'no GOMEMLIMIT';
$memory .= 'x' x (1 << 20) for 1 .. $mib;
sleep 2;

my $server = IO::Socket::INET->new(
    LocalAddr => "$setting{'server.http_addr'}:$setting{'server.http_port'}", Listen => 64, ReuseAddr => 1
) or die "listen: $!";
while (my $client = $server->accept) {
    my ($head, $body) = request($client);
    my ($status, $answer) = defined $head ? answer($head, $body) : (400, {});
    my $text = encode_json($answer);
    print $client "HTTP/1.1 $status -\r\nContent-Type: application/json\r\nContent-Length: ", length $text, "\r\nConnection: close\r\n\r\n$text";
    close $client;
}

sub slurp {
    my ($path) = @_;
    open my $file, '<', $path or die "$path: $!";
    local $/;
    return <$file>;
}

# The head of a request and its body; nothing if the client has gone.
sub request {
    my ($client) = @_;
    my $read = '';
    until ($read =~ /\r\n\r\n/) { sysread $client, $read, 4096, length $read or return }
    my ($head, $body) = split /\r\n\r\n/, $read, 2;
    my $length = $head =~ /^content-length:\s*(\d+)/im ? $1 : 0;
    while (length $body < $length) { sysread $client, $body, 4096, length $body or return }
    return ($head, $body);
}

sub answer {
    my ($head, $body) = @_;
    my ($method, $path) = $head =~ m{^(\w+) ([^ ?]+)};
    return (200, { database => 'ok', version => 'stand-in' }) if $path eq '/api/health';

    my $user = $setting{'security.admin_user'} // 'admin';
    my $given = $head =~ /^authorization: basic (\S+)/im ? decode_base64($1) : undef;
    my $is_admin = defined $given && $given eq "$user:$setting{'security.admin_password'}";
    return (401, { message => 'Invalid username or password' }) if defined $given && !$is_admin;
    return (401, { message => 'Unauthorized' }) if !$is_admin && ($setting{'auth.anonymous.enabled'} // '') ne 'true';

    if ($path eq '/api/user') {
        return $is_admin ? (200, { login => $user }) : (401, { message => 'Unauthorized' });
    }
    if ($path eq '/api/search') {
        return (200, [map { { uid => $_->{uid}, title => $_->{title}, type => 'dash-db' } } values %dashboard]);
    }
    if ($path eq "/api/datasources/uid/$source/health") {
        my $result = ask('1');
        return $result ? (200, { status => 'OK' }) : (400, { status => 'ERROR' });
    }
    if ($path =~ m{^/api/dashboards/uid/(.+)} && $dashboard{$1}) {
        return (200, { dashboard => $dashboard{$1} }) if $method eq 'GET';
        # What is provisioned cannot be deleted, and nobody without a password may try.
        return $is_admin ? (400, { message => 'provisioned dashboard cannot be deleted' }) : (403, { message => 'Access denied' });
    }
    if ($path eq '/api/ds/query' && $method eq 'POST') {
        my %results;
        for my $query (@{ decode_json($body)->{queries} }) {
            my $result = $query->{datasource}{uid} eq $source && ask($query->{expr}) or return (400, { message => 'no answer' });
            $results{ $query->{refId} } = { status => 200, frames => [map { { schema => $_->{metric} } } @$result] };
        }
        return (200, { results => \%results });
    }
    return (404, { message => 'Not found' });
}

# The rows of an instant query, or nothing if Prometheus does not answer it.
sub ask {
    my ($expression) = @_;
    my $answer = HTTP::Tiny->new(timeout => 30)->post_form("$prometheus/api/v1/query", { query => $expression });
    return unless $answer->{success};
    my $data = decode_json($answer->{content})->{data};
    return $data->{resultType} eq 'vector' ? $data->{result} : [$data->{result}];
}
