#!/bin/sh
# What is known of records and owners outlives the process: a capture in two parts, with the state
# between them, gives the alerts of the whole one; a state that is damaged costs itself only.
. tests/support/tap.sh
dynwatch=${DYNWATCH:-build/release/dynwatch}
zone=corp.example

cat > "$tmp/state.yaml" <<'YAML'
sensor: {name: state, trackers: 3}
tenants:
  - id: a
    select: {networks: [10.1.0.0/16]}
    zones: [{name: corp.example, require_signed: false}]
  - {id: b, select: {networks: [10.2.0.0/16]}}
YAML

day=86400
{ # a host that updates daily and stops, one whose name is taken, stale and invisible records
  for d in 0 1 2 3 4 5 6 7; do
    echo "$((d * day)) update 10.1.0.7 $zone - -daily.$zone +daily.$zone=10.1.0.7"
  done
  echo "100 update 10.1.0.8 $zone one +taken.$zone=10.1.0.8"
  echo "200 update 10.1.0.9 $zone - +stale.$zone=10.1.0.9"
  echo "300 update 10.1.0.9 $zone - +hidden.$zone=10.1.0.10"
  echo "400 update 10.1.0.11 $zone k +one.$zone=10.1.0.11"
  echo "500 update 10.1.0.12 $zone l +two.$zone=10.1.0.11"
  echo "600 answer 10.1.0.30 stale.$zone 10.1.0.9"
} | sort -n > "$tmp/first.txt"
{
  echo "$((8 * day)) update 10.1.0.66 $zone two -taken.$zone +taken.$zone=10.1.0.66"
  echo "$((9 * day + 7200)) answer 10.1.0.30 hidden.$zone -"
  echo "$((10 * day)) answer 10.1.0.30 www.$zone 10.1.0.80"
  echo "$((16 * day)) answer 10.1.0.30 stale.$zone 10.1.0.9"
} > "$tmp/second.txt"
cat "$tmp/first.txt" "$tmp/second.txt" > "$tmp/whole.txt"
for part in first second whole; do
  perl tests/support/updates.pl < "$tmp/$part.txt" > "$tmp/$part.pcap"
done

replay() { # NAME OPTIONS...
  name=$1 && shift
  "$dynwatch" replay -c "$tmp/state.yaml" --alerts "$tmp/$name.jsonl" --summary "$tmp/$name.json" \
    --progress never "$@" 2> "$tmp/$name.err"
}

rules_of() { # FILE...: the ledger's alerts, with when and of what
  cat "$@" | jq -r 'select(.rule.id | test("^(update.takeover|record|client)")) |
    [.rule.id, ."@timestamp", .dns.question.name // "-", .message, .event.id] | @tsv' | sort
}

replay whole "$tmp/whole.pcap"
rules_of "$tmp/whole.jsonl" > "$tmp/whole.tsv"
for rule in update.takeover record.stale record.mismatch record.not_visible client.overdue; do
  ok "the whole capture raises $rule" grep -q "^$rule" "$tmp/whole.tsv"
done
ok "the summary tells how long an accepted change took to show" jq -e \
  '.tenants.a.updates.zones[] | select(.zone == "corp.example") | .propagation.authoritative |
    .count == 1 and .max_s > 399 and .max_s < 401' "$tmp/whole.json"
replay first --state "$tmp/state" "$tmp/first.pcap"
replay second --state "$tmp/state" "$tmp/second.pcap"
rules_of "$tmp/first.jsonl" "$tmp/second.jsonl" > "$tmp/parts.tsv"
ok "a restart in the middle gives the same alerts" diff -u "$tmp/whole.tsv" "$tmp/parts.tsv"
replay alone "$tmp/second.pcap"
is "without the state nothing is known of the first part" "$(rules_of "$tmp/alone.jsonl" | wc -l)" 0

# The number of trackers is nobody's business.
replay first --state "$tmp/state.3" "$tmp/first.pcap"
sed 's/trackers: 3/trackers: 1/' "$tmp/state.yaml" > "$tmp/state.1.yaml"
"$dynwatch" replay -c "$tmp/state.1.yaml" --alerts "$tmp/one.jsonl" --progress never --threads 1 \
  --state "$tmp/state.3" "$tmp/second.pcap" 2> "$tmp/one.err"
rules_of "$tmp/first.jsonl" "$tmp/one.jsonl" > "$tmp/one.tsv"
ok "one tracker goes on where three ended" diff -u "$tmp/whole.tsv" "$tmp/one.tsv"

# A folder, a damaged file, a place that cannot be written to.
mkdir "$tmp/folder"
replay folder --state "$tmp/folder" "$tmp/first.pcap"
ok "a folder gets a file" test -s "$tmp/folder/ledger.state"
printf 'x' | dd of="$tmp/folder/ledger.state" bs=1 seek=100 conv=notrunc 2> "$tmp/dd.err"
ok "a damaged state does not stop a replay" replay damaged --state "$tmp/folder" "$tmp/first.pcap"
like "it is said" "$(cat "$tmp/damaged.err")" 'ledger.state is damaged: its checksum does not fit'
ok "it is set aside" test -s "$tmp/folder/ledger.state.damaged"
ok "a new one is in its place" test -s "$tmp/folder/ledger.state"
replay nowhere --state "$tmp/nowhere/state" "$tmp/first.pcap"
is "a state that cannot be written is an error" $? 1
like "that is said" "$(cat "$tmp/nowhere.err")" 'nowhere/state could not be written: No such file'
ok "the alerts are there all the same" cmp "$tmp/nowhere.jsonl" "$tmp/first.jsonl"
ln -s "$tmp/elsewhere" "$tmp/folder/link.new"
replay link --state "$tmp/folder/link" "$tmp/first.pcap"
is "a link that somebody laid in its way is no obstacle" $? 0
ok "nothing is written through it" test ! -e "$tmp/elsewhere"
ok "the state is a file of its own" test ! -L "$tmp/folder/link"

# A disk that takes no more: no file may grow.
cp "$tmp/state" "$tmp/before"
full=$(
  trap '' XFSZ
  ulimit -f 0
  "$dynwatch" replay -c "$tmp/state.yaml" --state "$tmp/state" --alerts - --progress never \
    "$tmp/second.pcap" 2>&1 > /dev/null
)
is "a full disk is an error of a replay" $? 1
like "it is said" "$full" 'could not be written: File too large; the one from before stays'
ok "the state from before is as it was" cmp "$tmp/before" "$tmp/state"
ok "nothing half-written stays" test ! -e "$tmp/state.new"
done_testing
