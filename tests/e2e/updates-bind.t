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
key "k-clock" { algorithm hmac-sha256; secret "$secret"; };
key "k-none" { algorithm hmac-sha256; secret "$secret"; };
key "k-half" { algorithm hmac-sha256-128; secret "$secret"; };
zone "open.example" { type primary; file "open.example.zone"; allow-update { any; }; };
zone "lax.example" { type primary; file "lax.example.zone"; allow-update { any; }; };
zone "far.example" { type primary; file "far.example.zone"; allow-update { any; }; };
zone "named.example" { type primary; file "named.example.zone"; allow-update { key k-sha256; }; };
zone "safe.example" { type primary; file "safe.example.zone";
  allow-update { key k-clock; key k-half; key k-md5; key k-sha1; key k-sha224; key k-sha256; key k-sha384; key k-sha512; }; };
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
refused NOTAUTH $server missing.example "$(signed sha256)" "update add x.missing.example 300 A 10.1.9.$((client + 20))"
expects

# --- without a signature ---
step "unsigned, accepted"
accepted $server open.example "" "update add new.open.example 300 A 10.1.9.$((client + 20))"
expects update.unsigned_accepted:high

step "unsigned, where that is the policy"
accepted $server lax.example "" "update add new.lax.example 300 A 10.1.9.$((client + 20))"
expects

step "unsigned, refused"
refused REFUSED $server safe.example "" "update add new.safe.example 300 A 10.1.9.$((client + 20))"
expects update.unsigned_attempt:low

step "unsigned and refused, then signed"
updater=10.1.4.100
refused REFUSED $server safe.example "" "update add two.safe.example 300 A 10.1.9.$((client + 20))"
accepted $server safe.example "$(signed sha256)" "update add two.safe.example 300 A 10.1.9.$((client + 20))"
updater=
expects

step "unsigned, over TCP"
accepted $server open.example -v "update add tcp.open.example 300 A 10.1.9.$((client + 20))"
expects update.unsigned_accepted:high

step "unsigned, over IPv6"
updater=$client6
accepted $server6 open.example "" "update add six.open.example 300 AAAA 2001:db8:1::9"
updater=
expects update.unsigned_accepted:high

step "unsigned, of what steers others"
accepted $server open.example "" "update add wpad.open.example 300 A 10.1.9.$((client + 20))"
expects update.unsigned_accepted:critical

# --- signed ---
for algorithm in sha256 sha384 sha512; do
  step "signed with hmac-$algorithm"
  accepted $server safe.example "$(signed $algorithm)" "update add $algorithm.safe.example 300 A 10.1.9.$((client + 20))"
  expects
done

step "signed, over TCP and IPv6"
updater=$client6
accepted $server6 safe.example "$(signed sha256) -v" "update add both.safe.example 300 AAAA 2001:db8:1::8"
updater=
expects

while read -r algorithm severity; do
  step "signed with hmac-$algorithm"
  accepted $server safe.example "$(signed $algorithm)" "update add $algorithm.safe.example 300 A 10.1.9.$((client + 20))"
  expects update.weak_algorithm:$severity
done << 'ALGORITHMS'
md5 medium
sha1 low
sha224 low
ALGORITHMS

step "signed with a MAC cut to its half"
accepted $server safe.example "-y hmac-sha256-128:k-half:$secret" "update add half.safe.example 300 A 10.1.9.$((client + 20))"
expects

step "signed with a MAC cut further than the server takes"
refused BADTRUNC $server safe.example "-y hmac-sha256-128:k-sha256:$secret" "update add half.safe.example 300 A 10.1.9.$((client + 20))"
expects

# --- wrongly signed ---
step "signed with a wrong secret, once"
refused BADSIG $server safe.example "$(signed sha256 $wrong)" "update add bad.safe.example 300 A 10.1.9.$((client + 20))"
expects

step "signed with a wrong secret, five times"
updater=10.1.4.99
for n in 1 2 3 4 5; do
  refused BADSIG $server safe.example "$(signed sha512 $wrong)" "update add bad$n.safe.example 300 A 10.1.9.$((client + 20))"
done
updater=
expects update.auth_failures:medium

step "signed with a wrong secret, by three clients with the same key"
for n in 1 2 3; do
  refused BADSIG $server safe.example "$(signed sha384 $wrong)" "update add bad$n.safe.example 300 A 10.1.9.$((client + 20))"
done
expects update.auth_failures:medium

step "signed with a key that the server does not know"
refused BADKEY $server safe.example "-y hmac-sha256:nobody:$secret" "update add bad.safe.example 300 A 10.1.9.$((client + 20))"
expects

step "signed by a clock that is 20 minutes behind, once"
is "$step_name: named answers BADTIME" "$(late_update safe.example k-clock -1200)" "rcode 9, TSIG error 18"
expects

step "signed by a clock that is 20 minutes behind, three times"
updater=10.1.4.98
for n in 1 2 3; do
  is "$step_name: named answers BADTIME" "$(late_update safe.example k-clock -1200)" "rcode 9, TSIG error 18"
done
updater=
expects update.auth_failures:medium

step "signed by a clock that is 4 minutes ahead"
is "$step_name: named takes it" "$(late_update safe.example k-clock 240)" "rcode 0, TSIG error 0"
expects

step "refused five times, though well signed"
updater=10.1.4.97
for n in 1 2 3 4 5; do
  refused REFUSED $server safe.example "-y hmac-sha256:k-none:$secret" "update add no$n.safe.example 300 A 10.1.9.$((client + 20))"
done
updater=
expects update.failures:low

# --- prerequisites, each of the five kinds ---
for condition in "yxdomain old.safe.example" "nxdomain none.safe.example" "yxrrset old.safe.example A" \
  "nxrrset old.safe.example TXT" "yxrrset old.safe.example A 10.1.9.9"; do
  step "holds: $condition"
  accepted $server safe.example "$(signed sha256)" "prereq $condition" "update add p$client.safe.example 300 A 10.1.9.$((client + 20))"
  expects
done
while read -r error condition; do
  step "does not hold: $condition"
  refused "$error" $server safe.example "$(signed sha256)" "prereq $condition" "update add p$client.safe.example 300 A 10.1.9.$((client + 20))"
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

step "prerequisites that do not hold, ten times"
updater=10.1.4.96
for n in 1 2 3 4 5 6 7 8 9 10; do
  update $server safe.example "$(signed sha256)" "prereq nxdomain old.safe.example" "update add q.safe.example 300 A 10.1.9.$((client + 20))"
done > "$tmp/answer.txt"
is "$step_name: nsupdate is told YXDOMAIN" "$(grep -c YXDOMAIN "$tmp/answer.txt")" 10
updater=
expects

# --- how many ---
step "many names at once"
updater=10.1.4.95
mapfile -t lines < <(for n in $(seq 40); do echo "update add bulk$n.safe.example 300 A 10.1.8.$n"; done)
accepted $server safe.example "$(signed sha256) -v" "${lines[@]}"
expects

step "and all of them deleted"
mapfile -t lines < <(seq -f 'update delete bulk%.0f.safe.example A' 40)
accepted $server safe.example "$(signed sha256) -v" "${lines[@]}"
updater=
expects update.mass_delete:high

step "as many updates as nobody makes"
updater=10.1.4.94
mapfile -t lines < <(for n in $(seq 140); do printf 'update add many%d.safe.example 300 A 10.1.8.%d\nsend\n' "$n" "$n"; done)
accepted $server safe.example "$(signed sha256)" "${lines[@]}"
updater=
expects update.spike:medium

# --- what ---
step "a machine that finds others, signed"
accepted $server safe.example "$(signed sha256)" "update add wpad.safe.example 300 A 10.1.9.$((client + 20))"
expects update.critical_record:high

step "a name that the configuration calls critical, signed"
accepted $server safe.example "$(signed sha256)" "update add www.safe.example 300 A 10.1.9.$((client + 20))"
expects update.critical_record:high

step "a mail server of the zone, refused"
refused REFUSED $server safe.example "" "update add safe.example 300 MX 5 mail.safe.example."
expects update.unsigned_attempt:low

step "a name as the standard has it"
accepted $server named.example "$(signed sha256)" "update add pc1.hosts.named.example 300 A 10.1.9.$((client + 20))"
expects

step "a name that breaks the standard"
accepted $server named.example "$(signed sha256)" "update add pc1.named.example 300 A 10.1.9.$((client + 20))"
expects update.naming:low

# --- whose ---
step "a name of its own"
updater=10.1.4.93
accepted $server safe.example "$(signed sha256)" "update add mine.safe.example 300 A 10.1.7.1"
expects

step "its owner moves it"
accepted $server safe.example "$(signed sha256)" "update delete mine.safe.example A" "update add mine.safe.example 300 A 10.1.7.2"
updater=
expects

step "another key moves it"
accepted $server safe.example "$(signed sha512)" "update delete mine.safe.example A" "update add mine.safe.example 300 A 10.1.7.3"
expects update.takeover:high

# --- where and from where ---
step "to a server outside"
accepted $outside far.example "$(signed sha256)" "update add gone.far.example 300 A 10.1.9.$((client + 20))"
expects update.external_server:high

step "from where no updates should come, accepted"
updater=10.1.66.7
accepted $server safe.example "$(signed sha256)" "update add strange.safe.example 300 A 10.1.9.$((client + 20))"
expects update.unauthorized_source:high

step "from where no updates should come, refused"
updater=10.1.66.8
refused REFUSED $server safe.example "" "update add strange2.safe.example 300 A 10.1.9.$((client + 20))"
updater=
expects update.unauthorized_source:low update.unsigned_attempt:low

judge "$tmp/dynwatch.yaml"
has "a wrong clock is told with its seconds" '.rule.id == "update.auth_failures" and .source.ip == "10.1.4.98" and any(.dynwatch.why[]; (.value | tostring | test("1200")))'
has "a key that three clients have wrong is named" '.rule.id == "update.auth_failures" and .dynwatch.key == "k-sha384"'
has "a weak algorithm is told with its key" '.rule.id == "update.weak_algorithm" and .dynwatch.key == "k-md5"'
explained "a wrong secret is explained" "wrong secret: .*k-sha512"
explained "an unknown key is explained" "unknown key: .*nobody"
explained "a wrong clock is explained" "clock is 1200 s behind"
explained "a prerequisite that does not hold is explained" "prerequisite did not hold: old.safe.example is not in use"
logged "what was changed is in the change log" '.name == "two.safe.example" and (.new | startswith("10.1.9.")) and .key == "k-sha256" and .rcode == "NOERROR"'
logged "what was refused is there with its reason" '.name == "new.safe.example" and .rcode == "REFUSED" and .reason == "missing_signature"'
done_testing
