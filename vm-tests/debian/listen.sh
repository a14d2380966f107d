# The way to the network that docs/operations.md shows: no open door without a password, and a credential that the service can read.
. "$(dirname "$0")/lib.sh"

wait_until_up
settings=/etc/edgewatch/edgewatch.toml
cp $settings /run/edgewatch.toml
directory=/run/systemd/system/edgewatch.socket.d
restart() { systemctl stop edgewatch.service && systemctl restart edgewatch.socket && systemctl start edgewatch.service; }
at_end "rm -rf $directory /etc/edgewatch/users; cp /run/edgewatch.toml $settings; systemctl daemon-reload; restart"

mkdir -p $directory
printf '[Socket]\nListenStream=\nListenStream=0.0.0.0:8000\n' >$directory/zz-scenario.conf
systemctl daemon-reload
! restart 2>/dev/null || fail "an address of the network without a password"
journalctl --boot --unit edgewatch.service --grep 'refusing to listen on 0.0.0.0' --quiet --no-pager >/dev/null || fail "the journal does not say why"

# The password is "secret".
(umask 077 && echo 'operator:$2b$04$h5WyfjeTPjkCyot67K1Geum8.0odqzw/WU48HQIdM/boqX4xTcSha' >/etc/edgewatch/users)
printf '[auth]\nusers_file = "users"\n' >$settings
restart
status() { curl -s --output /dev/null --write-out '%{http_code}' "$@" $service/metrics; }
expect "status without a password" "$(status)" == 401
expect "status with a wrong one" "$(status --user operator:guess)" == 401
sleep 2
expect "status with the right one" "$(status --user operator:secret)" == 200
sleep 35
expect "restarts by the watchdog" "$(property edgewatch.service NRestarts)" == 0
