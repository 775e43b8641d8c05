#!/bin/sh
# Real captures (DYNWATCH_SHARED, when it is there): every file is read without a crash, the books
# balance, and DNS counts equal those of tshark but for the differences explained in
# tests/golden/differences.tsv.
. tests/support/tap.sh
dynwatch=${DYNWATCH:-build/release/dynwatch}
shared=${DYNWATCH_SHARED:-../shared}
expected=tests/golden/differences.tsv

if [ ! -e "$shared/pcaps/MANIFEST.tsv" ]; then
  echo "1..0 # SKIP no real captures here (DYNWATCH_SHARED)"
  exit 0
fi

# What dynwatch makes of one capture: $messages, $code, $balance.
count() {
  "$dynwatch" replay --alerts "$tmp/a" --summary "$tmp/s" --progress never "$1" > /dev/null 2> "$tmp/err"
  code=$?
  messages=$(jq '.dns.messages' "$tmp/s")
  balance=$(jq '.packets | .read == .dns + .other + ([.rejected[]] | add // 0)' "$tmp/s")
}

tail -n +2 "$shared/pcaps/MANIFEST.tsv" | cut -f 1,12 > "$tmp/truth"
while read -r file truth; do
  rm -f "$tmp/s"
  count "$shared/pcaps/$file"
  row=$(grep "^$file	" "$expected" || printf '%s\t%s\t0\tas many messages as tshark' "$file" "$truth")
  is "$file: $(printf '%s' "$row" | cut -f 4)" "$messages exit $code" \
    "$(printf '%s' "$row" | cut -f 2) exit $(printf '%s' "$row" | cut -f 3)"
  is "$file: the books balance" "$balance" true
done < "$tmp/truth"
done_testing
