#!/usr/bin/env bash
# The HTTP server answers, but no sensor does: the watchdog restarts the service.
# shellcheck source=vm-tests/scenarios/lib.sh
. "$(dirname "$0")/lib.sh"

wait_until_up
sysfs=/run/scenario-sysfs
mkdir -p $sysfs/class/hwmon/hwmon0
echo slow >$sysfs/class/hwmon/hwmon0/name
echo 20000 >$sysfs/class/hwmon/hwmon0/temp1_input
chmod -R a+rX $sysfs
at_end "rm -r $sysfs"
settings=("Environment=EDGEWATCH__PATHS__SYSFS=$sysfs")
# Every source but the one; a test of cargo's holds this list to be complete.
others=(bonding cgroup clock counter cpu cpufreq devfreq disk edac filesystem iio interrupts kernel led load memory modbus mqtt netstat network os outbound power_supply
    pressure process processes rapl raspberry_pi rtc schedstat simulated sockets storage textfile thermal uname update w1 watchdog wireless)
for source in "${others[@]}"; do
    settings+=("Environment=EDGEWATCH__SOURCES__${source^^}__ENABLED=false")
done
override edgewatch.service '[Service]' WatchdogSec=10 "${settings[@]}"
expect "the only sensor" "$(metric "$(curl -sf "$service/metrics" | grep -o '^node_hwmon_temp_celsius{.*}')")" == 20

# Who opens a pipe waits for somebody to write.
pid=$(property edgewatch.service MainPID) start=$(now)
rm $sysfs/class/hwmon/hwmon0/temp1_input
mkfifo -m 644 $sysfs/class/hwmon/hwmon0/temp1_input
sleep 5
curl -sf --max-time 2 "$service/metrics" >/dev/null || fail "the HTTP server does not answer any more"
wait_until 60 "the watchdog has restarted it" has_restarted edgewatch.service "$pid"
measured "seconds until it runs again" $(($(now) - start))
journalctl --boot --unit edgewatch.service --grep 'every source is stuck' --quiet --no-pager >/dev/null || fail "the journal does not say what is stuck"
