#!/bin/sh
# The same capture gives the same bytes: twice in a row, with any number of threads, from a pipe.
. tests/support/tap.sh
dynwatch=${DYNWATCH:-build/release/dynwatch}
mkpcap=${MKPCAP:-build/release/mkpcap}

replay() { # NAME OPTIONS...
  name=$1 && shift
  "$dynwatch" replay --alerts "$tmp/$name.jsonl" --dns-log "$tmp/$name.dns" \
    --summary "$tmp/$name.json" --progress never "$@" 2> "$tmp/$name.err"
}

same() { # WHAT A B
  ok "$1: the same alerts" cmp "$tmp/$2.jsonl" "$tmp/$3.jsonl"
  ok "$1: the same DNS log" cmp "$tmp/$2.dns" "$tmp/$3.dns"
}

demo="-c tests/data/demo.yaml tests/data/demo.pcap"
# shellcheck disable=SC2086
{
  replay one --threads 1 $demo
  replay again --threads 1 $demo
  replay two --threads 2 $demo
  replay four --threads 4 $demo
}
ok "the demo raises alerts" test -s "$tmp/one.jsonl"
same "twice in a row" one again
same "one and two threads" one two
same "one and four threads" one four
replay pipe -c tests/data/demo.yaml - < tests/data/demo.pcap
same "from standard input" one pipe

# Many tenants over several shards, tables small enough to evict.
"$mkpcap" -n 200000 --tenants 12 --clients 3000 --dynamic 0.05 --updates 0.01 -o "$tmp/mix.pcap"
cat > "$tmp/mix.yaml" <<'YAML'
sensor: {name: mix, memory_mb: 16, trackers: 3}
tenants:
YAML
for t in 0 1 2 3 4 5 6 7 8 9; do
  echo "  - {id: t$t, select: {networks: [10.$t.0.0/16]}, resolvers: [10.$t.0.53]}" >> "$tmp/mix.yaml"
done
replay mix1 -c "$tmp/mix.yaml" --threads 1 "$tmp/mix.pcap"
replay mix2 -c "$tmp/mix.yaml" --threads 2 "$tmp/mix.pcap"
replay mix4 -c "$tmp/mix.yaml" --threads 4 "$tmp/mix.pcap"
ok "the mix raises alerts" test -s "$tmp/mix1.jsonl"
ok "the mix evicts from its tables" jq -e '[.tables[].evicted] | add > 0' "$tmp/mix1.json"
same "three shards on one thread and on one tracker" mix1 mix2
same "three shards on one thread and on three trackers" mix1 mix4

# No tracker at all: the input's thread judges, the output has its own.
sed 's/trackers: 3/trackers: 0/' "$tmp/mix.yaml" > "$tmp/none.yaml"
sed 's/trackers: 3/trackers: 1/' "$tmp/mix.yaml" > "$tmp/single.yaml"
replay none1 -c "$tmp/none.yaml" --threads 1 "$tmp/mix.pcap"
replay none2 -c "$tmp/none.yaml" --threads 2 "$tmp/mix.pcap"
replay single -c "$tmp/single.yaml" --threads 2 "$tmp/mix.pcap"
same "no tracker and one tracker" none2 single
same "no tracker, on one thread and on two" none1 none2
done_testing
