# dhcp.bash -- what updates-dhcpd.t and updates-kea.t have in common: named, a DHCP server, clients.
#
#   dhcp_lan                              the hosts dns, dhcp, desk1, desk2; named runs
#   lease HOST NAME [OPTION...]           that host's udhcpc gets or renews its lease, as NAME
#   give_back HOST NAME                   it releases the lease
#   has_address NAME / has_no_address     what named says
#   hand_over, class_room                 steps that are the same whatever the DHCP server
#
# Read after updates.bash.
# shellcheck disable=SC2154 # variables from there
dhcp_server=10.1.0.10
reverse=9.1.10.in-addr.arpa

dhcp_zones() {
  local zone
  for zone in corp.example open.example $reverse; do zone_file $zone; done
  {
    bind_options
    cat << CONF
key "k-dhcp" { algorithm hmac-sha256; secret "$secret"; };
zone "corp.example" { type primary; file "corp.example.zone"; allow-update { key k-dhcp; }; };
zone "open.example" { type primary; file "open.example.zone"; allow-update { any; }; };
zone "$reverse" { type primary; file "$reverse.zone"; allow-update { key k-dhcp; }; };
CONF
  } > "$tmp/named.conf"
}

dhcp_sensor() {
  cat > "$tmp/dynwatch.yaml" << CONF
sensor: {name: dhcp, memory_mb: 64}
tenants:
  - id: acme
    select: {networks: [10.1.0.0/16]}
    resolvers: [$server]
    suffixes: [corp.example, open.example]
    zones:
      - {name: corp.example, servers: [$server], updaters: [$dhcp_server]}
      - {name: open.example, servers: [$server], updaters: [$dhcp_server]}
      - {name: $reverse, servers: [$server], updaters: [$dhcp_server]}
CONF
}

dhcp_lan() {
  lan_make
  lan_join dns $server/16
  lan_join dhcp $dhcp_server/16
  lan_join desk1
  lan_join desk2
  clients
  # A lease is configured, so that it can be given back.
  cat > "$tmp/configure" << 'SCRIPT'
#!/bin/sh
[ "$1" = bound ] || [ "$1" = renew ] || exit 0
ip addr flush dev "$interface" && ip addr add "$ip/16" dev "$interface" noprefixroute
ip route replace 10.1.0.0/16 dev "$interface"
SCRIPT
  chmod 755 "$tmp/configure"
  dhcp_zones
  dhcp_sensor
  serve dns named.log /usr/sbin/named -g -n 1 -c "$tmp/named.conf"
  ready "named answers" named.log ask pc @$server ns.corp.example
}

lease() { # HOST NAME [OPTION...]
  local host=$1 name=$2
  shift 2
  in_net "$host" udhcpc -f -q -n -t 8 -T 1 -i eth0 -s "$tmp/configure" -x "hostname:$name" "$@"
}

give_back() { # HOST NAME: a lease that it has, or now gets
  serve "$1" "udhcpc.$1.log" udhcpc -f -n -t 8 -T 1 -i eth0 -s "$tmp/configure" -x "hostname:$2"
  wait_for 10 grep -q "lease of .* obtained" "$tmp/udhcpc.$1.log" && kill -USR2 "$served" &&
    wait_for 10 grep -q "unicasting a release" "$tmp/udhcpc.$1.log" && kill "$served"
}

has_address() { ask pc @$server "$1" A; }
has_no_address() { ! has_address "$1"; }
has_pointer_to() { in_net pc dig +short +time=1 +tries=1 @$server "$1.$reverse" PTR | grep -qx "$2."; }
address_of() { in_net pc dig +short +time=1 +tries=1 @$server "$1" A; }

# desk2 has asked for the name of desk1, which has given it back.
hand_over() {
  step "the name goes to the other"
  ok "$step_name: it gives its nameless lease back" give_back desk2 alpha
  ok "$step_name: and gets another" lease desk2 alpha
  ok "$step_name: the name is known again" wait_for 10 has_address alpha.corp.example
  expects
}

class_room() {
  step "a class room is switched on"
  for n in 10 11 12 13 14 15 16 17 18 19 20 21; do
    lease desk1 "room$n" -C -x "0x3d:0102030405$n" > /dev/null 2>&1
  done
  ok "$step_name: the last is known" wait_for 10 has_address room21.corp.example
  expects
}
