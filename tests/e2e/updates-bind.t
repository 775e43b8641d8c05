#!/bin/bash
# BIND and nsupdate (RFC 2136, RFC 8945): unsigned, signed in every way that TSIG has, wrongly
# signed, with prerequisites that hold and that do not, over TCP and IPv6. Each client does one
# thing. Needs root; everything happens in network namespaces.
. tests/support/tap.sh
. tests/support/net.sh
. tests/e2e/updates.bash

server6=2001:db8:1::53
client6=2001:db8:1::7
outside=198.51.100.53

write_server() {
  local zone algorithm
  for zone in open.example lax.example safe.example named.example far.example; do zone_file $zone; done
  {
    for algorithm in md5 sha1 sha224 sha256 sha384 sha512; do
      echo "key \"k-$algorithm\" { algorithm hmac-$algorithm; secret \"$secret\"; };"
    done
    bind_options
    cat << CONF
key "k-half" { algorithm hmac-sha256-128; secret "$secret"; };
zone "open.example" { type primary; file "open.example.zone"; allow-update { any; }; };
zone "lax.example" { type primary; file "lax.example.zone"; allow-update { any; }; };
zone "far.example" { type primary; file "far.example.zone"; allow-update { any; }; };
zone "named.example" { type primary; file "named.example.zone"; allow-update { key k-sha256; }; };
zone "safe.example" { type primary; file "safe.example.zone";
  allow-update { key k-half; key k-md5; key k-sha1; key k-sha224; key k-sha256; key k-sha384; key k-sha512; }; };
CONF
  } > "$tmp/named.conf"
}

write_sensor() {
  cat > "$tmp/dynwatch.yaml" << CONF
sensor: {name: bind, memory_mb: 64}
tenants:
  - id: acme
    select: {networks: [10.1.0.0/16, "2001:db8:1::/48"]}
    resolvers: [$server]
    suffixes: [hosts.named.example]
    zones:
      - {name: open.example, servers: [$server]}
      - {name: lax.example, servers: [$server], require_signed: false}
      - {name: safe.example, servers: [$server], updaters: [10.1.0.0/16, "!10.1.66.0/24", "2001:db8:1::/48"], critical: [www]}
      - {name: named.example, servers: [$server]}
      - {name: far.example, servers: [$server]}
CONF
}

lan_make
lan_join dns $server/16 $server6/64 $outside/32
clients $client6/64 10.1.66.7/16 10.1.66.8/16
in_net pc ip route add $outside via $server
write_server
write_sensor
serve dns named.log /usr/sbin/named -g -n 1 -c "$tmp/named.conf"
ready "named answers" named.log ask pc @$server ns.safe.example
record

# Early, while the steps' times are near the real ones that a signature carries.
step "to a zone that the server does not have"
refused NOTAUTH $server missing.example "$(signed sha256)" "update add x.missing.example 300 A 10.1.9.8"
expects

# --- without a signature ---
step "unsigned, accepted"
accepted $server open.example "" "update add new.open.example 300 A 10.1.9.1"
expects update.unsigned_accepted:high

step "unsigned, where that is the policy"
accepted $server lax.example "" "update add new.lax.example 300 A 10.1.9.1"
expects

step "unsigned, refused"
refused REFUSED $server safe.example "" "update add new.safe.example 300 A 10.1.9.1"
expects update.unsigned_attempt:low

step "unsigned and refused, then signed"
updater=10.1.4.100
refused REFUSED $server safe.example "" "update add two.safe.example 300 A 10.1.9.2"
accepted $server safe.example "$(signed sha256)" "update add two.safe.example 300 A 10.1.9.2"
updater=
expects

step "unsigned, over TCP"
accepted $server open.example -v "update add tcp.open.example 300 A 10.1.9.3"
expects update.unsigned_accepted:high

step "unsigned, over IPv6"
updater=$client6
accepted $server6 open.example "" "update add six.open.example 300 AAAA 2001:db8:1::9"
updater=
expects update.unsigned_accepted:high

step "unsigned, of what steers others"
accepted $server open.example "" "update add wpad.open.example 300 A 10.1.9.4"
expects update.unsigned_accepted:critical

# --- signed ---
for algorithm in sha256 sha384 sha512; do
  step "signed with hmac-$algorithm"
  accepted $server safe.example "$(signed $algorithm)" "update add $algorithm.safe.example 300 A 10.1.9.5"
  expects
done

step "signed, over TCP and IPv6"
updater=$client6
accepted $server6 safe.example "$(signed sha256) -v" "update add both.safe.example 300 AAAA 2001:db8:1::9"
updater=
expects

while read -r algorithm severity; do
  step "signed with hmac-$algorithm"
  accepted $server safe.example "$(signed $algorithm)" "update add $algorithm.safe.example 300 A 10.1.9.5"
  expects update.weak_algorithm:$severity
done << 'ALGORITHMS'
md5 medium
sha1 low
sha224 low
ALGORITHMS

step "signed with a MAC cut to its half"
accepted $server safe.example "-y hmac-sha256-128:k-half:$secret" "update add half.safe.example 300 A 10.1.9.5"
expects

step "signed with a MAC cut further than the server takes"
refused BADTRUNC $server safe.example "-y hmac-sha256-128:k-sha256:$secret" "update add half.safe.example 300 A 10.1.9.5"
expects

# --- wrongly signed ---
step "signed with a wrong secret, once"
refused BADSIG $server safe.example "$(signed sha256 $wrong)" "update add bad.safe.example 300 A 10.1.9.6"
expects

step "signed with a wrong secret, five times"
updater=10.1.4.99
for n in 1 2 3 4 5; do
  refused BADSIG $server safe.example "$(signed sha512 $wrong)" "update add bad$n.safe.example 300 A 10.1.9.6"
done
updater=
expects

step "signed with a key that the server does not know"
refused BADKEY $server safe.example "-y hmac-sha256:nobody:$secret" "update add bad.safe.example 300 A 10.1.9.6"
expects

step "signed by a clock that is 20 minutes behind"
is "$step_name: named answers BADTIME" "$(late_update safe.example -1200)" "rcode 9, TSIG error 18"
expects

step "signed by a clock that is 4 minutes ahead"
is "$step_name: named takes it" "$(late_update safe.example 240)" "rcode 0, TSIG error 0"
expects

# --- prerequisites, each of the five kinds ---
for condition in "yxdomain old.safe.example" "nxdomain none.safe.example" "yxrrset old.safe.example A" \
  "nxrrset old.safe.example TXT" "yxrrset old.safe.example A 10.1.9.9"; do
  step "holds: $condition"
  accepted $server safe.example "$(signed sha256)" "prereq $condition" "update add p$client.safe.example 300 A 10.1.9.7"
  expects
done
while read -r error condition; do
  step "does not hold: $condition"
  refused "$error" $server safe.example "$(signed sha256)" "prereq $condition" "update add p$client.safe.example 300 A 10.1.9.7"
  expects
done << 'CONDITIONS'
NXDOMAIN yxdomain none.safe.example
YXDOMAIN nxdomain old.safe.example
NXRRSET yxrrset old.safe.example TXT
YXRRSET nxrrset old.safe.example A
NXRRSET yxrrset old.safe.example A 10.1.9.10
CONDITIONS

step "prerequisites alone, unsigned"
accepted $server open.example "" "prereq yxdomain old.open.example"
expects

# --- what ---
step "a machine that finds others, signed"
accepted $server safe.example "$(signed sha256)" "update add wpad.safe.example 300 A 10.1.9.11"
expects update.critical_record:high

step "a name that the configuration calls critical, signed"
accepted $server safe.example "$(signed sha256)" "update add www.safe.example 300 A 10.1.9.12"
expects update.critical_record:high

step "a mail server of the zone, refused"
refused REFUSED $server safe.example "" "update add safe.example 300 MX 5 mail.safe.example."
expects update.unsigned_attempt:low

step "a name as the standard has it"
accepted $server named.example "$(signed sha256)" "update add pc1.hosts.named.example 300 A 10.1.9.13"
expects

step "a name that breaks the standard"
accepted $server named.example "$(signed sha256)" "update add pc1.named.example 300 A 10.1.9.13"
expects update.naming:low

# --- where and from where ---
step "to a server outside"
accepted $outside far.example "$(signed sha256)" "update add gone.far.example 300 A 10.1.9.8"
expects update.external_server:high

step "from where no updates should come, accepted"
updater=10.1.66.7
accepted $server safe.example "$(signed sha256)" "update add strange.safe.example 300 A 10.1.9.8"
expects update.unauthorized_source:high

step "from where no updates should come, refused"
updater=10.1.66.8
refused REFUSED $server safe.example "" "update add strange2.safe.example 300 A 10.1.9.8"
updater=
expects update.unauthorized_source:low update.unsigned_attempt:low

judge "$tmp/dynwatch.yaml"
done_testing
