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

# FILE MESSAGES EXIT: what dynwatch makes of one capture.
count() {
  "$dynwatch" replay --alerts "$tmp/a" --summary "$tmp/s" --progress never "$1" > /dev/null 2> "$tmp/err"
  code=$?
  messages=$(jq '.dns.messages' "$tmp/s" 2> /dev/null || echo -)
  balance=$(jq '.packets | .read == .dns + .other + ([.rejected[]] | add // 0)' "$tmp/s" 2> /dev/null)
}

tail -n +2 "$shared/pcaps/MANIFEST.tsv" | cut -f 1,12 > "$tmp/truth"
while read -r file truth; do
  rm -f "$tmp/s"
  count "$shared/pcaps/$file"
  row=$(awk -F '\t' -v f="$file" '$1 == f { print $2 "\t" $3 }' "$expected")
  if [ -n "$row" ]; then
    is "$file: $(printf '%s' "$row" | cut -f 2)" "$messages" "$(printf '%s' "$row" | cut -f 1)"
  else
    is "$file: as many messages as tshark" "$messages" "$truth"
  fi
  if [ "$messages" = - ]; then
    is "$file: refused with exit code" "$code" 3
  else
    is "$file: the books balance" "$balance" true
  fi
done < "$tmp/truth"
done_testing
