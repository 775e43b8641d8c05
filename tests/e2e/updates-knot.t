#!/bin/bash
# Knot DNS as the server: it answers otherwise than BIND, and its secondary passes updates on to
# the primary; since 3.4 without the client's signature. Needs root; everything happens in network
# namespaces.
. tests/support/tap.sh
. tests/support/net.sh
. tests/e2e/updates.bash
secondary=10.1.0.54

knot_conf() { # FOLDER ADDRESS "ZONE SETTING"...; Knot reads no mappings in braces
  local folder=$1 address=$2 algorithm entry
  shift 2
  mkdir "$tmp/$folder"
  {
    printf 'server:\n  listen: %s@53\n  rundir: "%s"\n' "$address" "$tmp/$folder"
    printf '  udp-workers: 1\n  tcp-workers: 1\n  background-workers: 1\n'
    printf 'log:\n  - target: stderr\n    any: info\ndatabase:\n  storage: "%s"\nkey:\n' "$tmp/$folder"
    for algorithm in md5 sha1 sha256 sha512; do
      printf '  - id: k-%s\n    algorithm: hmac-%s\n    secret: %s\n' $algorithm $algorithm $secret
    done
    cat << CONF
remote:
  - id: primary
    address: $server
acl:
  - id: anyone
    address: 10.1.0.0/16
    action: update
  - id: signed
    key: [k-md5, k-sha1, k-sha256, k-sha512]
    action: update
  - id: addresses
    key: k-sha256
    action: update
    update-type: [A, AAAA]
  - id: copies
    address: $secondary
    action: transfer
  - id: trusted
    address: $secondary
    action: update
zone:
CONF
    for entry in "$@"; do
      printf '  - domain: %s\n' "${entry%% *}"
      printf '%s\n' "${entry#* }" | tr ';' '\n' | sed 's/^ */    /'
    done
  } > "$tmp/$folder.conf"
}

write_servers() {
  local zone
  for zone in open.example safe.example narrow.example held.example; do zone_file $zone; done
  knot_conf one $server "open.example file: $tmp/open.example.zone; acl: [anyone, copies]" \
    "safe.example file: $tmp/safe.example.zone; acl: [signed, copies]" \
    "narrow.example file: $tmp/narrow.example.zone; acl: addresses" \
    "held.example file: $tmp/held.example.zone; acl: [signed, copies, trusted]"
  knot_conf two $secondary "open.example master: primary; acl: anyone" \
    "safe.example master: primary; acl: [signed, anyone]" \
    "held.example master: primary; acl: signed"
}

write_sensor() {
  cat > "$tmp/dynwatch.yaml" << CONF
sensor: {name: knot, memory_mb: 64}
tenants:
  - id: acme
    select: {networks: [10.1.0.0/16]}
    resolvers: [$server]
    zones:
      - {name: open.example, servers: [$server, $secondary]}
      - {name: safe.example, servers: [$server, $secondary]}
      - {name: narrow.example, servers: [$server]}
      - {name: held.example, servers: [$server, $secondary]}
CONF
}

lan_make
lan_join one $server/16
lan_join two $secondary/16
clients
write_servers
write_sensor
serve one one.log /usr/sbin/knotd -c "$tmp/one.conf"
serve two two.log /usr/sbin/knotd -c "$tmp/two.conf"
ready "knotd answers" one.log ask pc @$server ns.safe.example
ready "its secondary has the zones" two.log ask pc @$secondary ns.safe.example
ready "another one" two.log ask pc @$secondary ns.open.example
ready "all of them" two.log ask pc @$secondary ns.held.example
record

step "unsigned, accepted"
accepted $server open.example "" "update add new.open.example 300 A 10.1.9.$((client + 20))"
expects update.unsigned_accepted:high

step "unsigned, over TCP"
accepted $server open.example -v "update add tcp.open.example 300 A 10.1.9.$((client + 20))"
expects update.unsigned_accepted:high

step "unsigned, refused"
refused "REFUSED|NOTAUTH" $server safe.example "" "update add new.safe.example 300 A 10.1.9.$((client + 20))"
expects update.unsigned_attempt:low

step "unsigned and refused, then signed"
updater=10.1.4.100
refused "REFUSED|NOTAUTH" $server safe.example "" "update add two.safe.example 300 A 10.1.9.$((client + 20))"
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
sha512
ALGORITHMS

step "signed with a wrong secret"
refused BADSIG $server safe.example "$(signed sha256 $wrong)" "update add bad.safe.example 300 A 10.1.9.$((client + 20))"
expects

step "signed with a key that the server does not know"
refused "BADKEY|NOTAUTH" $server safe.example "-y hmac-sha256:nobody:$secret" "update add bad.safe.example 300 A 10.1.9.$((client + 20))"
expects

step "signed by a clock that is 20 minutes behind"
is "$step_name: knotd answers BADTIME" "$(late_update safe.example k-sha256 -1200)" "rcode 9, TSIG error 18"
expects

step "signed, of a type that the key may not change"
refused "REFUSED|NOTAUTH" $server narrow.example "$(signed sha256)" "update add txt.narrow.example 300 TXT x"
expects

step "prerequisites that hold"
accepted $server safe.example "$(signed sha256)" "prereq nxdomain none.safe.example" "update add p.safe.example 300 A 10.1.9.$((client + 20))"
expects

step "a prerequisite that does not hold"
refused YXDOMAIN $server safe.example "$(signed sha256)" "prereq nxdomain old.safe.example" "update add p2.safe.example 300 A 10.1.9.$((client + 20))"
expects

# --- through the secondary ---
step "unsigned through the secondary, accepted"
accepted $secondary open.example "" "update add far.open.example 300 A 10.1.9.$((client + 20))"
expects update.unsigned_accepted:high

step "unsigned through the secondary, refused by the primary"
refused "REFUSED|NOTAUTH" $secondary safe.example "" "update add far.safe.example 300 A 10.1.9.$((client + 20))"
expects update.unsigned_attempt:low

step "signed through the secondary"
accepted $secondary held.example "$(signed sha512)" "update add far.held.example 300 A 10.1.9.$((client + 20))"
expects

step "signed through the secondary, and the primary wants the signature"
update $secondary safe.example "$(signed sha512)" "update add far.safe.example 300 A 10.1.9.$((client + 20))" > "$tmp/answer.txt"
expects

judge "$tmp/dynwatch.yaml"
explained "NOTAUTH of a server that has the zone is no wrong zone" "missing signature: .* updates of safe\\.example signed only"
explained "what is passed on is part of it" "which passed it on to $server"
case $(/usr/sbin/knotd --version) in
  *" 3.2."*) ;;
  *) explained "that the signature is gone is told" "which passed it on to $server, without the signature" ;;
esac
done_testing
