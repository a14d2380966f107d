# Changed settings are in force after a reload, wrong ones are refused, and neither restarts anything.
# shellcheck source=vm-tests/scenarios/lib.sh
. "$(dirname "$0")/lib.sh"

wait_until_up
settings=/etc/edgewatch/edgewatch.toml
cp $settings /run/edgewatch.toml
at_end "cp /run/edgewatch.toml $settings; systemctl reload edgewatch.service"
pid=$(property edgewatch.service MainPID)
has_load() { [ -n "$(metric node_load1)" ]; }
lacks_load() { [ -z "$(metric node_load1)" ]; }

has_load || fail "the load is not read before the change"
printf '[sources.load]\nenabled = false\n' >$settings
systemctl reload edgewatch.service
wait_until 20 "the changed settings are in force" lacks_load
expect "reload of changed settings" "$(metric edge_config_last_reload_successful)" == 1

printf '[sources.load]\nenabled = "perhaps"\n' >$settings
systemctl reload edgewatch.service || true
refused() { [ "$(metric edge_config_last_reload_successful)" = 0 ]; }
wait_until 20 "wrong settings are refused" refused
lacks_load || fail "wrong settings took the place of the last good ones"

cp /run/edgewatch.toml $settings
systemctl reload edgewatch.service
wait_until 20 "the first settings are back" has_load
[ "$(property edgewatch.service MainPID)" = "$pid" ] || fail "a reload restarted the service"
