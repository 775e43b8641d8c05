#!/bin/bash
# dnstap from real servers: unbound and named tell a live sensor what they are asked, over UDP, TCP
# and DoT; recordings of fstrm_capture are replayed; clients that misbehave disturb nobody. Needs
# root; everything happens in a network namespace.
. tests/support/tap.sh
dynwatch=$(readlink -f "${DYNWATCH:-build/release/dynwatch}")
net=dw-tap-$$

cleanup() {
  for pid in $(ip netns pids "$net" 2> /dev/null); do kill "$pid" 2> /dev/null; done
  sleep 0.2
  for pid in $(ip netns pids "$net" 2> /dev/null); do kill -9 "$pid" 2> /dev/null; done
  ip netns del "$net" 2> /dev/null
}

inside() { ip netns exec "$net" "$@"; }
ask() { inside dig -b 10.1.0.7 +time=2 +tries=1 "$@"; }

make_net() {
  ip netns add "$net" && inside ip link set lo up && inside ip addr add 10.1.0.53/32 dev lo &&
    inside ip addr add 10.1.0.5/32 dev lo && inside ip addr add 10.1.0.7/32 dev lo &&
    inside ip addr add 2001:db8::53/128 dev lo nodad && inside ip addr add 2001:db8::7/128 dev lo nodad
}

zone() { # NAME LINES...: writes a zone file
  local name=$1 && shift
  {
    printf '$TTL 300\n@ SOA ns.%s. root.%s. 1 3600 600 86400 60\n@ NS ns\nns A 10.1.0.5\n' "$name" "$name"
    printf '%s\n' "$@"
  } > "$tmp/$name.zone"
}

write_named() {
  zone com "www.example A 192.0.2.10"
  zone duckdns.org "cam7 60 A 192.0.2.20" "other 60 A 192.0.2.21" "six 60 AAAA 2001:db8::21"
  zone open.example "www A 10.1.0.80"
  cat > "$tmp/named.conf" <<CONF
options {
  directory "$tmp"; pid-file "$tmp/named.pid"; listen-on { 10.1.0.5; }; listen-on-v6 { none; };
  listen-on port 853 tls ephemeral { 10.1.0.5; };
  recursion no; session-keyfile "$tmp/session.key"; managed-keys-directory "$tmp";
  dnstap { all; }; dnstap-output unix "$tmp/dnstap.sock";
};
controls { };
zone "com" { type primary; file "com.zone"; };
zone "duckdns.org" { type primary; file "duckdns.org.zone"; };
zone "open.example" { type primary; file "open.example.zone"; allow-update { any; }; };
CONF
}

write_unbound() { # NAME SOCKET BOTH-WAYS
  cat > "$tmp/$1.conf" <<CONF
server:
  interface: 10.1.0.53
  interface: 10.1.0.53@853
  interface: 2001:db8::53
  outgoing-interface: 10.1.0.53
  tls-service-key: "$tmp/key.pem"
  tls-service-pem: "$tmp/cert.pem"
  access-control: 10.0.0.0/8 allow
  access-control: 2001:db8::/32 allow
  chroot: ""
  username: ""
  directory: "$tmp"
  pidfile: "$tmp/$1.pid"
  do-daemonize: no
  use-syslog: no
  logfile: "$tmp/$1.log"
  module-config: "iterator"
  local-zone: "example." nodefault
remote-control:
  control-enable: no
dnstap:
  dnstap-enable: yes
  dnstap-socket-path: "$2"
  dnstap-bidirectional: $3
  dnstap-log-client-query-messages: yes
  dnstap-log-client-response-messages: yes
  dnstap-log-resolver-query-messages: yes
  dnstap-log-resolver-response-messages: yes
  dnstap-log-forwarder-query-messages: yes
  dnstap-log-forwarder-response-messages: yes
forward-zone:
  name: "."
  forward-addr: 10.1.0.5
CONF
}

write_sensor() { # NAME
  cat > "$tmp/$1.yaml" <<CONF
sensor: {name: $1, memory_mb: 64}
capture:
  - dnstap: $1.sock
tenants:
  - id: acme
    select: {networks: [10.1.0.0/16, "2001:db8::/32"]}
    resolvers: [10.1.0.53, 10.1.0.5]
    ddns:
      approved:
        - name: cam7.duckdns.org
    zones:
      - {name: open.example, servers: [10.1.0.5]}
outputs:
  - {type: jsonl, path: $1.jsonl}
  - {type: dnslog, path: $1.dnslog}
CONF
}

has() { jq -es "any(.[]; $1)" "$tmp/dnstap.jsonl"; }
has_not() { ! has "$1"; }
logged() { jq -es "any(.[]; $1)" "$tmp/dnstap.dnslog"; }
said() { grep -q "$1" "$tmp/dnstap.err"; }
stop() { kill -TERM "$1" && wait "$1"; }

if ! make_net 2> "$tmp/net.err"; then
  ok "a network namespace can be made (root is needed)" false
  cat "$tmp/net.err" >&2
  done_testing
  exit 1
fi
ok "a certificate for the resolver" openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=dns.test \
  -keyout "$tmp/key.pem" -out "$tmp/cert.pem"
write_named
write_sensor dnstap
write_sensor second
write_unbound unbound "$tmp/dnstap.sock" no # named has the handshake of both ways
write_unbound recorded "$tmp/record.sock" yes

# --- live: the sensor first, without any capability, then the servers --------------------------
ok "check knows the socket" sh -c "$dynwatch check -c $tmp/dnstap.yaml | grep -q 'dnstap at $tmp/dnstap.sock'"
ip netns exec "$net" setpriv --bounding-set=-all --inh-caps=-all "$dynwatch" run -c "$tmp/dnstap.yaml" \
  --summary "$tmp/dnstap.summary" > "$tmp/dnstap.out" 2> "$tmp/dnstap.err" &
sensor=$!
pids="$pids $sensor"
ok "the sensor listens, without CAP_NET_RAW" wait_for 15 test -S "$tmp/dnstap.sock"
is "for its user and group alone" "$(stat -c %a "$tmp/dnstap.sock")" 660
ip netns exec "$net" "$dynwatch" run -c "$tmp/dnstap.yaml" > "$tmp/twice.out" 2> "$tmp/twice.err"
is "a second sensor on the same socket fails" "$?" 1
like "and says why" "$(cat "$tmp/twice.err")" "dnstap.sock: somebody listens there already"

ip netns exec "$net" /usr/sbin/named -g -c "$tmp/named.conf" > "$tmp/named.log" 2>&1 &
named=$!
pids="$pids $named"
ip netns exec "$net" /usr/sbin/unbound -d -c "$tmp/unbound.conf" > "$tmp/unbound.out" 2>&1 &
unbound=$!
pids="$pids $unbound"
ok "named answers" wait_for 15 ask +short @10.1.0.5 www.example.com
ok "unbound answers" wait_for 15 ask +short @10.1.0.53 www.example.com

# Two that misbehave are there from the beginning, and a third comes and goes all the time.
cat > "$tmp/bad.py" <<'PY'
import os, socket, sys, time
path = sys.argv[1]
def connect():
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.connect(path)
    return s
start = b"\0\0\0\0\0\0\0\x22\0\0\0\x02\0\0\0\x01\0\0\0\x16" + b"protobuf:dnstap.Dnstap"
silent = connect()
within = connect()
within.sendall(start + b"\0\0\x10\0" + b"x" * 100)
for i in range(40):
    garbage = connect()
    try:
        garbage.sendall(os.urandom(1 + 997 * i))
    except OSError:
        pass
    garbage.close()
    cut = connect()
    cut.sendall((start + b"\0\0\0\x20" + b"y" * 10)[: 1 + 2 * i])
    cut.close()
    huge = connect()
    huge.sendall(start + b"\xff\xff\xff\xff")
    huge.close()
    time.sleep(0.05)
open(sys.argv[2], "w").close()
time.sleep(60)
PY
ip netns exec "$net" python3 "$tmp/bad.py" "$tmp/dnstap.sock" "$tmp/bad.done" 2> "$tmp/bad.err" &
pids="$pids $!"

ask @10.1.0.53 www.example.com > /dev/null
ask @10.1.0.53 cam7.duckdns.org > /dev/null
ask @10.1.0.53 over-udp.duckdns.org > /dev/null
ask +vc @10.1.0.53 over-tcp.duckdns.org > /dev/null
is "DoT is answered" "$(ask +tls +short @10.1.0.53 other.duckdns.org)" 192.0.2.21
is "named answers over DoT too" "$(ask +tls +short @10.1.0.5 six.duckdns.org AAAA)" 2001:db8::21
inside dig -b 2001:db8::7 +time=2 +tries=1 @2001:db8::53 over-v6.duckdns.org > /dev/null
printf '%s\n' 'server 10.1.0.5' 'zone open.example' 'update add wpad.open.example 300 A 10.1.0.99' send > "$tmp/update.txt"
ok "named takes an unsigned update" inside nsupdate -t 3 "$tmp/update.txt"

ok "UDP: lookup.unapproved of the client" wait_for 10 has \
  '.rule.id == "lookup.unapproved" and .dns.question.name == "over-udp.duckdns.org" and .source.ip == "10.1.0.7" and .network.transport == "udp" and .dynwatch.transport == null'
ok "TCP: the same" wait_for 5 has \
  '.rule.id == "lookup.unapproved" and .dns.question.name == "over-tcp.duckdns.org" and .network.transport == "tcp" and .dynwatch.transport == null'
ok "DoT: the same, and it says so" wait_for 5 has \
  '.rule.id == "lookup.unapproved" and .dns.question.name == "other.duckdns.org" and .source.ip == "10.1.0.7" and .destination.ip == "10.1.0.53" and .destination.port == 853 and .network.transport == "tcp" and .dynwatch.transport == "dot"'
ok "DoT of named" wait_for 5 has \
  '.dns.question.name == "six.duckdns.org" and .destination.ip == "10.1.0.5" and .dynwatch.transport == "dot"'
ok "IPv6" wait_for 5 has '.dns.question.name == "over-v6.duckdns.org" and .source.ip == "2001:db8::7"'
ok "update.unsigned_accepted" wait_for 5 has '.rule.id == "update.unsigned_accepted" and .dynwatch.zone == "open.example"'
ok "silence for the approved name" has_not '.dns.question.name == "cam7.duckdns.org"'
ok "silence for what the resolver asks on its own" has_not '.source.ip == "10.1.0.53"'
ok "those that misbehave are done" wait_for 20 test -e "$tmp/bad.done"
is "none of them was kept from it" "$(cat "$tmp/bad.err")" ""
ask @10.1.0.53 afterwards.duckdns.org > /dev/null
ok "nobody was disturbed" wait_for 10 has '.dns.question.name == "afterwards.duckdns.org"'
ok "the two that are silent are given up" wait_for 15 said "nothing more for too long"
ask @10.1.0.53 much-later.duckdns.org > /dev/null
ok "servers that are quiet are not" wait_for 10 has '.dns.question.name == "much-later.duckdns.org"'

stop "$unbound"
stop "$sensor"
is "SIGTERM drains and exits 0" "$?" 0
like "why connections were closed is said" "$(cat "$tmp/dnstap.err")" "closed because what it sends is no Frame Streams data"
like "each reason" "$(cat "$tmp/dnstap.err")" "closed because a frame is larger than 128 KiB"
ok "the DNS log has the answer over DoT" logged \
  '.qname == "other.duckdns.org" and .response and .proto == "tcp" and .sport == 853 and .dst == "10.1.0.7" and .answers[0].data == "192.0.2.21"'
ok "and what the resolver asked for it" logged \
  '.qname == "other.duckdns.org" and .src == "10.1.0.53" and .dst == "10.1.0.5" and .dport == 53'
ok "the socket is removed" test ! -e "$tmp/dnstap.sock"
ok "the books balance" jq -e '.packets.read == .packets.dns + .packets.other + ([.packets.rejected[]] | add // 0)' "$tmp/dnstap.summary"

# --- recorded by fstrm_capture: replayed, and told again to a live sensor by fstrm_replay -------
fstrm_capture -t protobuf:dnstap.Dnstap -u "$tmp/record.sock" -w "$tmp/record.fstrm" > "$tmp/capture.out" 2>&1 &
capture=$!
pids="$pids $capture"
ok "fstrm_capture listens" wait_for 10 test -S "$tmp/record.sock"
ip netns exec "$net" /usr/sbin/unbound -d -c "$tmp/recorded.conf" > "$tmp/recorded.out" 2>&1 &
unbound=$!
pids="$pids $unbound"
ok "unbound answers again" wait_for 15 ask +short @10.1.0.53 www.example.com
for name in a b c d; do ask @10.1.0.53 "$name.duckdns.org" > /dev/null; done
ask +tls @10.1.0.53 other.duckdns.org > /dev/null
sleep 1.5 # unbound sends what it has once a second
stop "$unbound"
stop "$capture"
"$dynwatch" replay -c "$tmp/second.yaml" --dns-log "$tmp/replay.dnslog" --alerts "$tmp/replay.jsonl" \
  --summary "$tmp/replay.summary" "$tmp/record.fstrm" 2> "$tmp/replay.err"
is "the recording is replayed" "$?" 0
like "with every question" "$(jq -r .qname "$tmp/replay.dnslog" | sort -u | tr '\n' ' ')" \
  "a.duckdns.org b.duckdns.org c.duckdns.org d.duckdns.org other.duckdns.org www.example.com"
if command -v dnstap-read > /dev/null; then
  is "as many messages as dnstap-read counts" "$(jq .packets.read "$tmp/replay.summary")" \
    "$(dnstap-read "$tmp/record.fstrm" | grep -c .)"
fi
head -c -20 "$tmp/record.fstrm" > "$tmp/cut.fstrm"
"$dynwatch" replay --dns-log "$tmp/cut.dnslog" --alerts "$tmp/cut.jsonl" "$tmp/cut.fstrm" 2> "$tmp/cut.err"
is "one that was cut is exit code 3" "$?" 3
ok "with all that came before" test -s "$tmp/cut.dnslog"

ip netns exec "$net" setpriv --bounding-set=-all --inh-caps=-all "$dynwatch" run -c "$tmp/second.yaml" \
  > "$tmp/second.out" 2> "$tmp/second.err" &
sensor=$!
pids="$pids $sensor"
ok "a second sensor listens" wait_for 15 test -S "$tmp/second.sock"
ok "fstrm_replay tells it all" timeout 20 fstrm_replay -t protobuf:dnstap.Dnstap -u "$tmp/second.sock" -r "$tmp/record.fstrm"

wait_for 10 grep -q "is over after" "$tmp/second.err"
stop "$sensor"
ok "the DNS log is the same as that of the replay" cmp "$tmp/second.dnslog" "$tmp/replay.dnslog"
is "and so are the alerts" "$(jq -r '[.rule.id, .dns.question.name, .dynwatch.transport] | @tsv' "$tmp/second.jsonl" | sort)" \
  "$(jq -r '[.rule.id, .dns.question.name, .dynwatch.transport] | @tsv' "$tmp/replay.jsonl" | sort)"

# --- a server whose clock is wrong, and an interface: its messages do not queue behind each other -
cat > "$tmp/hour_ago.py" <<'PY'
import re, sys, time
def number(octets):
    return sum((o & 127) << 7 * i for i, o in enumerate(octets))
def hour_ago(field):
    seconds = number(field[0][1:])
    if abs(seconds - time.time()) > 1000:
        return field[0]
    seconds -= 3600
    return field[0][:1] + bytes(seconds >> 7 * i & 127 | (i < 4) << 7 for i in range(5))
# query_time_sec and response_time_sec, as varints
sys.stdout.buffer.write(re.sub(rb"[\x40\x60][\x80-\xff]{4}[\0-\x7f]", hour_ago, sys.stdin.buffer.read(), flags=re.S))
PY
python3 "$tmp/hour_ago.py" < "$tmp/record.fstrm" > "$tmp/late.fstrm"
cat > "$tmp/late.yaml" <<CONF
sensor: {name: late, memory_mb: 64}
capture: [{dnstap: "$tmp/late.sock"}, {interface: lo, buffer_mb: 8}]
outputs: [{type: dnslog, path: "$tmp/late.dnslog"}]
CONF
inside "$dynwatch" run -c "$tmp/late.yaml" > "$tmp/late.out" 2> "$tmp/late.err" &
sensor=$!
pids="$pids $sensor"
ok "a sensor listens to both" wait_for 15 grep -q "watching" "$tmp/late.err"
fstrm_replay -t protobuf:dnstap.Dnstap -u "$tmp/late.sock" -r "$tmp/late.fstrm"
ok "what was told is logged" wait_for 10 grep -q other.duckdns.org "$tmp/late.dnslog"
inside tests/e2e/send_frames.py lo -n 100 eth ip:10.1.0.7:10.9.9.9 udp:40000:53 query:late%d.example.com
all_logged() { [ "$(grep -c '"late[0-9]*.example.com"' "$tmp/late.dnslog")" -ge 100 ]; }
ok "what the interface shows is logged while it goes on" wait_for 5 all_logged
stop "$sensor"
stop "$named"
done_testing
