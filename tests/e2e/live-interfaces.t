#!/bin/bash
# Several interfaces in one process, each with its tenant; interfaces that come, go and are named
# wrongly; several inputs on one interface. Needs root; everything happens in namespaces.
. tests/support/tap.sh
. tests/support/net.sh
dynwatch=$(readlink -f "${DYNWATCH:-build/release/dynwatch}")

send() { # INTERFACE ARGUMENTS...
  in_net far tests/e2e/send_frames.py "$@"
}
alerts() { jq -es "any(.[]; $1)" "$tmp/alerts.jsonl"; }
messages() { jq -e ".dns.messages == $1" "$tmp/summary.json"; }

start() { # NAME ARGUMENTS...: the sensor in namespace near, what it says in NAME.err
  log=$tmp/$1.err && shift
  rm -f "$tmp/alerts.jsonl" "$tmp/summary.json"
  ip netns exec "$(net_of near)" "$dynwatch" run -c "$tmp/dynwatch.yaml" --summary "$tmp/summary.json" "$@" 2> "$log" &
  sensor=$!
  pids="$pids $sensor"
  wait_for 10 grep -q watching "$log" && sleep 0.3
}

stop() {
  kill -TERM "$sensor"
  wait "$sensor"
}

config() { # LINES for sensor:
  cat > "$tmp/dynwatch.yaml" <<CONF
sensor: {name: test, memory_mb: 64$1}
capture:
  - {interface: one, buffer_mb: 8}
  - {interface: two, buffer_mb: 8, promiscuous: false, filter: "not port 5353"}
ports: [53, 5353]
tenants:
  - id: first
    select: {interfaces: [one], networks: [10.0.0.0/8]}
  - id: second
    select: {interfaces: [two], networks: [10.0.0.0/8]}
outputs:
  - {type: jsonl, path: alerts.jsonl}
CONF
}

query="ip:10.1.2.3:10.1.0.53 udp:40000:53"
net_make near far
net_pair near one far one
net_pair near two far two
near_two=$(in_net near cat /sys/class/net/two/address)
config ""

# --- two interfaces, the same addresses on both ---
start two
send one eth $query query:cam1.duckdns.org
send two eth:$near_two $query query:cam2.duckdns.org
ok "an alert of the first interface has its tenant" wait_for 5 \
  alerts '.dns.question.name == "cam1.duckdns.org" and .organization.id == "first" and .source.ip == "10.1.2.3"'
ok "the same client behind the second interface is another tenant's" wait_for 5 \
  alerts '.dns.question.name == "cam2.duckdns.org" and .organization.id == "second" and .source.ip == "10.1.2.3"'
ok "one interface is promiscuous" grep -q "promiscuity 1" <(in_net near ip -d link show one)
ok "the other one is not" grep -q "promiscuity 0" <(in_net near ip -d link show two)
stop
is "it ends with 0" "$?" 0
is "each message was read once" "$(jq .dns.messages "$tmp/summary.json")" 2

# --- -i chooses; the configuration's settings for that interface hold ---
start chosen -i two
send one eth $query query:cam1.duckdns.org
send two eth:$near_two $query query:cam2.duckdns.org
send two eth:$near_two ip:10.1.2.3:10.1.0.53 udp:40000:5353 query:cam3.duckdns.org
ok "the chosen interface is watched" wait_for 5 alerts '.dns.question.name == "cam2.duckdns.org"'
stop
is "the others are not, and the filter of the configuration holds" "$(jq .packets.read "$tmp/summary.json")" 1

start both -i one -i two
send one eth $query query:cam1.duckdns.org
send two eth:$near_two $query query:cam2.duckdns.org
ok "-i may be repeated" wait_for 5 alerts '.organization.id == "second"'
ok "and each has its tenant" wait_for 5 alerts '.organization.id == "first"'
stop

# --- a tap: one direction on each interface ---
cat > "$tmp/tap.yaml" <<CONF
sensor: {name: test, memory_mb: 64}
capture: [{interface: one, buffer_mb: 8}, {interface: two, buffer_mb: 8}]
tenants: [{id: acme, select: {networks: [10.0.0.0/8]}}]
outputs: [{type: dnslog, path: dns.jsonl}]
CONF
mv "$tmp/tap.yaml" "$tmp/dynwatch.yaml"
start tap
in_net far tests/e2e/send_frames.py one -p two -n 500 eth $query query:host%d.example.com \
  -- eth ip:10.1.0.53:10.1.2.3 udp:53:40000 answer:host%d.example.com:192.0.2.1
stop # what was captured before is still read
is "each answer on one interface finds its query on the other" "$(jq -c .pairs "$tmp/summary.json")" \
  '{"matched":500,"unanswered":0,"unsolicited":0,"pending":0}'
is "the DNS log has both directions, in order of capture" \
  "$(jq -cs '[length, map(.ts) == (map(.ts) | sort), (map(select(.response)) | length)]' "$tmp/dns.jsonl")" "[1000,true,500]"
rm "$tmp/dns.jsonl"

# --- several inputs for each interface ---
config ", inputs: 3"
echo "  - {type: dnslog, path: dns.jsonl}" >> "$tmp/dynwatch.yaml"
start inputs
for flow in 1 2 3 4 5 6 7 8; do
  send one -n 8 eth ip:10.1.2.$flow:10.1.0.53 udp:4000$flow:53 query:host%d.example.com
  send one -n 8 eth ip:10.1.0.53:10.1.2.$flow udp:53:4000$flow answer:host%d.example.com:192.0.2.1
done
wait_for 5 in_net near true
sleep 1
stop
is "with several inputs every message is read, and once" "$(jq .dns.messages "$tmp/summary.json")" 128
is "the DNS log has each of them" "$(jq -r '[.src, .dst, .qname, .response] | @tsv' "$tmp/dns.jsonl" | sort -u | wc -l)" 128
is "both directions of a flow are read by one: each answer finds its query" "$(jq .pairs.unsolicited "$tmp/summary.json")" 0

config ", inputs: 33"
in_net near "$dynwatch" run -c "$tmp/dynwatch.yaml" 2> "$tmp/many.err"
is "more inputs than there may be are refused" "$?" 2
like "and the limit is said" "$(cat "$tmp/many.err")" "more than 64 input threads"

# --- names, clocks ---
config ""
in_net near "$dynwatch" run -c "$tmp/dynwatch.yaml" -i tow 2> "$tmp/name.err"
is "a wrong name is a wrong usage" "$?" 2
like "the names that there are are listed" "$(cat "$tmp/name.err")" "tow: no such interface .*one.*two"
in_net near "$dynwatch" run -c "$tmp/dynwatch.yaml" -i one -i one 2> "$tmp/twice.err"
is "an interface given twice is refused" "$?" 2
sed -i 's/interface: one,/interface: one, timestamps: adapter,/' "$tmp/dynwatch.yaml"
in_net near "$dynwatch" run -c "$tmp/dynwatch.yaml" 2> "$tmp/clock.err"
is "times of an adapter that has no clock are refused" "$?" 2
like "and the key is named" "$(cat "$tmp/clock.err")" "one: timestamps: adapter"

# --- an interface goes and comes back, the other one goes on ---
config ", inputs: 2"
start returns
in_net near ip link del one
ok "that an interface is gone is said" wait_for 5 grep -q "one: .*gone" "$tmp/returns.err"
send two eth:$near_two $query query:meanwhile.duckdns.org
ok "the other interface goes on" wait_for 5 alerts '.dns.question.name == "meanwhile.duckdns.org"'
net_pair near one far one
again() { send one eth $query query:again.duckdns.org && alerts '.dns.question.name == "again.duckdns.org"'; }
ok "the interface that is back is captured from again" wait_for 10 again
sleep 1.5
is "with one line when it went and one when it came, whatever the inputs" "$(grep -c '[^a-z]one: ' "$tmp/returns.err")" 2
stop
is "and it ends with 0" "$?" 0
done_testing
