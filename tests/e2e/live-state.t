#!/bin/bash
# What a sensor knows of records and their owners outlives it, judged by a tracker or by the input;
# a file that is damaged costs itself only. Needs root.
. tests/support/tap.sh
. tests/support/net.sh
dynwatch=$(readlink -f "${DYNWATCH:-build/release/dynwatch}")
send=$(readlink -f "${BUILD_DIR:-build/release}")/bench/bench_send
zone=corp.example

cat > "$tmp/dynwatch.yaml" <<CONF
sensor: {name: test, memory_mb: 64, trackers: 1}
capture:
  - {interface: eth1, buffer_mb: 1}
tenants:
  - id: acme
    select: {networks: [10.1.0.0/16]}
    zones: [{name: $zone, require_signed: false}]
outputs:
  - {type: jsonl, path: alerts.jsonl}
  - {type: changelog, path: changes.jsonl}
state: {path: state}
CONF

updates() { # LINE...: send them, as tests/support/updates.pl reads them
  printf '%s\n' "$@" | perl tests/support/updates.pl > "$tmp/updates.pcap"
  in_net far "$send" "$tmp/updates.pcap" eth1 1000 1 "$(($# * 2))" > /dev/null
}
start() {
  log=$tmp/$1.err
  : > "$tmp/changes.jsonl"
  rm -f "$tmp/alerts.jsonl"
  in_net near "$dynwatch" run -c "$tmp/dynwatch.yaml" 2> "$log" &
  sensor=$!
  pids="$pids $sensor"
  wait_for 10 grep -q watching "$log" && sleep 0.3
}
stop() {
  kill "$(ip netns pids "$(net_of near)")"
  wait "$sensor"
}
changed() { grep -qs "$1.$zone" "$tmp/changes.jsonl"; }
taken_over() { jq -es 'any(.[]; .rule.id == "update.takeover")' "$tmp/alerts.jsonl"; }
takeover() { updates "0 update 10.1.0.66 $zone two -$1.$zone +$1.$zone=10.1.0.66"; }

net_make near far
net_pair near eth1 far eth1

start first
updates "0 update 10.1.0.8 $zone one +www2.$zone=10.1.0.8"
ok "an update is seen" wait_for 5 changed www2
stop
is "the sensor ends well" $? 0
ok "and leaves its state" test -s "$tmp/state"
start second
takeover www2
ok "the next one knows whose record it was" wait_for 5 taken_over
stop

# The input judges from here on: the state is the same.
echo "this is no state" > "$tmp/state"
sed -i 's/trackers: 1/trackers: 0/' "$tmp/dynwatch.yaml"
start damaged
ok "with a state that is damaged it starts" test -s "$log"
ok "sets it aside" test -s "$tmp/state.damaged"
like "and says so" "$(cat "$log")" "state"
updates "0 update 10.1.0.8 $zone one +www3.$zone=10.1.0.8"
ok "it knows nothing, and goes on" wait_for 5 changed www3
stop
ok "and leaves a good one" test -s "$tmp/state"
start last
takeover www3
ok "with which the next one goes on" wait_for 5 taken_over
stop
done_testing
