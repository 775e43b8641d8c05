#!/bin/bash
# A secondary passes updates on to its primary (RFC 2136, 6), as BIND does it: both legs cross the
# mirror port, and each UPDATE is judged once, as its sender's. Needs root; namespaces.
. tests/support/tap.sh
. tests/support/net.sh
. tests/e2e/updates.bash
secondary=10.1.0.54

write_servers() {
  local zone
  for zone in open.example safe.example; do zone_file $zone; done
  {
    bind_options "also-notify { $secondary; }; notify-delay 0;"
    cat << CONF
key "k-sha256" { algorithm hmac-sha256; secret "$secret"; };
zone "open.example" { type primary; file "open.example.zone"; allow-update { any; }; allow-transfer { $secondary; }; };
zone "safe.example" { type primary; file "safe.example.zone"; allow-update { key k-sha256; }; allow-transfer { $secondary; }; };
CONF
  } > "$tmp/primary.conf"
  mkdir "$tmp/second"
  {
    bind_options | sed "s|\"$tmp\"|\"$tmp/second\"|g"
    cat << CONF
zone "open.example" { type secondary; file "open.example"; primaries { $server; }; allow-update-forwarding { any; }; };
zone "safe.example" { type secondary; file "safe.example"; primaries { $server; }; allow-update-forwarding { any; }; };
CONF
  } > "$tmp/secondary.conf"
}

write_sensor() {
  cat > "$tmp/dynwatch.yaml" << CONF
sensor: {name: secondary, memory_mb: 64}
tenants:
  - id: acme
    select: {networks: [10.1.0.0/16]}
    resolvers: [$server, $secondary]
    zones:
      - {name: open.example, servers: [$server, $secondary]}
      - {name: safe.example, servers: [$server, $secondary]}
CONF
}

shows() { in_net pc dig +short +time=1 +tries=1 "@$secondary" "$1" | grep -qx "$2"; } # NAME ADDRESS

lan_make
lan_join one $server/16
lan_join two $secondary/16
clients
write_servers
write_sensor
serve one primary.log /usr/sbin/named -g -n 1 -c "$tmp/primary.conf"
ready "the primary answers" primary.log ask pc @$server ns.safe.example
serve two secondary.log /usr/sbin/named -g -n 1 -c "$tmp/secondary.conf"
ready "the secondary has the first zone" secondary.log ask pc @$secondary ns.safe.example
ready "and the second" secondary.log ask pc @$secondary ns.open.example
record

step "unsigned, accepted"
accepted $secondary open.example "" "update add udp.open.example 300 A 10.1.9.1"
ok "$step_name: the secondary shows it" wait_for 10 shows udp.open.example 10.1.9.1
expects update.unsigned_accepted:high

step "unsigned, over TCP, accepted"
accepted $secondary open.example -v "update add tcp.open.example 300 A 10.1.9.2"
ok "$step_name: the secondary shows it" wait_for 10 shows tcp.open.example 10.1.9.2
expects update.unsigned_accepted:high

step "unsigned, refused by the primary"
refused REFUSED $secondary safe.example "" "update add no.safe.example 300 A 10.1.9.3"
expects update.unsigned_attempt:low

step "signed"
accepted $secondary safe.example "$(signed sha256)" "update add udp.safe.example 300 A 10.1.9.4"
ok "$step_name: the secondary shows it" wait_for 10 shows udp.safe.example 10.1.9.4
expects

step "signed, over TCP"
accepted $secondary safe.example "$(signed sha256) -v" "update add tcp.safe.example 300 A 10.1.9.5"
expects

step "signed with a wrong secret"
refused "BADSIG|BADKEY|NOTAUTH" $secondary safe.example "$(signed sha256 $wrong)" "update add bad.safe.example 300 A 10.1.9.6"
expects

step "to the primary itself"
accepted $server safe.example "$(signed sha256)" "update add direct.safe.example 300 A 10.1.9.7"
ok "$step_name: the secondary shows it" wait_for 10 shows direct.safe.example 10.1.9.7
expects

judge "$tmp/dynwatch.yaml"
has "the one who is told of is the client, not the secondary" '.source.ip == "10.1.4.1" and .destination.ip == "10.1.0.54"'
explained "that it was passed on is explained" "passed it on to $server"
logged "what was passed on is one change" '.name == "tcp.safe.example" and .source == "10.1.4.5" and .transport == "tcp"'
is "each change is in the log once" "$(jq -r 'select(.result == "accepted") | .name' "$tmp/changes.jsonl" | sort | uniq -d)" ""
done_testing
