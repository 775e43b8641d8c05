#!/bin/sh
# Every packet read is accounted for, and the summary agrees with what was written.
. tests/support/tap.sh
dynwatch=${DYNWATCH:-build/release/dynwatch}
mkpcap=${MKPCAP:-build/release/mkpcap}

balanced='.packets | .read == .dns + .other + ([.rejected[]] | add // 0)'
messages='(.dns.messages == .dns.queries + .dns.responses) and ([.dns.opcodes[]] | add // 0) == .dns.messages
  and ([.dns.rcodes[]] | add // 0) == .dns.responses
  and .packets.dns == .dns.messages + ([.dns.malformed[]] | add // 0)'
alerts='(.alerts.written == ([.alerts.by_rule[]] | add // 0))
  and (.alerts.written == ([.alerts.by_tenant[]] | add // 0))'

check() { # NAME CAPTURE OPTIONS...
  name=$1 capture=$2 && shift 2
  "$dynwatch" replay "$@" --alerts "$tmp/a.jsonl" --dns-log "$tmp/d.jsonl" --summary "$tmp/s.json" \
    --progress never "$capture" > /dev/null 2> "$tmp/err"
  status=$?
  ok "$name: packets balance" jq -e "$balanced" "$tmp/s.json"
  ok "$name: messages balance" jq -e "$messages" "$tmp/s.json"
  ok "$name: alerts balance" jq -e "$alerts" "$tmp/s.json"
  is "$name: alerts written are the lines of the file" \
    "$(jq .alerts.written "$tmp/s.json")" "$(($(wc -l < "$tmp/a.jsonl")))"
  is "$name: messages are the lines of the DNS log" \
    "$(jq .dns.messages "$tmp/s.json")" "$(($(wc -l < "$tmp/d.jsonl")))"
  ok "$name: every line is JSON" jq -es 'length >= 0' "$tmp/a.jsonl" "$tmp/d.jsonl"
}

check demo tests/data/demo.pcap -c tests/data/demo.yaml
is "demo: exit code" "$status" 0
"$mkpcap" -n 20000 --malformed 0.2 --updates 0.05 --vlans -o "$tmp/bad.pcap"
check "one message in five cut" "$tmp/bad.pcap"
head -c 100000 "$tmp/bad.pcap" > "$tmp/cut.pcap"
check "a capture cut in the middle" "$tmp/cut.pcap"
is "a capture cut in the middle: exit code" "$status" 3
like "and it is said" "$(cat "$tmp/err")" "cut\.pcap: "
head -c 24 "$tmp/bad.pcap" > "$tmp/empty.pcap"
check "a capture without packets" "$tmp/empty.pcap"
is "a capture without packets: exit code" "$status" 0
ok "a capture without packets: no times" jq -e '.first_packet == null and .last_packet == null' "$tmp/s.json"
done_testing
