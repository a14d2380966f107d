#!/usr/bin/env bash
# Another service floods the journal: no scrape is missed.
# shellcheck source=vm-tests/scenarios/lib.sh
. "$(dirname "$0")/lib.sh"

wait_until_up
scrape_every 5s
start=$(now)
systemd-run --quiet --unit scenario-flood --property RuntimeMaxSec=30 --property StandardOutput=journal \
    yes "a line of a flood, one of as many as the journal takes"
sleep 36
measured "journal" "$(journalctl --disk-usage)"
no_scrape_lost "$start" 5
systemctl reset-failed scenario-flood 2>/dev/null || true
