#!/bin/bash
# PowerDNS as the server: it never says what is wrong with a signature, and its secondary passes
# updates on as they came. Needs root; everything happens in network namespaces.
. tests/support/tap.sh
. tests/support/net.sh
. tests/e2e/updates.bash
secondary=10.1.0.54

sql() { # DATABASE: executes what it reads
  python3 -c 'import sqlite3, sys; sqlite3.connect(sys.argv[1]).executescript(sys.stdin.read())' "$1"
}

powerdns() { # NAME ADDRESS
  mkdir "$tmp/$1"
  cat > "$tmp/$1/pdns.conf" << CONF
launch=gsqlite3
gsqlite3-database=$tmp/$1.db
gsqlite3-pragma-synchronous=0
gsqlite3-pragma-journal-mode=WAL
distributor-threads=1
local-address=$2
socket-dir=$tmp/$1
daemon=no
guardian=no
security-poll-suffix=
secondary=yes
xfr-cycle-interval=1
allow-axfr-ips=$secondary
dnsupdate=yes
allow-dnsupdate-from=10.1.0.0/16
forward-dnsupdate=yes
CONF
  sql "$tmp/$1.db" < /usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql
  local algorithm
  for algorithm in md5 sha1 sha256; do
    echo "INSERT INTO tsigkeys (name, algorithm, secret) VALUES ('k-$algorithm', 'hmac-$algorithm', '$secret');"
  done | sql "$tmp/$1.db"
}

primary_zone() { # NAME [KEY...]: with keys, only what these sign
  local zone=$1 key
  shift
  {
    echo "INSERT INTO domains (name, type) VALUES ('$zone', 'NATIVE');"
    for key in "$@"; do
      echo "INSERT INTO domainmetadata (domain_id, kind, content)
        SELECT id, 'TSIG-ALLOW-DNSUPDATE', '$key' FROM domains WHERE name = '$zone';"
    done
    while read -r name type content; do
      echo "INSERT INTO records (domain_id, name, type, content, ttl)
        SELECT id, '$name', '$type', '$content', 300 FROM domains WHERE name = '$zone';"
    done << RECORDS
$zone SOA ns.$zone root.$zone 1 3600 600 86400 60
$zone NS ns.$zone
ns.$zone A $server
old.$zone A 10.1.9.9
RECORDS
  } | sql "$tmp/one.db"
}

secondary_zone() { # NAME
  echo "INSERT INTO domains (name, type, master) VALUES ('$1', 'SLAVE', '$server');" | sql "$tmp/two.db"
}

write_servers() {
  powerdns one $server
  powerdns two $secondary
  primary_zone open.example
  primary_zone safe.example k-md5 k-sha1 k-sha256
  secondary_zone open.example
  secondary_zone safe.example
}

write_sensor() {
  cat > "$tmp/dynwatch.yaml" << CONF
sensor: {name: powerdns, memory_mb: 64}
tenants:
  - id: acme
    select: {networks: [10.1.0.0/16]}
    resolvers: [$server]
    zones:
      - {name: open.example, servers: [$server, $secondary]}
      - {name: safe.example, servers: [$server, $secondary]}
CONF
}

lan_make
lan_join one $server/16
lan_join two $secondary/16
clients
write_servers
write_sensor
serve one one.log /usr/sbin/pdns_server --config-dir="$tmp/one"
serve two two.log /usr/sbin/pdns_server --config-dir="$tmp/two"
ready "pdns_server answers" one.log ask pc @$server ns.safe.example
ready "its secondary has the zones" two.log ask pc @$secondary ns.safe.example
ready "all of them" two.log ask pc @$secondary ns.open.example
record

# First: what comes minutes later in the recording is out of time for --explain-updates.
step "signed with a key that the server does not know"
refused REFUSED $server safe.example "-y hmac-sha256:nobody:$secret" "update add bad.safe.example 300 A 10.1.9.$((client + 20))"
expects

step "signed by a clock that is 20 minutes behind"
is "$step_name: pdns_server does not say BADTIME" "$(late_update safe.example k-sha256 -1200)" "rcode 5, TSIG error 0"
expects

step "unsigned, accepted"
accepted $server open.example "" "update add new.open.example 300 A 10.1.9.$((client + 20))"
expects update.unsigned_accepted:high

step "unsigned, over TCP"
accepted $server open.example -v "update add tcp.open.example 300 A 10.1.9.$((client + 20))"
expects update.unsigned_accepted:high

step "unsigned, refused"
refused REFUSED $server safe.example "" "update add new.safe.example 300 A 10.1.9.$((client + 20))"
expects update.unsigned_attempt:low

step "unsigned and refused, then signed"
updater=10.1.4.100
refused REFUSED $server safe.example "" "update add two.safe.example 300 A 10.1.9.$((client + 20))"
accepted $server safe.example "$(signed sha256)" "update add two.safe.example 300 A 10.1.9.$((client + 20))"
updater=
expects

while read -r algorithm alert; do
  step "signed with hmac-$algorithm"
  accepted $server safe.example "$(signed $algorithm)" "update add $algorithm.safe.example 300 A 10.1.9.$((client + 20))"
  expects $alert
done << 'ALGORITHMS'
md5 update.weak_algorithm:medium
sha1 update.weak_algorithm:low
sha256
ALGORITHMS

step "signed with a wrong secret"
refused REFUSED $server safe.example "$(signed sha256 $wrong)" "update add bad.safe.example 300 A 10.1.9.$((client + 20))"
expects

step "a prerequisite that does not hold"
refused YXDOMAIN $server safe.example "$(signed sha256)" "prereq nxdomain old.safe.example" "update add p.safe.example 300 A 10.1.9.$((client + 20))"
expects

# --- through the secondary ---
step "unsigned through the secondary, accepted"
accepted $secondary open.example "" "update add far.open.example 300 A 10.1.9.$((client + 20))"
expects update.unsigned_accepted:high

step "signed through the secondary"
accepted $secondary safe.example "$(signed sha256)" "update add far.safe.example 300 A 10.1.9.$((client + 20))"
expects

judge "$tmp/dynwatch.yaml"
explained "what was refused may be for its signature" "policy: .* let key nobody change these records, or could not verify its signature"
explained "an old signature is taken for the reason" "clock skew: the client's clock is 12[0-9][0-9] s behind the time of capture"
explained "what is passed on is part of it" "which passed it on to $server$"
done_testing
