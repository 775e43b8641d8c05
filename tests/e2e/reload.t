#!/bin/bash
# Feeds, tenants and databases change while the sensor runs: nothing is missed, nothing is judged by
# halves, an error changes nothing. Needs root.
. tests/support/tap.sh
. tests/support/net.sh
dynwatch=$(readlink -f "${DYNWATCH:-build/release/dynwatch}")
yaml=$tmp/etc/dynwatch.yaml

send() { in_net far tests/e2e/send_frames.py eth1 "$@"; }
query="eth ip:10.1.2.3:10.1.0.53 udp:40000:53"
has() { jq -es "any(.[]; $1)" "$tmp/alerts.jsonl"; }
has_not() { ! has "$1"; }
# Is the name listed? One look-up, and its alert.
asked=0
listed() { # NAME
  asked=$((asked + 1))
  send $query "query:q$asked.$1"
  wait_for 3 has ".dns.question.name == \"q$asked.$1\""
}
not_listed() {
  asked=$((asked + 1))
  send $query "query:q$asked.$1" && sleep 1 && has_not ".dns.question.name == \"q$asked.$1\""
}

config() { # LINES...
  cat > "$yaml.new" <<CONF
sensor: {name: test, memory_mb: 64, trackers: 2}
capture: [{interface: eth1, buffer_mb: 16}]
control: {socket: ../control.sock$control}
rules: {lookup.malicious: {suppress: 0s}, nxdomain.spike: {enabled: false}}
outputs: [{type: jsonl, path: ../alerts.jsonl}]
CONF
  printf '%s\n' "$@" >> "$yaml.new"
  mv "$yaml.new" "$yaml"
}
control=
feed() { printf '  - {name: %s, path: %s.txt, kind: malicious%s}' "$1" "$1" "${2-}"; }
acme='  - {id: acme, select: {networks: [10.1.0.0/16]}}'
beta='  - {id: beta, select: {networks: [10.1.2.0/24]}}'

# Written beside and renamed, as good programs do it.
write() { # FEED NAME...
  to=$tmp/etc/$1.txt && shift
  printf '%s\n' "$@" > "$to.part"
  mv "$to.part" "$to"
}

start() {
  rm -f "$tmp/alerts.jsonl" "$tmp/summary.json"
  ip netns exec "$(net_of near)" env "$@" "$dynwatch" run -c "$yaml" --summary "$tmp/summary.json" 2> "$tmp/err" &
  sensor=$!
  pids="$pids $sensor"
  wait_for 10 grep -q watching "$tmp/err" && sleep 0.5
}
reload() { "$dynwatch" reload -c "$yaml" "$@" > "$tmp/out" 2> "$tmp/reload.err"; }
answer() { cat "$tmp/out" "$tmp/reload.err"; }
reloads() { grep -c 'reloaded in' "$tmp/err"; }
reloaded_since() { [ "$(reloads)" -gt "$1" ]; }
rss_kb() { awk '/^VmRSS/ { print $2 }' "/proc/$sensor/status"; }

net_make near far
net_pair near eth1 far eth1
mkdir "$tmp/etc"
write one one.test both.test
write two two.test
config "tenants:" "$acme" "feeds:" "$(feed one)"
tests/e2e/notify_socket.py "$tmp/notify" > "$tmp/notify.out" &
pids="$pids $!"
wait_for 5 test -S "$tmp/notify"
start NOTIFY_SOCKET="$tmp/notify"

# --- on demand ---
ok "what is listed is told of" listed one.test
ok "what is not, is not" not_listed two.test
config "tenants:" "$acme" "$beta" "feeds:" "$(feed one)" "$(feed two)"
reload
is "a reload is answered with 0" "$?" 0
like "and with what has changed" "$(answer)" "feed two new \(\+1\), tenant beta new"
like "the log says the same" "$(cat "$tmp/err")" "reloaded in .* feed two new \(\+1\), tenant beta new"
ok "the new feed counts" listed two.test
ok "the old one does, too" listed one.test
ok "for the tenant that is new" has '.organization.id == "beta" and .threat.indicator.provider == "two"'
ok "the service manager hears of it" wait_for 5 sh -c "grep -A9 RELOADING=1 '$tmp/notify.out' | grep -qx READY=1"
ok "with the time it began" grep -Eqx 'MONOTONIC_USEC=[0-9]+' "$tmp/notify.out"

# --- errors ---
config "tenants:" "$acme" "feeds:" "$(feed one)" "  - {name: two, path: two.txt, kind: wrong}"
kill -HUP "$sensor"
ok "an error is told with its place" wait_for 5 grep -Eq 'dynwatch.yaml:10:[0-9]+: feeds\[1\].kind: .*stays in force' "$tmp/err"
ok "and changes nothing" listed two.test
reload
is "the command says so with 2" "$?" 2
like "and with the place" "$(answer)" "dynwatch.yaml:10:[0-9]+: feeds\[1\].kind"
config "tenants:" "$acme" "feeds:" "$(feed one)" "$(feed three)"
reload
is "a new feed that is not there is an error" "$?" 2
like "of that place" "$(answer)" "dynwatch.yaml:10:[0-9]+: feeds\[1\].path: .*three.txt: No such file"
control=', watch: true'
config "ports: [53, 5353]" "tenants:" "$acme" "feeds:" "$(feed one)"
reload
is "what needs a restart is no error" "$?" 0
like "it is named" "$(answer)" "tenant beta gone; only a restart changes ports"
ok "the rest is in force" not_listed two.test
ok "a tenant that is gone has its traffic judged for another" has '.organization.id == "acme" and .dns.question.name == "q1.one.test"'

# --- files that change by themselves ---
write one one.test other.test
ok "a changed file is seen" wait_for 15 grep -q 'feed one +1 -1' "$tmp/err"
ok "and read" listed other.test
ok "what it no longer has is not told of" not_listed both.test
before=$(reloads)
touch "$tmp/etc/one.txt.part" "$tmp/etc/unknown.txt"
{
  printf 'one.test\nother.test\n' && sleep 3 && printf 'slow.test\n'
} > "$tmp/etc/one.txt"
ok "one that is written slowly is read when it is whole" wait_for 15 grep -q 'feed one +1 -0' "$tmp/err"
is "and only then" "$(reloads)" "$((before + 1))"
ok "so its last line counts" listed slow.test
cp "$tmp/etc/one.txt" "$tmp/etc/one.txt.part" && mkdir "$tmp/real" && mv "$tmp/etc/one.txt.part" "$tmp/real/a.txt"
ln -s ../real/a.txt "$tmp/etc/link" && mv "$tmp/etc/link" "$tmp/etc/one.txt"
ok "a link in its place is followed" wait_for 15 reloaded_since "$((before + 1))"
printf 'linked.test\nother.test\none.test\n' > "$tmp/real/a.txt"
ok "to the file, which is watched, too" wait_for 15 reloaded_since "$((before + 2))"
ok "and read" listed linked.test

# --- feeds that are not to be believed ---
: > "$tmp/real/a.txt"
ok "an empty feed keeps what it had" wait_for 15 grep -q 'feed one keeps what it had' "$tmp/err"
ok "so that it is told of" listed linked.test
ok "and the sensor says that it is degraded" wait_for 5 has '.rule.id == "sensor.degraded" and .dynwatch.why[0].feature == "feed_shrunk_percent"'
rm "$tmp/etc/one.txt"
reload
is "one that is gone is kept, too" "$?" 0
like "which is said" "$(answer)" "no name and no tenant changed; feed one keeps what it had"
ok "and in force" listed linked.test
ok "and the sensor says so" wait_for 5 has '.rule.id == "sensor.degraded" and .dynwatch.why[0].feature == "feed_unreadable"'
write one one.test linked.test another.test
reload
like "until it is good again" "$(answer)" "names: feed one \+1 -1; only"
ok "and read" listed another.test

# --- who may ask ---
is "the socket is its owner's alone" "$(stat -c %a "$tmp/control.sock")" 600
chmod 755 "$tmp" && chmod 666 "$tmp/control.sock"
setpriv --reuid 65534 --regid 65534 --clear-groups "$dynwatch" reload --socket "$tmp/control.sock" 2> "$tmp/reload.err"
is "nobody else is served, whatever its mode" "$?" 1
like "and hears why" "$(cat "$tmp/reload.err")" "only root and the sensor's own user may ask"
python3 - "$tmp/control.sock" << 'PY' &
import socket, sys, time
clients = []
for i in range(8):
    s = socket.socket(socket.AF_UNIX)
    s.connect(sys.argv[1])
    s.send(b"rel" if i % 2 else b"x" * 20)
    clients.append(s)
time.sleep(30)
PY
pids="$pids $!"
sleep 0.5
reload --timeout 20
is "clients that stall are in nobody's way for long" "$?" 0
printf 'nonsense\n' | timeout 5 python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.send(sys.stdin.buffer.read()); print(s.recv(999).decode())' "$tmp/control.sock" > "$tmp/out"
like "what it does not know it says" "$(cat "$tmp/out")" "^2 there is only: reload"
kill -TERM "$sensor"
wait "$sensor"
is "it ends with 0" "$?" 0
ok "the socket is gone" test ! -e "$tmp/control.sock"
reload
is "nobody to ask is an error" "$?" 1
like "that says so" "$(answer)" "is the sensor running"
ok "the books balance" jq -e '.packets.read == .packets.dns + .packets.other + ([.packets.rejected[]] | add // 0)' "$tmp/summary.json"
ok "the tenant that is gone still has its messages" jq -e '.tenants.beta.messages > 0 and .alerts.by_tenant.beta > 0' "$tmp/summary.json"

# --- under load ---
# Every version lists stable.test; the others come and go.
names=$(seq -f 'n%.0f.filler.test' 20000)
write one stable.test "$names"
write two odd.test
config "tenants:" "$acme" "feeds:" "$(feed one ", max_shrink: 100")" "$(feed two ", max_shrink: 100")"
start
send -s 12 $query query:n%d.stable.test > "$tmp/sent" &
sender=$!
begun=$SECONDS
rounds=0 failed=0 during=0 early=0
# A hundred, the first of them under load, and fifty behind it at least; on a slow machine fewer. Load
# fills rings and tables: memory is looked at from its end on.
while { [ $rounds -lt 100 ] || [ $rounds -lt $((during + 50)) ]; } && [ "$SECONDS" -lt "$((begun + 60))" ]; do
  rounds=$((rounds + 1))
  if [ $((rounds % 2)) = 0 ]; then write two odd.test; else write two even.test more.test; fi
  if [ $((rounds % 3)) = 0 ]; then more=$beta; else more=; fi
  config "tenants:" "$acme" "$more" "feeds:" "$(feed one ", max_shrink: 100")" "$(feed two ", max_shrink: 100")"
  reload || failed=$((failed + 1))
  if kill -0 "$sender" 2> /dev/null; then during=$rounds; elif [ $early = 0 ]; then early=$(rss_kb); fi
done
wait "$sender"
late=$(rss_kb)
kill -TERM "$sensor"
wait "$sensor"
echo "# $during of $rounds reloads while $(cat "$tmp/sent") frames were sent; resident $early kB after the load, $late kB after all"
ok "there were reloads under load, and after" test "$during" -ge 2 -a "$rounds" -ge "$((during + 10))"
is "none failed" "$failed" 0
ok "the books balance" jq -e '.packets.read == .packets.dns + .packets.other + ([.packets.rejected[]] | add // 0)' "$tmp/summary.json"
is "every look-up that was judged has its alert" \
  "$(jq '.alerts.by_rule["lookup.malicious"]' "$tmp/summary.json")" "$(jq '.dns.messages' "$tmp/summary.json")"
ok "memory is what it was" test "$late" -lt "$((early + early / 10 + 1024))"
done_testing
