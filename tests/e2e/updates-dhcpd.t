#!/bin/bash
# ISC dhcpd registers its clients (RFC 4703 and the older way with TXT): what a DHCP server does
# all day is silent, conflicts of names and their hand-over too. Needs root; namespaces.
. tests/support/tap.sh
. tests/support/net.sh
. tests/e2e/updates.bash
. tests/e2e/dhcp.bash

start_dhcpd() { # STYLE DOMAIN KEY-LINE
  : > "$tmp/leases.$1"
  cat > "$tmp/dhcpd.$1.conf" << CONF
authoritative;
ping-check false;
ddns-update-style $1;
ddns-updates on;
deny client-updates;
ddns-domainname "$2.";
ddns-rev-domainname "in-addr.arpa.";
default-lease-time 600;
key k-dhcp { algorithm hmac-sha256; secret "$secret"; }
zone $2. { primary $server; $3 }
zone $reverse. { primary $server; key k-dhcp; }
subnet 10.1.0.0 netmask 255.255.0.0 { range 10.1.9.100 10.1.9.200; }
CONF
  serve dhcp "dhcpd.$1.log" /usr/sbin/dhcpd -4 -f -d --no-pid -cf "$tmp/dhcpd.$1.conf" -lf "$tmp/leases.$1" eth0
  dhcpd=$served
  ready "dhcpd listens ($1)" "dhcpd.$1.log" grep -q "Server starting service" "$tmp/dhcpd.$1.log"
}

dhcp_lan
start_dhcpd standard corp.example "key k-dhcp;"
record

step "a client gets a lease: A, DHCID and PTR"
ok "$step_name: it has one" lease desk1 alpha
ok "$step_name: its name is known" wait_for 10 has_address alpha.corp.example
first=$(address_of alpha.corp.example)
ok "$step_name: and its address" wait_for 10 has_pointer_to "${first##*.}" alpha.corp.example
expects

step "it renews"
ok "$step_name: it has a lease" lease desk1 alpha
expects

step "another client calls itself the same"
ok "$step_name: it has a lease" lease desk2 alpha
ok "$step_name: dhcpd sees the conflict" wait_for 10 grep -q "Forward map from alpha.* FAILED" "$tmp/dhcpd.standard.log"
is "$step_name: the name stays with the first" "$(address_of alpha.corp.example)" "$first"
expects

step "the first gives its lease back"
ok "$step_name: it does" give_back desk1 alpha
ok "$step_name: its name is gone" wait_for 10 has_no_address alpha.corp.example
expects

hand_over
class_room

kill "$dhcpd" && wait "$dhcpd"
start_dhcpd interim open.example ""
step "the older way, TXT instead of DHCID, and unsigned"
ok "$step_name: a client has a lease" lease desk1 beta -C -x 0x3d:010203040599
ok "$step_name: its name is known" wait_for 10 has_address beta.open.example
ok "$step_name: with the TXT" ask pc @$server beta.open.example TXT
expects update.unsigned_accepted:high

judge "$tmp/dynwatch.yaml"
done_testing
