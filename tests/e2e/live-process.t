#!/bin/bash
# The sensor as a process: what it may do, how it starts, stops, is watched and tells of its losses,
# how much of the machine it takes when nothing happens and how soon an alert is out. Needs root.
. tests/support/tap.sh
. tests/support/net.sh
dynwatch=$(readlink -f "${DYNWATCH:-build/release/dynwatch}")

send() { in_net far tests/e2e/send_frames.py eth1 "$@"; }
has() { jq -es "any(.[]; $1)" "$tmp/alerts.jsonl"; }
has_not() { ! has "$1"; }
name() { has ".dns.question.name == \"$1.duckdns.org\""; }
query="eth ip:10.1.2.3:10.1.0.53 udp:40000:53"

config() { # LINES of sensor, LINES of the top
  chmod 777 "$tmp"
  cat > "$tmp/dynwatch.yaml" <<CONF
sensor: {name: test, memory_mb: 64$1}
capture:
  - {interface: eth1, buffer_mb: 1}
tenants:
  - {id: acme, select: {networks: [10.0.0.0/8]}}
outputs:
  - {type: jsonl, path: alerts.jsonl}
${2-}
CONF
}

start() { # NAME ENVIRONMENT...
  log=$tmp/$1.err && shift
  rm -f "$tmp/alerts.jsonl" "$tmp/summary.json"
  ip netns exec "$(net_of near)" env "$@" "$dynwatch" run -c "$tmp/dynwatch.yaml" --summary "$tmp/summary.json" 2> "$log" &
  sensor=$!
  pids="$pids $sensor"
  wait_for 10 grep -q watching "$log" && sleep 0.3
}

stop() {
  kill -TERM "$sensor"
  wait "$sensor"
}

milliseconds() { echo $(($(date +%s%N) / 1000000)); }

# Clock ticks (hundredths of a second) that the sensor has taken so far.
ticks() { awk '{ print $14 + $15 }' "/proc/$sensor/stat"; }

net_make near far
net_pair near eth1 far eth1

# --- without permission ---
config ""
in_net near setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set=-all \
  "$dynwatch" run -c "$tmp/dynwatch.yaml" 2> "$tmp/permission.err"
is "without permission it fails" "$?" 1
like "and says what it takes" "$(cat "$tmp/permission.err")" "CAP_NET_RAW"

# --- another user, nothing but what capturing takes ---
config ", user: nobody"
start user
send $query query:dropped.duckdns.org
ok "it captures as another user" wait_for 5 name dropped
is "it is that user" "$(awk '/^Uid:/ { print $2, $3, $4, $5 }' "/proc/$sensor/status")" \
  "$(id -u nobody) $(id -u nobody) $(id -u nobody) $(id -u nobody)"
is "of that user's group" "$(awk '/^Gid:/ { print $2, $3, $4, $5 }' "/proc/$sensor/status")" \
  "$(id -g nobody) $(id -g nobody) $(id -g nobody) $(id -g nobody)"
# CAP_NET_ADMIN is 12, CAP_NET_RAW is 13
is "permitted and effective are CAP_NET_RAW and CAP_NET_ADMIN" \
  "$(awk '/^Cap(Prm|Eff):/ { printf "%s ", $2 }' "/proc/$sensor/status")" "0000000000003000 0000000000003000 "
is "nothing can be had again" "$(awk '/^Cap(Inh|Bnd|Amb):/ { printf "%s ", $2 }' "/proc/$sensor/status")" \
  "0000000000000000 0000000000000000 0000000000000000 "
is "every thread is so" "$(cat /proc/"$sensor"/task/*/status | grep -E '^(Uid|Cap(Prm|Eff|Bnd)):' | sort -u | wc -l)" 4
in_net near ip link del eth1
net_pair near eth1 far eth1
again() { send $query query:returned.duckdns.org && name returned; }
ok "an interface that returns is opened by the other user" wait_for 10 again
stop
is "and it ends with 0" "$?" 0

# --- systemd ---
config ""
tests/e2e/notify_socket.py "$tmp/notify" > "$tmp/notify.out" &
pids="$pids $!"
wait_for 5 test -S "$tmp/notify"
start notify NOTIFY_SOCKET="$tmp/notify" WATCHDOG_USEC=3000000
ok "READY is told once it captures" wait_for 5 grep -qx READY=1 "$tmp/notify.out"
ok "STATUS says what is watched" grep -q '^STATUS=watching eth1' "$tmp/notify.out"
ok "WATCHDOG is told every second" wait_for 5 sh -c "test \$(grep -c '^WATCHDOG=1' '$tmp/notify.out') -ge 3"
stop
ok "STOPPING is told" wait_for 5 grep -qx STOPPING=1 "$tmp/notify.out"
ok "STATUS has the figures" wait_for 5 grep -Eq '^STATUS=[0-9]+ packets, .*alerts' "$tmp/notify.out"
start unwatched NOTIFY_SOCKET="$tmp/notify"
watchdogs=$(grep -c '^WATCHDOG=1' "$tmp/notify.out")
sleep 2.2
is "nobody is told when nobody asked" "$(grep -c '^WATCHDOG=1' "$tmp/notify.out")" "$watchdogs"
stop

# --- rotation ---
start rotate
send $query query:before.duckdns.org
ok "alerts go into the file" wait_for 5 name before
mv "$tmp/alerts.jsonl" "$tmp/alerts.old"
kill -HUP "$sensor"
ok "SIGHUP makes a new one" wait_for 5 test -f "$tmp/alerts.jsonl"
send $query query:after.duckdns.org
ok "and later alerts go there" wait_for 5 name after
ok "not into the old one" has_not '.dns.question.name == "before.duckdns.org"'
is "which has what it had" "$(wc -l < "$tmp/alerts.old")" 1

stop

# --- the DNS log of a sensor ---
config "" "  - {type: dnslog, path: dns.jsonl}"
logged() { jq -es "any(.[]; .qname == \"$2\")" "$1" > "$tmp/.jq"; }
rm -f "$tmp/dns.jsonl"
start dnslog
send $query query:first.example.com
ok "a message is in the DNS log soon, not when a megabyte is full" wait_for 5 logged "$tmp/dns.jsonl" first.example.com
mv "$tmp/dns.jsonl" "$tmp/dns.old"
kill -HUP "$sensor"
ok "SIGHUP makes a new one" wait_for 5 test -f "$tmp/dns.jsonl"
send $query query:second.example.com
ok "and later messages go there" wait_for 5 logged "$tmp/dns.jsonl" second.example.com
ok "the old one has what it had" logged "$tmp/dns.old" first.example.com
is "and nothing else" "$(wc -l < "$tmp/dns.old")" 1
stop
start dnslog-again
send $query query:third.example.com
stop
is "a sensor that starts again goes on with it" "$(jq -r .qname "$tmp/dns.jsonl" | tr '\n' ' ')" \
  "second.example.com third.example.com "
config ""
start soon

# --- how soon, and at what price ---
sleep 1
sent=$(milliseconds)
send $query query:soon.duckdns.org
out=$(milliseconds)
while ! grep -qs '"soon.duckdns.org"' "$tmp/alerts.jsonl" && [ "$(($(milliseconds) - sent))" -lt 10000 ]; do sleep 0.02; done
now=$(milliseconds)
echo "# an alert is in the file between $((now - out)) and $((now - sent)) ms after its packet was sent"
ok "an alert is out soon after its packet" test "$((now - out))" -lt 3000
before=$(ticks)
sleep 5
used=$(($(ticks) - before))
echo "# idle: $used of 500 ticks of a core, $((used / 5)).$((used * 2 % 10)) %"
ok "waiting takes next to nothing" test "$used" -lt 25

# --- losses ---
send -n 500 $query query:host%d.example.com
sleep 2
ok "no loss, no alert about one" has_not '.rule.id == "sensor.degraded"'
kill -STOP "$sensor"
send -s 2 $query query:host%d.example.com > /dev/null
kill -CONT "$sensor"
ok "packets lost while it could not read are told of" wait_for 10 \
  has '.rule.id == "sensor.degraded" and (.message | contains("packets of eth1"))'
ok "with the share and the limit" has '.rule.id == "sensor.degraded" and .dynwatch.why[0].feature == "packets_dropped_share" and .dynwatch.why[0].value > 0.001 and .dynwatch.why[0].threshold == 0.001'
stop
ok "and are in the summary" jq -e '.packets.dropped > 1000' "$tmp/summary.json"

# --- the end ---
start load
send -s 4 $query query:host%d.example.com > "$tmp/sent" &
sender=$!
sleep 1.5
sent=$(milliseconds)
kill -TERM "$sensor"
wait "$sensor"
status=$?
took=$(($(milliseconds) - sent))
wait "$sender"
is "SIGTERM under load ends with 0" "$status" 0
echo "# it took $took ms; $(cat "$tmp/sent") frames were sent in 4 s"
ok "within seconds" test "$took" -lt 5000
ok "what was read is in the books" jq -e \
  '.packets.read > 0 and .packets.read == .packets.dns + .packets.other + ([.packets.rejected[]] | add // 0)' "$tmp/summary.json"

# A server that takes connections and never answers holds the end up for as long as it may.
python3 -c 'import socket, time; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1], flush=True); time.sleep(60)' > "$tmp/port" &
pids="$pids $!"
wait_for 5 test -s "$tmp/port"
config "" "  - {type: redis, url: \"redis://127.0.0.1:$(cat "$tmp/port")/0\"}"
ip netns exec "$(net_of near)" true
rm -f "$tmp/alerts.jsonl"
start second
send $query query:stuck.duckdns.org
wait_for 5 name stuck
kill -TERM "$sensor"
sleep 0.5
ok "the end waits for what can still be delivered" kill -0 "$sensor"
sent=$(milliseconds)
kill -TERM "$sensor"
wait "$sensor"
is "a second SIGTERM ends it with 128 + 15" "$?" 143
ok "at once" test "$(($(milliseconds) - sent))" -lt 1000
done_testing
