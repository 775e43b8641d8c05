#!/bin/bash
# The sensor on the underlay: what is asked inside a tunnel or behind tags is seen with the inner
# addresses, and the VNI, session or VLAN chooses the tenant. Where the kernel has the kind of device,
# dig asks through a real one; otherwise frames like the device's are sent. Needs root.
. tests/support/tap.sh
. tests/support/net.sh
dynwatch=$(readlink -f "${DYNWATCH:-build/release/dynwatch}")

has() { jq -es "any(.[]; $1)" "$tmp/alerts.jsonl"; }
send() { in_net far tests/e2e/send_frames.py eth1 "$@"; }

net_make near far
net_pair near eth1 far eth1
in_net near ip addr add 172.31.0.1/24 dev eth1 && in_net far ip addr add 172.31.0.2/24 dev eth1
cat > "$tmp/dynwatch.yaml" <<CONF
sensor: {name: test, memory_mb: 64}
capture:
  - {interface: eth1, buffer_mb: 8}
tenants:
  - {id: plain, select: {networks: [10.9.0.0/16, "2001:db8:9::/48"]}}
  - {id: blue, select: {vnis: [7001]}}
  - {id: green, select: {vnis: [7002]}}
  - {id: span, select: {vnis: [99]}}
  - {id: red, select: {vlans: [101]}}
  - {id: inner, select: {vlans: [202]}}
outputs:
  - {type: jsonl, path: alerts.jsonl}
CONF
ip netns exec "$(net_of near)" tests/e2e/answer_dns.py &
pids="$pids $!"
ip netns exec "$(net_of near)" "$dynwatch" run -c "$tmp/dynwatch.yaml" --summary "$tmp/summary.json" 2> "$tmp/run.err" &
sensor=$!
pids="$pids $sensor"
ok "the sensor watches the underlay" wait_for 10 grep -q watching "$tmp/run.err"
sleep 0.3

# Ask for NAME through a device of the kernel: true when the kernel has that kind. NEAR and FAR are what
# "ip link add" takes on each side.
ask_through() { # NAME NEAR FAR FAMILY
  in_net near ip link add tun0 $2 2> /dev/null || return 1
  in_net far ip link add tun0 $3 || return 1
  for side in near far; do in_net $side ip link set tun0 addrgenmode none 2> /dev/null; done
  in_net near ip addr add 10.9.0.1/24 dev tun0 && in_net far ip addr add 10.9.0.7/24 dev tun0
  in_net near ip addr add 2001:db8:9::1/64 dev tun0 nodad && in_net far ip addr add 2001:db8:9::7/64 dev tun0 nodad
  in_net near ip link set tun0 up && in_net far ip link set tun0 up
  server=10.9.0.1
  [ "$4" = 6 ] && server=2001:db8:9::1
  asked=1
  wait_for 5 in_net far dig +tries=1 +time=1 +short "@$server" "$1" && asked=0
  in_net near ip link del tun0
  in_net far ip link del tun0 2> /dev/null
  echo "# $1: a tunnel of the kernel"
  return $asked
}

# The same as frames: LAYERS are what stands around the query and the answer.
frames() { # NAME FAMILY LAYERS...
  name=$1 family=$2 && shift 2
  if [ "$family" = 6 ]; then
    send "$@" ip6,2001:db8:9::7,2001:db8:9::1 udp:40000:53 "query:$name"
    send "$@" ip6,2001:db8:9::1,2001:db8:9::7 udp:53:40000 "answer:$name:192.0.2.80"
  else
    send "$@" ip:10.9.0.7:10.9.0.1 udp:40000:53 "query:$name"
    send "$@" ip:10.9.0.1:10.9.0.7 udp:53:40000 "answer:$name:192.0.2.80"
  fi
}

expect() { # NAME TENANT FAMILY
  client=10.9.0.7 server=10.9.0.1
  [ "$3" = 6 ] && client=2001:db8:9::7 server=2001:db8:9::1
  ok "$1: the inner addresses, tenant $2" wait_for 5 has \
    ".dns.question.name == \"$1.duckdns.org\" and .organization.id == \"$2\" and .source.ip == \"$client\" and .destination.ip == \"$server\""
}

outer="eth ip:172.31.0.2:172.31.0.1"
link="local 172.31.0.1 remote 172.31.0.2"
back="local 172.31.0.2 remote 172.31.0.1"

ask_through vxlan.duckdns.org "type vxlan id 7001 dev eth1 dstport 4789 $link" "type vxlan id 7001 dev eth1 dstport 4789 $back" 4 ||
  frames vxlan.duckdns.org 4 $outer udp:50000:4789 vxlan:7001 eth
expect vxlan blue 4
ask_through vxlan6.duckdns.org "type vxlan id 7001 dev eth1 dstport 4789 $link" "type vxlan id 7001 dev eth1 dstport 4789 $back" 6 ||
  frames vxlan6.duckdns.org 6 $outer udp:50000:4789 vxlan:7001 eth
expect vxlan6 blue 6
ask_through othervni.duckdns.org "type vxlan id 7002 dev eth1 dstport 8472 $link" "type vxlan id 7002 dev eth1 dstport 8472 $back" 4 ||
  frames othervni.duckdns.org 4 $outer udp:50000:8472 vxlan:7002 eth
expect othervni green 4
ask_through geneve.duckdns.org "type geneve id 7002 remote 172.31.0.2" "type geneve id 7002 remote 172.31.0.1" 4 ||
  frames geneve.duckdns.org 4 $outer udp:50000:6081 geneve:7002 eth
expect geneve green 4
ask_through gre.duckdns.org "type gre key 5 $link" "type gre key 5 $back" 4 || frames gre.duckdns.org 4 $outer gre:5
expect gre plain 4
ask_through gretap.duckdns.org "type gretap $link" "type gretap $back" 4 || frames gretap.duckdns.org 4 $outer gre eth
expect gretap plain 4
ask_through ipip.duckdns.org "type ipip $link" "type ipip $back" 4 || frames ipip.duckdns.org 4 $outer
expect ipip plain 4
ask_through sit.duckdns.org "type sit $link" "type sit $back" 6 || frames sit.duckdns.org 6 $outer
expect sit plain 6
frames nvgre.duckdns.org 4 $outer nvgre:7001 eth
expect nvgre blue 4
frames erspan.duckdns.org 4 $outer erspan:99 eth
expect erspan span 4
ask_through vlan.duckdns.org "link eth1 type vlan id 101" "link eth1 type vlan id 101" 4 || frames vlan.duckdns.org 4 eth vlan:101
expect vlan red 4
frames qinq.duckdns.org 4 eth qinq:50 vlan:202
expect qinq inner 4
frames outertag.duckdns.org 4 eth qinq:101 vlan:9
expect outertag red 4
frames tagged-vxlan.duckdns.org 4 eth vlan:303 ip:172.31.0.2:172.31.0.1 udp:50000:4789 vxlan:7001 eth
expect tagged-vxlan blue 4
frames plain.duckdns.org 4 eth
expect plain plain 4
# A capture hands out packets a little late: when the query of a later frame is judged, the answers before it are too.
frames last.duckdns.org 4 eth
expect last plain 4

kill -TERM "$sensor"
wait "$sensor"
is "it ends with 0" "$?" 0
is "answers are seen inside as well: each one finds its query" "$(jq .pairs.unsolicited "$tmp/summary.json")" 0
ok "for every kind there was one" jq -e '.pairs.matched >= 15' "$tmp/summary.json"
is "nothing is left undecoded" "$(jq '[.packets.rejected[]] | add // 0' "$tmp/summary.json")" 0
done_testing
