#!/bin/bash
# The live benchmark itself, so short that figures mean nothing: every receiver has its row, an alert
# comes out, and a sensor that does not start is not measured. Needs root.
. tests/support/tap.sh
build=$(readlink -f "${BUILD_DIR:-build/release}")
export FEED_NAMES=1000 FRAMES=2000 TRIAL_S=1 TRIALS=1 IDLE_S=1 ALERTS=2

mkdir "$tmp/build" "$tmp/broken"
for program in dynwatch mkpcap bench; do
  ln -s "$build/$program" "$tmp/build/$program"
  ln -s "$build/$program" "$tmp/broken/$program"
done
rows() { sed -n 's/^| \([^|]*[^| ]\) *|.*/\1/p' "$1" | tr '\n' ';'; } # FILE: the first column of its table
leftovers() { # namespaces of a benchmark that has ended
  local name
  for name in $(ip netns list | grep -o '^dw-\(near\|far\)-[0-9]*'); do
    [ -d "/proc/${name##*-}" ] || echo "$name"
  done
}

before=$(leftovers)
timeout 120 tests/bench/live.py "$tmp/build" > "$tmp/live" 2> "$tmp/live.err"
is "live.py ends well" $? 0
is "with a row for each receiver" "$(rows "$tmp/live")" \
  "receiver;empty libpcap receiver;dynwatch, one input;dynwatch, the input judges;two empty libpcap receivers;dynwatch, two inputs;"
like "what an idle sensor takes" "$(cat "$tmp/live")" "^Idle on a silent interface: [0-9.]+ % of a core"
like "and how soon an alert is out" "$(cat "$tmp/live")" "median [0-9]+ ms, at most [0-9]+ ms of 2\.$"
comment < "$tmp/live.err"

rm "$tmp/broken/dynwatch"
printf '#!/bin/sh\necho "no such interface" >&2; exit 3\n' > "$tmp/broken/dynwatch"
chmod +x "$tmp/broken/dynwatch"
timeout 120 tests/bench/live.py "$tmp/broken" > "$tmp/live" 2> "$tmp/live.err"
is "a sensor that does not start is no result" $? 1
like "and its own words are shown" "$(cat "$tmp/live.err")" "no such interface"
is "there is no table" "$(grep -c '^|' "$tmp/live")" 0
is "nothing is left of the interfaces" "$(leftovers)" "$before"
done_testing
