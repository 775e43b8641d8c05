#!/bin/bash
# Kea registers its clients: kea-dhcp4 tells kea-dhcp-ddns, and that updates named (RFC 4703).
# What a DHCP server does all day is silent. Needs root; everything happens in namespaces.
. tests/support/tap.sh
. tests/support/net.sh
. tests/e2e/updates.bash
. tests/e2e/dhcp.bash

write_kea() {
  cat > "$tmp/kea-dhcp4.conf" << CONF
{ "Dhcp4": {
  "interfaces-config": { "interfaces": ["eth0"], "dhcp-socket-type": "raw" },
  "lease-database": { "type": "memfile", "persist": false },
  "valid-lifetime": 600,
  "dhcp-ddns": { "enable-updates": true, "server-ip": "127.0.0.1" },
  "ddns-qualifying-suffix": "corp.example.",
  "ddns-override-client-update": true,
  "ddns-update-on-renew": true,
  "subnet4": [
    { "id": 1, "subnet": "10.1.0.0/16", "pools": [ { "pool": "10.1.9.100 - 10.1.9.200" } ] }
  ],
  "loggers": [ { "name": "kea-dhcp4", "output_options": [ { "output": "stdout" } ], "severity": "INFO" } ]
} }
CONF
  cat > "$tmp/kea-ddns.conf" << CONF
{ "DhcpDdns": {
  "ip-address": "127.0.0.1", "port": 53001, "dns-server-timeout": 5000,
  "tsig-keys": [
    { "name": "k-dhcp", "algorithm": "HMAC-SHA256", "secret": "$secret" }
  ],
  "forward-ddns": { "ddns-domains": [
    { "name": "corp.example.", "key-name": "k-dhcp", "dns-servers": [ { "ip-address": "$server" } ] }
  ] },
  "reverse-ddns": { "ddns-domains": [
    { "name": "$reverse.", "key-name": "k-dhcp", "dns-servers": [ { "ip-address": "$server" } ] }
  ] },
  "loggers": [ { "name": "kea-dhcp-ddns", "output_options": [ { "output": "stdout" } ], "severity": "INFO" } ]
} }
CONF
}

with_kea() { # PROGRAM CONFIGURATION LOG
  serve dhcp "$3" env KEA_PIDFILE_DIR="$tmp" KEA_LOCKFILE_DIR="$tmp" "/usr/sbin/$1" -c "$tmp/$2"
}

told() { [ "$(grep -c "$1" "$tmp/$2")" -ge "$3" ]; } # MESSAGE LOG COUNT

dhcp_lan
write_kea
with_kea kea-dhcp-ddns kea-ddns.conf ddns.log
ddns=$served
ready "kea-dhcp-ddns runs" ddns.log grep -q DCTL_CONFIG_COMPLETE "$tmp/ddns.log"
with_kea kea-dhcp4 kea-dhcp4.conf kea.log
ready "kea-dhcp4 runs" kea.log grep -q DHCP4_STARTED "$tmp/kea.log"
record

step "a client gets a lease: A, DHCID and PTR"
ok "$step_name: it has one" lease desk1 alpha
ok "$step_name: its name is known" wait_for 10 has_address alpha.corp.example
first=$(address_of alpha.corp.example)
ok "$step_name: and its address" wait_for 10 has_pointer_to "${first##*.}" alpha.corp.example
expects

step "it renews, and is registered again"
ok "$step_name: it has a lease" lease desk1 alpha
ok "$step_name: its name is there again" wait_for 10 told DHCP_DDNS_ADD_SUCCEEDED ddns.log 2
expects

step "another client calls itself the same"
ok "$step_name: it has a lease" lease desk2 alpha
ok "$step_name: Kea sees the conflict" wait_for 10 told DHCP_DDNS_ADD_FAILED ddns.log 1
is "$step_name: the name stays with the first" "$(address_of alpha.corp.example)" "$first"
expects

step "the first gives its lease back"
ok "$step_name: it does" give_back desk1 alpha
# One removal was of the step before last, one is of the renewal, one of the release.
ok "$step_name: Kea removes the name" wait_for 10 told DHCP_DDNS_REMOVE_SUCCEEDED ddns.log 3
ok "$step_name: its name is gone" has_no_address alpha.corp.example
expects

hand_over
class_room

kill "$ddns" && wait "$ddns"
sed "s|$secret|$wrong|" "$tmp/kea-ddns.conf" > "$tmp/kea-wrong.conf"
with_kea kea-dhcp-ddns kea-wrong.conf wrong.log
ready "kea-dhcp-ddns runs with a wrong secret" wrong.log grep -q DCTL_CONFIG_COMPLETE "$tmp/wrong.log"
step "the secret is wrong"
ok "$step_name: a client has a lease" lease desk1 gamma -C -x 0x3d:010203040599
ok "$step_name: Kea cannot register it" wait_for 10 told DHCP_DDNS_ADD_FAILED wrong.log 1
expects update.auth_failures:medium

judge "$tmp/dynwatch.yaml"
done_testing
