#!/bin/sh
# Captures in, alerts out: each line of tests/golden/CASES is a replay whose alerts are compared with
# tests/golden/expected/NAME.tsv, one alert a line. ACCEPT=1 writes what comes out as what is expected.
. tests/support/tap.sh
dynwatch=${DYNWATCH:-build/release/dynwatch}
export MKPCAP=${MKPCAP:-build/release/mkpcap}

# Everything that a consumer sees, without the version of the program.
columns='[.["@timestamp"], .rule.id, .dynwatch.severity, .organization.id, .source.ip // "-",
  .dns.question.name // "-", (.dynwatch.count | tostring), (.dynwatch.suppressed // 0 | tostring),
  ([.dynwatch.why[] | .feature + "=" + (.value | tostring)] | join(" ")), .message] | @tsv'

while read -r name make options; do
  case $name in '' | '#'*) continue ;; esac
  capture=$tmp/$name.pcap
  sh -c "$(printf '%s' "$make" | tr '~' ' ')" > "$capture" || report 1 "$name: the capture is made"
  # shellcheck disable=SC2086
  if ! "$dynwatch" replay $options --alerts "$tmp/$name.jsonl" --progress never "$capture" 2> "$tmp/err"; then
    report 1 "$name: replay exits 0"
    continue
  fi
  jq -r "$columns" "$tmp/$name.jsonl" > "$tmp/$name.tsv"
  if [ -n "${ACCEPT:-}" ]; then cp "$tmp/$name.tsv" "tests/golden/expected/$name.tsv"; fi
  ok "$name: the expected alerts" diff -u "tests/golden/expected/$name.tsv" "$tmp/$name.tsv"
done < tests/golden/CASES
done_testing
