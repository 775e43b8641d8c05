#!/bin/sh
# mkpcap makes what its options say: the shares that a benchmark relies on are there, counted by
# dynwatch, every message is well-formed unless it was to be cut, and a seed gives the same bytes.
. tests/support/tap.sh
dynwatch=${DYNWATCH:-build/release/dynwatch}
mkpcap=${MKPCAP:-build/release/mkpcap}

replay() { # NAME OPTIONS OF MKPCAP...: -> $tmp/NAME.json, NAME.dns
  name=$1 && shift
  "$mkpcap" "$@" -o "$tmp/$name.pcap" && "$dynwatch" replay --alerts /dev/null --dns-log "$tmp/$name.dns" \
    --summary "$tmp/$name.json" --progress never "$tmp/$name.pcap" > /dev/null 2> "$tmp/$name.err"
}

holds() { # NAME WHAT FILTER
  ok "$1: $2" jq -e "$3" "$tmp/$1.json"
}

replay mix -n 100000
holds mix "as many packets as asked for" '.packets.read == 100000'
holds mix "nothing malformed, rejected or with a wrong checksum" \
  '.dns.malformed == {} and .packets.rejected == {} and .packets.checksum_wrong == 0'
holds mix "frames of about 129 bytes" '.packets.bytes / .packets.read | . > 122 and . < 136'
holds mix "6 % of the answers are NXDOMAIN" '.dns.rcodes.NXDOMAIN / .dns.responses | . > 0.055 and . < 0.065'
holds mix "0.1 % are UPDATEs" '.dns.opcodes.UPDATE / .dns.messages | . > 0.0006 and . < 0.0014'
holds mix "1 % go over TCP" '.dns.tcp / .dns.messages | . > 0.008 and . < 0.012'
holds mix "every answer has its question" '.pairs.unsolicited == 0 and .pairs.matched > 40000'
ok "mix: 15 % of the questions over IPv6" jq -es \
  'map(select(.response | not)) | (map(select(.src | contains(":"))) | length) / length | . > 0.14 and . < 0.16' "$tmp/mix.dns"
ok "mix: 1.5 % ask for dynamic names" jq -es 'map(select((.response | not) and .opcode == "QUERY"))
  | (map(select(.qname | test("(duckdns|hopto|no-ip|zapto)[.]org$|ddns[.]net$|dynv6[.]net$"))) | length) / length | . > 0.013 and . < 0.017' \
  "$tmp/mix.dns"
ok "mix: chains of three CNAMEs" jq -es 'any(.[]; [.answers[].type] | .[0:4] == ["CNAME", "CNAME", "CNAME", "A"])' "$tmp/mix.dns"
ok "mix: 5,000 clients ask" test "$(jq -r 'select((.response | not) and (.src | startswith("10."))) | .src' "$tmp/mix.dns" | sort -u | wc -l)" -ge 4990

replay signed -n 2000 --updates 0.5 --signed
ok "signed: every UPDATE ends with TSIG" jq -es \
  'map(select(.opcode == "UPDATE")) | length > 500 and all(.[]; .additional[-1].type == "TSIG" and (.rcode // "NOERROR") == "NOERROR")' "$tmp/signed.dns"
replay answers -n 2000 --answers-only --records 40 --nxdomain 0 --updates 0 --tcp 0
holds answers "no questions" '.dns.queries == 0 and .dns.responses == 2000'
ok "answers: 40 addresses in each that has some" jq -es \
  'all(.[]; [.answers[].type | select(. != "CNAME")] | length == 40 or length == 0)' "$tmp/answers.dns"
replay cut -n 2000 --malformed 1 --tcp 0
holds cut "no message is whole" '.dns.messages == 0 and ([.dns.malformed[]] | add) == 2000'
replay tcp -n 2000 --tcp 1
holds tcp "everything over TCP" '.dns.tcp == .dns.messages and .dns.messages > 600'
replay flood -n 2000 --flood 1
holds flood "no name exists" '.dns.rcodes | keys == ["NXDOMAIN"]'
replay tenants -n 20000 --tenants 5000 --clients 100000 --vlans
ok "tenants: one VLAN, the same network" jq -es \
  'all(.[]; (.src + .dst | test("^10[.]|^fd00:0:")) and (.vlan | length == 1))' "$tmp/tenants.dns"

"$mkpcap" -n 1000 --seed 7 -o "$tmp/one" && "$mkpcap" -n 1000 --seed 7 -o - > "$tmp/two"
ok "a seed gives the same bytes" cmp "$tmp/one" "$tmp/two"
"$mkpcap" -n 1000 --seed 8 -o "$tmp/two"
ok "another seed gives others" sh -c "! cmp -s '$tmp/one' '$tmp/two'"

refused() { "$mkpcap" "$@" -o /dev/null 2> "$tmp/err"; test $? -eq 2; }
ok "a share above 1 is refused" refused --tcp 1.5
like "and it is said what is taken" "$(cat "$tmp/err")" "--tcp 1\.5: not a share from 0 to 1"
ok "more clients than there are addresses are refused" refused --clients 1000000 --tenants 1
ok "an unknown option is refused" refused --nonsense
"$mkpcap" -n 1000 -o /dev/full 2> "$tmp/err"
is "a full disk: exit code" "$?" 1
done_testing
