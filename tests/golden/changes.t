#!/bin/sh
# The change log and the explanations of UPDATEs: real updates of named, and what mkpcap makes.
. tests/support/tap.sh
dynwatch=${DYNWATCH:-build/release/dynwatch}
mkpcap=${MKPCAP:-build/release/mkpcap}

replay() { # NAME OPTIONS...
  name=$1 && shift
  "$dynwatch" replay --alerts "$tmp/$name.jsonl" --changelog "$tmp/$name.changes" \
    --summary "$tmp/$name.json" --progress never "$@" 2> "$tmp/$name.err"
}

expected() { # WHAT GOT EXPECTED-FILE
  if [ -n "${ACCEPT:-}" ]; then cp "$2" "tests/golden/expected/$3"; fi
  ok "$1" diff -u "tests/golden/expected/$3" "$2"
}

demo="-c tests/data/demo.yaml tests/data/demo.pcap"
# shellcheck disable=SC2086
{
  replay demo1 --threads 1 $demo
  replay demo4 --threads 4 $demo
  "$dynwatch" replay --explain-updates --progress never --threads 1 $demo > "$tmp/words1" 2> /dev/null
  "$dynwatch" replay --explain-updates --progress never --threads 4 $demo > "$tmp/words4" 2> /dev/null
}
expected "the demo's change log" "$tmp/demo1.changes" demo-changes.jsonl
expected "the demo's updates in words" "$tmp/words1" demo-updates.txt
ok "the same change log from any number of threads" cmp "$tmp/demo1.changes" "$tmp/demo4.changes"
ok "the same words from any number of threads" cmp "$tmp/words1" "$tmp/words4"
ok "no line is twice" test "$(jq -r .id "$tmp/demo1.changes" | sort | uniq -d | wc -l)" -eq 0
ok "the alerts are the same as without a change log" \
  "$dynwatch" replay --alerts "$tmp/plain.jsonl" --progress never -c tests/data/demo.yaml tests/data/demo.pcap
ok "to the byte" cmp "$tmp/plain.jsonl" "$tmp/demo1.jsonl"

# Several shards; every line has every key.
"$mkpcap" -n 40000 --tenants 6 --clients 400 --updates 0.2 -o "$tmp/mix.pcap"
{
  echo 'sensor: {name: mix, memory_mb: 32, trackers: 3}'
  echo 'tenants:'
  for t in 0 1 2 3 4 5; do echo "  - {id: t$t, select: {networks: [10.$t.0.0/16]}, resolvers: [10.$t.0.53]}"; done
} > "$tmp/mix.yaml"
replay mix1 -c "$tmp/mix.yaml" --threads 1 "$tmp/mix.pcap"
replay mix2 -c "$tmp/mix.yaml" --threads 2 "$tmp/mix.pcap"
ok "the mix has changes" test -s "$tmp/mix1.changes"
ok "three shards on one thread and on three trackers" cmp "$tmp/mix1.changes" "$tmp/mix2.changes"
is "the same figures of updates" "$(jq -c .tenants "$tmp/mix1.json")" "$(jq -c .tenants "$tmp/mix2.json")"
is "zones add up to all transactions" \
  "$(jq '[.tenants[].updates.zones[]?.updates] | add' "$tmp/mix1.json")" \
  "$(jq -r '[.dns_id, .source, .source_port, .tenant] | @tsv' "$tmp/mix1.changes" | sort -u | wc -l)"
is "every line has the same keys" "$(jq -c keys_unsorted "$tmp/mix1.changes" | sort -u | wc -l)" 1

# Copies of packets and retransmissions are no changes.
"$mkpcap" -n 2000 --updates 1 -o "$tmp/once.pcap"
replay once "$tmp/once.pcap"
replay twice "$tmp/once.pcap" "$tmp/once.pcap"
ok "what was captured twice is changed once" cmp "$tmp/once.changes" "$tmp/twice.changes"

# Updates of the world outside, by the cause that each gets.
real=${DYNWATCH_SHARED:-/nonexistent}/pcaps
causes() { # FILE
  "$dynwatch" replay --explain-updates --progress never "$real/$1" 2> /dev/null | sed -n 's/^  cause     \([^:]*\).*/\1/p' | tr '\n' ','
}
if [ -d "$real" ]; then
  is "Windows and Samba" "$(causes mercury-emix-samba-ad-gss-tsig-update.pcap)" 'missing signature,policy,missing signature,policy,policy,missing signature,policy,missing signature,'
  is "a server that takes none" "$(causes arkime-dns-update-notimp.pcap)" 'the server takes no updates (NOTIMP),'
  is "GSS-TSIG over TCP, refused" "$(causes suricata-verify-update-tcp-gss-tsig-refused.pcap)" 'policy,'
  is "a scanner's" "$(causes evilfingers-xscan-nessus-update-formerr.pcap)" 'the request breaks RFC 2136,'
fi

# Standard output has one kind of result.
"$dynwatch" replay --explain-updates --alerts - tests/data/demo.pcap > "$tmp/out" 2> "$tmp/err"
is "explanations and alerts on standard output: refused" "$?" 2
like "and said" "$(cat "$tmp/err")" 'can have standard output'
"$dynwatch" replay --changelog - --progress never tests/data/demo.pcap 2> /dev/null > "$tmp/out"
ok "a change log on standard output is alone there" \
  jq -e -s 'length > 0 and all(.[]; has("verb"))' "$tmp/out"

# The configured output.
cat tests/data/demo.yaml > "$tmp/out.yaml"
printf 'builtin_lists: true\noutputs:\n  - {type: changelog, path: %s/out.changes}\n' "$tmp" >> "$tmp/out.yaml"
sed -i "s|path: demo-malicious.hosts|path: $PWD/tests/data/demo-malicious.hosts|" "$tmp/out.yaml"
ok "an output of type changelog" \
  "$dynwatch" replay -c "$tmp/out.yaml" --outputs --alerts /dev/null --progress never tests/data/demo.pcap
ok "has the same lines" cmp "$tmp/out.changes" "$tmp/demo1.changes"
done_testing
