#!/bin/bash
# The live sensor on a veth pair: real named and unbound answer, real dig and nsupdate ask, and the
# alerts are there within seconds. Needs root; everything happens in two network namespaces.
. tests/support/tap.sh
dynwatch=$(readlink -f "${DYNWATCH:-build/release/dynwatch}")
server=dw-srv-$$
client=dw-cli-$$

cleanup() {
  for ns in $server $client; do
    for pid in $(ip netns pids "$ns" 2> /dev/null); do kill "$pid" 2> /dev/null; done
  done
  sleep 0.2
  for ns in $server $client; do
    for pid in $(ip netns pids "$ns" 2> /dev/null); do kill -9 "$pid" 2> /dev/null; done
    ip netns del "$ns" 2> /dev/null
  done
}

in_server() { ip netns exec "$server" "$@"; }
in_client() { ip netns exec "$client" "$@"; }
ask() { in_client dig +time=2 +tries=1 "$@"; }

make_net() {
  ip netns add "$server" && ip netns add "$client" &&
    ip link add veth-srv netns "$server" type veth peer name veth-cli netns "$client" &&
    in_server ip addr add 10.1.0.53/16 dev veth-srv && in_server ip addr add 10.1.0.5/16 dev veth-srv &&
    in_server ip addr add 198.51.100.53/32 dev veth-srv &&
    in_server ip link set veth-srv up && in_server ip link set lo up &&
    in_client ip addr add 10.1.0.7/16 dev veth-cli && in_client ip link set veth-cli up &&
    in_client ip link set lo up && in_client ip route add default via 10.1.0.53
}

zone() { # NAME LINES...: writes a zone file
  {
    printf '$TTL 300\n@ SOA ns.%s. root.%s. 1 3600 600 86400 60\n@ NS ns\nns A 10.1.0.5\n' "$1" "$1"
    shift
    printf '%s\n' "$@"
  } > "$tmp/$zone.zone"
}

write_servers() {
  mkdir -p "$tmp/keys"
  zone=com && zone com "www.example A 192.0.2.10" "www.partner CNAME c2.hopto.org."
  zone=duckdns.org && zone duckdns.org "cam7 60 A 192.0.2.20" "other 60 A 192.0.2.21"
  zone=hopto.org && zone hopto.org "c2 60 A 192.0.2.66"
  zone=open.example && zone open.example "www A 10.1.0.80"
  zone=safe.example && zone safe.example "www A 10.1.0.81"
  cat > "$tmp/named.conf" <<CONF
key "client-key" { algorithm hmac-sha256; secret "c2VjcmV0LWZvci10aGUtdGVzdC1vbmx5LTEyMzQ1Ng=="; };
options {
  directory "$tmp"; pid-file "$tmp/named.pid"; listen-on { 10.1.0.5; 198.51.100.53; }; listen-on-v6 { none; };
  recursion no; allow-transfer { none; }; session-keyfile "$tmp/session.key"; managed-keys-directory "$tmp";
};
controls { };
zone "com" { type primary; file "com.zone"; };
zone "duckdns.org" { type primary; file "duckdns.org.zone"; };
zone "hopto.org" { type primary; file "hopto.org.zone"; };
zone "open.example" { type primary; file "open.example.zone"; allow-update { any; }; };
zone "safe.example" { type primary; file "safe.example.zone"; allow-update { key "client-key"; }; };
CONF
  cat > "$tmp/unbound.conf" <<CONF
server:
  interface: 10.1.0.53
  access-control: 10.0.0.0/8 allow
  chroot: ""
  username: ""
  directory: "$tmp"
  pidfile: "$tmp/unbound.pid"
  do-daemonize: no
  use-syslog: no
  logfile: "$tmp/unbound.log"
  module-config: "iterator"
  local-zone: "example." nodefault
remote-control:
  control-enable: no
forward-zone:
  name: "."
  forward-addr: 10.1.0.5
CONF
}

write_sensor() {
  printf '0.0.0.0 c2.hopto.org\n' > "$tmp/bad.hosts"
  cat > "$tmp/dynwatch.yaml" <<CONF
sensor: {name: veth-test, memory_mb: 64}
capture:
  - interface: veth-srv
tenants:
  - id: acme
    select: {networks: [10.1.0.0/16]}
    resolvers: [10.1.0.53, 10.1.0.5]
    ddns:
      approved:
        - name: cam7.duckdns.org
    zones:
      - {name: open.example, servers: [10.1.0.5]}
      - {name: safe.example, servers: [10.1.0.5]}
feeds:
  - {name: test-feed, path: bad.hosts, kind: malicious, severity: critical}
outputs:
  - {type: jsonl, path: alerts.jsonl}
CONF
}

update() { # SERVER KEY LINES... (KEY - is unsigned)
  local host=$1 signer=(-y "$2")
  [ "$2" = - ] && signer=()
  shift 2
  { echo "server $host" && printf '%s\n' "$@" && echo send; } > "$tmp/update.txt"
  in_client nsupdate -t 3 "${signer[@]}" "$tmp/update.txt"
}

refused() { ! update "$@"; }

has() { jq -es "any(.[]; $1)" "$tmp/alerts.jsonl"; }

has_not() { ! has "$1"; }

if ! make_net 2> "$tmp/net.err"; then
  ok "network namespaces can be made (root is needed)" false
  cat "$tmp/net.err" >&2
  done_testing
  exit 1
fi
write_servers
write_sensor
ip netns exec "$server" /usr/sbin/named -g -c "$tmp/named.conf" > "$tmp/named.log" 2>&1 &
pids="$pids $!"
ip netns exec "$server" /usr/sbin/unbound -d -c "$tmp/unbound.conf" > "$tmp/unbound.out" 2>&1 &
pids="$pids $!"
ok "named answers" wait_for 15 ask +short @10.1.0.5 www.example.com
ok "unbound answers" wait_for 15 ask +short @10.1.0.53 www.example.com

ip netns exec "$server" "$dynwatch" run -c "$tmp/dynwatch.yaml" > "$tmp/run.out" 2> "$tmp/run.err" &
sensor=$!
pids="$pids $sensor"
ok "the sensor says that it captures" wait_for 15 grep -q veth-srv "$tmp/run.err"

ask @10.1.0.53 www.example.com > /dev/null
ask @10.1.0.53 cam7.duckdns.org > /dev/null
ask @10.1.0.53 other.duckdns.org > /dev/null
ask @10.1.0.53 www.partner.com > /dev/null
key=hmac-sha256:client-key:c2VjcmV0LWZvci10aGUtdGVzdC1vbmx5LTEyMzQ1Ng==
ok "named takes an unsigned update for the lax zone" \
  update 10.1.0.5 - "zone open.example" "update add wpad.open.example 300 A 10.1.0.99"
ok "and refuses it for the strict one" refused 10.1.0.5 - "zone safe.example" "update add x.safe.example 300 A 10.1.0.98"
ok "a signed update passes" \
  update 10.1.0.5 "$key" "zone safe.example" "update add y.safe.example 300 A 10.1.0.97"
update 198.51.100.53 - "zone open.example" "update add z.open.example 300 A 10.1.0.96" > /dev/null 2>&1
ask @198.51.100.53 www.example.com > /dev/null
ask +vc @10.1.0.5 www.example.com > /dev/null

ok "lookup.malicious by way of a CNAME" wait_for 5 has '.rule.id == "lookup.malicious" and .source.ip == "10.1.0.7" and (.threat.indicator.name | contains("c2.hopto.org"))'
ok "lookup.unapproved for the unapproved name" wait_for 5 has '.rule.id == "lookup.unapproved" and .dns.question.name == "other.duckdns.org"'
ok "silence for the approved name" has_not '.dns.question.name == "cam7.duckdns.org"'
ok "silence for ordinary names" has_not '.dns.question.name == "www.example.com" and (.rule.id | startswith("lookup"))'
ok "update.unsigned_accepted" wait_for 5 has '.rule.id == "update.unsigned_accepted" and .dynwatch.zone == "open.example"'
ok "update.external_server" wait_for 5 has '.rule.id == "update.external_server" and .destination.ip == "198.51.100.53"'
ok "resolver.unapproved" wait_for 5 has '.rule.id == "resolver.unapproved" and .destination.ip == "198.51.100.53"'
ok "every alert names its tenant" jq -es 'length > 0 and all(.[]; .organization.id == "acme")' "$tmp/alerts.jsonl"

kill -TERM "$sensor"
wait "$sensor"
is "SIGTERM drains and exits 0" "$?" 0
like "the summary says what was read" "$(cat "$tmp/run.err")" "packets"
done_testing
