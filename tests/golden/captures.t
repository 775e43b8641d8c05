#!/bin/sh
# Captures as they are found: compressed, in directories, in many files, cut, out of order, with
# every packet twice. Whatever the packaging, the same packets give the same alerts, byte for byte.
. tests/support/tap.sh
dynwatch=${DYNWATCH:-build/release/dynwatch}
mkpcap=${MKPCAP:-build/release/mkpcap}

replay() { # NAME OPTIONS... -> $code
  name=$1 && shift
  "$dynwatch" replay --alerts "$tmp/$name.jsonl" --dns-log "$tmp/$name.dns" \
    --summary "$tmp/$name.json" --progress never "$@" > /dev/null 2> "$tmp/$name.err"
  code=$?
}

same() { # WHAT A B
  ok "$1: the same alerts" cmp "$tmp/$2.jsonl" "$tmp/$3.jsonl"
  ok "$1: the same DNS log" cmp "$tmp/$2.dns" "$tmp/$3.dns"
}

books='(.packets | .read == .dns + .other + ([.rejected[]] | add // 0))
  and .packets.dns == .dns.messages + ([.dns.malformed[]] | add // 0)'

"$mkpcap" -n 20000 --dynamic 0.05 --updates 0.01 --nxdomain 0.5 --tcp 0 --ipv6 0 --clients 100 --tenants 2 --rate 1000 -o "$tmp/plain.pcap"
replay plain "$tmp/plain.pcap"
is "plain: exit code" "$code" 0
ok "plain: there are alerts to compare" test -s "$tmp/plain.jsonl"

# Compressed; the name says nothing.
gzip -c "$tmp/plain.pcap" > "$tmp/gzip.pcap"
xz -0 -c "$tmp/plain.pcap" > "$tmp/xz.pcap"
zstd -q -c "$tmp/plain.pcap" > "$tmp/zstd.pcap"
for format in gzip xz zstd; do
  replay $format "$tmp/$format.pcap"
  is "$format: exit code" "$code" 0
  same $format plain $format
done
replay stdin - < "$tmp/zstd.pcap"
same "zstd from standard input" plain stdin
cat "$tmp/gzip.pcap" | replay pipe -
same "gzip from a pipe" plain pipe
printf '\004"M\030 lz4' > "$tmp/lz4.pcap"
replay lz4 "$tmp/lz4.pcap"
is "lz4: exit code" "$code" 3
like "lz4: it is said" "$(cat "$tmp/lz4.err")" "lz4\.pcap: compressed with lz4, which is not read"

# Damage costs what comes after it.
for format in gzip xz zstd; do
  size=$(wc -c < "$tmp/$format.pcap")
  head -c $((size / 2)) "$tmp/$format.pcap" > "$tmp/cut-$format.pcap"
  replay cut "$tmp/cut-$format.pcap"
  is "cut $format: exit code" "$code" 3
  like "cut $format: path and reason" "$(cat "$tmp/cut.err")" \
    "cut-$format\.pcap: the $format data ends in the middle"
  ok "cut $format: what came before is there" jq -e '.packets.read > 5000 and .packets.read < 15000' "$tmp/cut.json"
  ok "cut $format: the books balance" jq -e "$books" "$tmp/cut.json"
  lines=$(wc -l < "$tmp/cut.dns")
  head -n "$lines" "$tmp/plain.dns" > "$tmp/head.dns"
  ok "cut $format: and it is the beginning" cmp "$tmp/cut.dns" "$tmp/head.dns"
done

# Directories and many files are one time line.
mkdir "$tmp/rotated" "$tmp/dealt"
tests/support/pcap.pl split 300 "$tmp/rotated" < "$tmp/plain.pcap"
tests/support/pcap.pl deal 5 "$tmp/dealt" < "$tmp/plain.pcap"
gzip "$tmp/rotated/77.cap"
echo "seen on Monday" > "$tmp/rotated/NOTES"
replay rotated "$tmp/rotated"
is "300 rotated files: exit code" "$code" 0
same "300 rotated files" plain rotated
like "300 rotated files: what is no capture is named" "$(cat "$tmp/rotated.err")" "NOTES: skipped: no capture file"
# shellcheck disable=SC3045 # dash, bash and busybox know -n
(ulimit -n 64 && replay few "$tmp/rotated")
same "300 rotated files with 64 descriptors" plain few
replay dealt "$tmp/dealt/4.cap" "$tmp/dealt/0.cap" "$tmp/dealt/2.cap" "$tmp/dealt/1.cap" "$tmp/dealt/3.cap"
same "five captures that overlap everywhere" plain dealt
replay both "$tmp/dealt"
same "the directory of them" dealt both
replay threads --threads 1 "$tmp/dealt"
same "on one thread" dealt threads

head -c 50000 "$tmp/dealt/1.cap" > "$tmp/1.cap" && mv "$tmp/1.cap" "$tmp/dealt/1.cap"
replay damaged "$tmp/dealt" "$tmp/missing.pcap"
is "a damaged and a missing one among them: exit code" "$code" 3
like "the damaged one is named" "$(cat "$tmp/damaged.err")" "dealt/1\.cap: "
like "the missing one is named" "$(cat "$tmp/damaged.err")" "missing\.pcap: No such file"
like "and counted" "$(cat "$tmp/damaged.err")" "2 of 6 captures could not be read to the end"
ok "the others were read to their ends" jq -e '.packets.read > 16000' "$tmp/damaged.json"
mkdir "$tmp/empty"
replay empty "$tmp/empty" "$tmp/plain.pcap"
is "a directory without captures: exit code" "$code" 3
same "and the other capture is read" plain empty
replay usage - "$tmp/plain.pcap"
is "standard input among others: exit code" "$code" 2
like "and it is said" "$(cat "$tmp/usage.err")" "standard input"

# Times that jump back: nothing is lost.
tests/support/pcap.pl reverse < "$tmp/plain.pcap" > "$tmp/reverse.pcap"
replay reverse "$tmp/reverse.pcap"
is "backwards: exit code" "$code" 0
is "backwards: as many messages" "$(jq .dns "$tmp/reverse.json")" "$(jq .dns "$tmp/plain.json")"
ok "backwards: the books balance" jq -e "$books" "$tmp/reverse.json"
is "backwards: the same first and last packet" "$(jq '[.first_packet, .last_packet]' "$tmp/reverse.json")" \
  "$(jq '[.first_packet, .last_packet]' "$tmp/plain.json")"

# A mirror of both directions: each packet twice.
replay twice "$tmp/plain.pcap" "$tmp/plain.pcap"
same "every packet twice" plain twice
ok "the copies are counted" jq -e --slurpfile once "$tmp/plain.json" \
  '.packets.rejected.duplicate == $once[0].packets.dns and .packets.read == 2 * $once[0].packets.read' "$tmp/twice.json"
ok "and the books balance" jq -e "$books" "$tmp/twice.json"
echo 'dedup: off' > "$tmp/off.yaml"
replay off -c "$tmp/off.yaml" "$tmp/plain.pcap" "$tmp/plain.pcap"
ok "dedup: off counts them as packets" jq -e --slurpfile once "$tmp/plain.json" \
  '(.packets.rejected.duplicate // 0) == 0 and .dns.messages == 2 * $once[0].dns.messages' "$tmp/off.json"

# A snapshot length: questions are judged, messages that are not whole are no messages.
for len in 110 64 50 44; do
  tests/support/pcap.pl cut $len < "$tmp/plain.pcap" > "$tmp/snaplen.pcap"
  replay "snap$len" "$tmp/snaplen.pcap"
  is "$len bytes of each packet: exit code" "$code" 0
  ok "$len bytes of each packet: the books balance" jq -e "$books" "$tmp/snap$len.json"
  ok "$len bytes of each packet: what is not whole is said" jq -e \
    '.dns.malformed.snaplen + .packets.rejected.snaplen + .dns.messages == .packets.read' "$tmp/snap$len.json"
done
ok "110 bytes: cut behind the question" jq -e '.dns.malformed.snaplen > 5000 and .packets.rejected == {}' "$tmp/snap110.json"
ok "50 bytes: cut in the question" jq -e '.packets.rejected.snaplen > 10000' "$tmp/snap50.json"
ok "110 bytes: no NXDOMAIN answer is whole" jq -e '.dns.rcodes.NXDOMAIN == null' "$tmp/snap110.json"
is "110 bytes: and the same rules see them" "$(jq -c .alerts.by_rule "$tmp/snap110.json")" \
  "$(jq -c .alerts.by_rule "$tmp/plain.json")"
like "NXDOMAIN rules among them" "$(jq -c .alerts.by_rule "$tmp/plain.json")" nxdomain
done_testing
