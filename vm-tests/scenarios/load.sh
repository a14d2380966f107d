#!/usr/bin/env bash
# Hammered pages, dashboards and heavy queries: what is too much is refused, and the stack stays within its budget and misses no scrape.
# shellcheck source=vm-tests/scenarios/lib.sh
. "$(dirname "$0")/lib.sh"

wait_until_up
scrape_every 5s
pid=$(property prometheus.service MainPID) start=$(now)
# code SECONDS OPTION…: the status of an answer; 000 if there is none in time.
code() { curl -s --max-time "$1" --output /dev/null --write-out '%{http_code}\n' "${@:2}" || true; }
# until TIME COMMAND…: again and again.
until_() { while [ "$(now)" -lt "$1" ]; do "${@:2}"; done; }
counted() { sort "$1" | uniq -c | tr -s ' \n' ' '; }

# What a page of dashboards asks, and everything that the service's list of them leads to.
mapfile -t pages < <(curl -sf "$service/dashboards" | grep -o 'href="/[^"]*' | cut -d / -f 2- | sort -u)
mapfile -t questions < <(for page in "${pages[@]}"; do [[ $page != *.json ]] || curl -sf "$service/$page"; done |
    jq -r '.. | objects | .expr? // empty' | grep -vF '$' | sort -u)
expect "pages" ${#pages[@]} ">=" 3
expect "questions of the dashboards" ${#questions[@]} ">=" 20
look() { for page in "${pages[@]}"; do code 30 "$service/$page"; done; }
ask() {
    local question status
    for question in "${questions[@]}"; do
        status=$(curl -s --max-time 60 --output /run/load.answer --write-out '%{http_code}' "$prometheus/api/v1/query_range" \
            --data-urlencode "query=$question" --data "start=$(($(date +%s) - 3600))" --data "end=$(date +%s)" --data step=15) || true
        echo "$status $([ "$status" = 200 ] || jq -c .error /run/load.answer) $question"
    done
}
hammer() { curl -s --max-time 30 --output /dev/null --write-out '%{http_code}\n' "$service/metrics?[1-500]" || true; }
until_ $((start + 30)) hammer >/run/load.metrics &
until_ $((start + 30)) look >/run/load.pages &
until_ $((start + 30)) ask >/run/load.questions &
# A day of every series at every second, 20 at a time.
for _ in $(seq 20); do
    code 90 "$prometheus/api/v1/query" --data-urlencode 'query=sum(sum_over_time({__name__=~".+"}[1d:1s]))' &
done >/run/load.heavy
wait
for kind in metrics pages questions heavy; do
    cut -c 1-3 /run/load.$kind >/run/load.codes
    measured "answers to $kind" "$(counted /run/load.codes)"
done
! grep -qv 200 /run/load.metrics || fail "a request for /metrics was not answered"
! grep -qv 200 /run/load.pages || fail "a page was not answered"
# A query that waited for its turn until its time was over gets 503, and one that had only begun then, 422.
! grep -vE '^(200|503)|^422 .*deadline exceeded' /run/load.questions ||
    fail "dashboards should get 200, or no answer in time while heavy queries are before them"
! grep -qvE '^(422|503)' /run/load.heavy || fail "heavy queries should get 422 or 503"
for unit in "${units[@]}" edgewatch.slice; do
    usage "$unit"
done
[ "$(property prometheus.service MainPID)" = "$pid" ] || fail "Prometheus died"
expect "slice peak" "$(unit_memory edgewatch.slice peak)" "<=" "$(bytes "$(budget total memory_max)")"
sleep 6
no_scrape_lost "$start" 5
