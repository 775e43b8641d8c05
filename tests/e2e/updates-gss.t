#!/bin/bash
# Signatures with public keys and with Kerberos: SIG(0) (RFC 2931) and GSS-TSIG (RFC 3645), by
# nsupdate and named with a real KDC, everything of which is in the test's folder. Needs root.
. tests/support/tap.sh
. tests/support/net.sh
. tests/e2e/updates.bash
realm=ACME.EXAMPLE

write_kerberos() {
  cat > "$tmp/krb5.conf" << CONF
[libdefaults]
  default_realm = $realm
  dns_lookup_realm = false
  dns_lookup_kdc = false
  dns_canonicalize_hostname = false
  rdns = false
[realms]
  $realm = {
    kdc = $server:88
  }
[domain_realm]
  .example = $realm
[logging]
  default = STDERR
CONF
  cat > "$tmp/kdc.conf" << CONF
[kdcdefaults]
  kdc_ports = 88
  kdc_tcp_ports = 88
[realms]
  $realm = {
    database_name = $tmp/principal
    key_stash_file = $tmp/stash
    acl_file = $tmp/none.acl
  }
CONF
  export KRB5_CONFIG=$tmp/krb5.conf KRB5_KDC_PROFILE=$tmp/kdc.conf KRB5CCNAME=FILE:$tmp/tickets
  kdb5_util create -s -r $realm -P "$(od -An -N16 -tx1 /dev/urandom | tr -d ' ')" > "$tmp/kdb.log" 2>&1
  local principal
  for principal in DNS/ns.corp.example pc1 pc2; do
    kadmin.local -q "addprinc -randkey $principal" && kadmin.local -q "ktadd -k $tmp/${principal%%/*}.keytab $principal"
  done >> "$tmp/kdb.log" 2>&1
}

write_server() {
  zone_file corp.example
  zone_file keys.example
  zone_file open.example
  (cd "$tmp" && dnssec-keygen -q -T KEY -n HOST -a ECDSAP256SHA256 pc7.keys.example > key.name &&
    dnssec-keygen -q -T KEY -n HOST -a ECDSAP256SHA256 pc8.keys.example > stranger.name) 2> "$tmp/keygen.log"
  cat "$tmp/$(cat "$tmp/key.name").key" >> "$tmp/keys.example.zone"
  {
    bind_options "tkey-gssapi-keytab \"$tmp/DNS.keytab\";"
    cat << CONF
zone "corp.example" { type primary; file "corp.example.zone";
  update-policy { grant pc1@$realm zonesub A AAAA; }; };
zone "open.example" { type primary; file "open.example.zone"; allow-update { any; }; };
zone "keys.example" { type primary; file "keys.example.zone";
  update-policy { grant pc7.keys.example. name pc7.keys.example. A TXT; }; };
CONF
  } > "$tmp/named.conf"
}

write_sensor() {
  cat > "$tmp/dynwatch.yaml" << CONF
sensor: {name: gss, memory_mb: 64}
tenants:
  - id: acme
    select: {networks: [10.1.0.0/16]}
    resolvers: [$server]
    zones:
      - {name: corp.example, servers: [$server]}
      - {name: open.example, servers: [$server]}
      - {name: keys.example, servers: [$server]}
CONF
}

login() { in_net pc kinit -k -t "$tmp/$1.keytab" "$1"; } # PRINCIPAL
sig0() { echo "-k $tmp/$(cat "$tmp/$1.name").private"; }

lan_make
lan_join dns $server/16
clients
write_kerberos
write_server
write_sensor
serve dns kdc.log /usr/sbin/krb5kdc -n -r $realm -P "$tmp/kdc.pid"
serve dns named.log /usr/sbin/named -g -n 1 -c "$tmp/named.conf"
ready "named answers" named.log ask pc @$server ns.corp.example
ready "the KDC gives a ticket" kdc.log login pc1
record

# --- Kerberos ---
step "signed with GSS-TSIG"
accepted $server corp.example -g "update add gss.corp.example 1200 A 10.1.9.1"
expects

step "unsigned and refused, then signed with GSS-TSIG, as Windows does it"
updater=10.1.4.100
refused REFUSED $server corp.example "" "prereq nxrrset win.corp.example CNAME" \
  "update delete win.corp.example A" "update add win.corp.example 1200 A 10.1.9.2"
accepted $server corp.example -g "prereq nxrrset win.corp.example CNAME" \
  "update delete win.corp.example A" "update add win.corp.example 1200 A 10.1.9.2"
updater=
expects

step "the same host with another address: a new context is a new key name"
updater=10.1.4.100
accepted $server corp.example -g "update delete win.corp.example A" "update add win.corp.example 1200 A 10.1.9.12"
updater=
expects

step "unsigned and refused, and nothing follows"
refused REFUSED $server corp.example "" "update add sneak.corp.example 1200 A 10.1.9.3"
expects update.unsigned_attempt:low

step "signed by a principal that may not"
login pc2
refused REFUSED $server corp.example -g "update add gss.corp.example 1200 A 10.1.9.4"
expects

# --- SIG(0) ---
step "signed with SIG(0), where the server takes anything"
accepted $server open.example "$(sig0 key)" "update add pc7.open.example 300 A 10.1.9.5"
expects

step "signed with SIG(0), over TCP"
accepted $server open.example "$(sig0 key) -v" "update add pc7.open.example 300 TXT tcp"
expects

# BIND 9.18 no longer verifies SIG(0) (CVE-2024-1975), 9.20 does: the answers differ, the alerts do not.
step "signed with SIG(0), where only that key may"
case $(/usr/sbin/named -v) in
  *" 9.18."*) refused REFUSED $server keys.example "$(sig0 key)" "update add pc7.keys.example 300 A 10.1.9.5" ;;
  *) accepted $server keys.example "$(sig0 key)" "update add pc7.keys.example 300 A 10.1.9.5" ;;
esac
expects

step "signed with a SIG(0) key that the server does not know"
# BIND 9.18 says REFUSED, 9.20 SERVFAIL.
refused "REFUSED|SERVFAIL" $server keys.example "$(sig0 stranger)" "update add pc8.keys.example 300 A 10.1.9.6"
expects

judge "$tmp/dynwatch.yaml"
explained "the principal's context is named" "GSS-TSIG, key [0-9]+\\.sig-ns\\.corp\\.example"
explained "the key of SIG(0) is named" "SIG\\(0\\), key pc7\\.keys\\.example, ECDSAP256SHA256"
done_testing
