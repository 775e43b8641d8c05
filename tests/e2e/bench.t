#!/bin/bash
# The benchmarks themselves, with captures so small that figures mean nothing: every table has all
# its rows, and a program that fails is not measured as if nothing had been.
. tests/support/tap.sh
build=$(readlink -f "${BUILD_DIR:-build/release}")
export PACKETS=2000 ROUNDS=1 FEED_NAMES=1000 MOST_PACKETS=2000 MOST_NAMES=1000 PATIENCE=1

# What benchmarks make goes here, and not to the bench-data of who measures.
mkdir "$tmp/build" "$tmp/broken"
for program in dynwatch mkpcap bench; do
  ln -s "$build/$program" "$tmp/build/$program"
  ln -s "$build/$program" "$tmp/broken/$program"
done

bench() { timeout 120 tests/bench/"$1" "${@:2}"; }
rows() { sed -n 's/^| \([^|]*[^| ]\) *|.*/\1/p' "$1" | tr '\n' ';'; } # FILE: the first column of all tables
# FILE: rows of figures in which a figure is missing
gaps() { grep '^| ' "$1" | grep -v '^| stage \|^| judge: \|^| [a-z]* *| *[0-9.]* | *[0-9.]* % |' | grep -c '|  *|'; }

bench bench.py "$tmp/build" compare > "$tmp/compare" 2> "$tmp/compare.err"
is "bench.py compare ends well" $? 0
is "with a row for each program" "$(rows "$tmp/compare")" \
  "what;libpcap, empty loop;tcpdump -r -w /dev/null;dynwatch replay;dynwatch replay --threads 1;dynwatch replay --dns-log FILE;"
is "and no figure missing" "$(gaps "$tmp/compare")" 0
like "and says what the capture was" "$(cat "$tmp/compare")" "^2,000 packets, .* feed of 1,000 names"
like "and what memory it took" "$(cat "$tmp/compare")" "^Peak memory [0-9]+ MB of 562 MB"
is "and does not leave the DNS log behind" "$(ls "$tmp"/build/bench-data/dns.jsonl 2> /dev/null)" ""

bench bench.py "$tmp/build" stages > "$tmp/stages" 2> "$tmp/stages.err"
is "bench.py stages ends well" $? 0
is "with a row for each stage" "$(rows "$tmp/stages")" \
  "stage;read;decode;copies;message;prepare;match;ring;places;judge;judge: pairs;judge: lookup;judge: churn;judge: nxdomain;judge: update;judge: resolver;judge: the rest;output;all;"
like "and all packets went through" "$(cat "$tmp/stages")" "^2000 packets, 19[0-9][0-9] messages over UDP"

bench bench.py "$tmp/build" worst > "$tmp/worst" 2> "$tmp/worst.err"
is "bench.py worst ends well" $? 0
is "with a row for each case" "$(rows "$tmp/worst")" \
  "100 %;random-subdomain NXDOMAIN flood;responses with 40 records;over TCP;malformed;malformed, behind 40 records;UPDATE, unsigned;UPDATE, signed;"
is "and no figure missing" "$(gaps "$tmp/worst")" 0

bench bench.py "$tmp/build" feeds > "$tmp/feeds" 2> "$tmp/feeds.err"
is "bench.py feeds ends well" $? 0
is "with a row for each order of names and each format" "$(rows "$tmp/feeds")" \
  "names;1000;1000;format;domains;hosts;adblock;dnsmasq;unbound;urls;rpz;csv;maltrail;suricata;misp;"
is "and no figure missing" "$(gaps "$tmp/feeds")" 0

bench scale.py "$tmp/build" > "$tmp/scale" 2> "$tmp/scale.err"
is "scale.py ends well" $? 0
is "with a row for each size" "$(rows "$tmp/scale")" \
  "packets;2,000;feed names;1,000;tenants;1;20;500;5,000;clients;100;5,000;100,000;1,000,000;"
is "and no figure missing" "$(gaps "$tmp/scale")" 0

bench count.py "$tmp/build" > "$tmp/count" 2> "$tmp/count.err"
is "count.py ends well" $? 0
like "with what a packet takes" "$(cat "$tmp/count")" "^\| all +\| +[1-9][0-9]*\.[0-9] \| +[0-9]+\.[0-9]+ \|"
like "and its functions" "$(cat "$tmp/count")" "^\| dns_message_decode "
is "and no figure missing" "$(gaps "$tmp/count")" 0

bench train.py "$tmp/build" > "$tmp/train" 2> "$tmp/train.err"
is "train.py ends well" $? 0
is "and has run all there is to learn from" "$(cat "$tmp/train")" "trained on 2,000 packets of mix and 7 worst cases"
is "and does not leave its DNS log behind" "$(ls "$tmp"/build/bench-data/train-dns.jsonl 2> /dev/null)" ""

# --- what fails ----------------------------------------------------------------------------------
fails() { # WHAT SAYS PROGRAM ARGS...: exit code 1 and a message
  bench "${@:3}" > "$tmp/out" 2> "$tmp/err"
  is "$1" $? 1
  like "and says so" "$(cat "$tmp/err")" "$2"
}
broken() { # WHICH COMMANDS: a program that is not what it should be
  rm "$tmp/broken/$1"
  printf '#!/bin/sh\n%s\n' "$2" > "$tmp/broken/$1"
  chmod +x "$tmp/broken/$1"
}

broken dynwatch 'echo "no such option" >&2; exit 2'
fails "a dynwatch that fails is no result" "no such option" bench.py "$tmp/broken" compare
like "nor is there a table" "$(grep -c '^|' "$tmp/out")" "^0$"
fails "not of the worst cases either" "exit code 2" bench.py "$tmp/broken" worst
fails "nor of long captures, through a pipe" "exit code 2" scale.py "$tmp/broken" packets
broken dynwatch 'kill -9 $$'
fails "nor is one that is killed" "exit code -9" scale.py "$tmp/broken" names
broken dynwatch 'exit 0'
fails "nor one that does nothing" "no summary" scale.py "$tmp/broken" names
cp "$tmp/build/bench-data/summary.json" "$tmp/broken/bench-data/summary.json"
fails "the summary of a run before is not taken for its own" "no summary" bench.py "$tmp/broken" worst
broken dynwatch "exec '$build/dynwatch' \"\$@\""
broken mkpcap "'$build/mkpcap' \"\$@\"; exit 1"
fails "a capture that could not be made is not measured" "mkpcap" scale.py "$tmp/broken" packets
fails "nor kept" "mkpcap" scale.py "$tmp/broken" clients
is "for the next run" "$(find "$tmp/broken/bench-data" -name 'clients-*.pcap')" ""
bench bench.py "$tmp/build" everything > "$tmp/out" 2> "$tmp/err"
is "a section that there is not is an error" $? 1
like "that names those that there are" "$(cat "$tmp/err")" "compare.stages.worst"
done_testing
