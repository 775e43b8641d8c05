#!/bin/bash
# What feeds say of their entries, from the file to the alert: over the demo capture, with an address
# that one of its answers has.
. tests/support/tap.sh
dynwatch=${DYNWATCH:-build/release/dynwatch}
demo=tests/data/demo.pcap

replay() { # CONFIG: alerts of the indicators into $tmp/a
  "$dynwatch" replay -c "$1" --alerts "$tmp/all" --progress never "$demo" 2> "$tmp/err" || cat "$tmp/err" >&2
  jq -c 'select(.rule.id == "lookup.malicious")' "$tmp/all" > "$tmp/a"
}

config() { # TENANT-LINES
  printf 'tenants:\n  - id: acme\n    select: {networks: [10.1.0.0/16]}\n%s\n' "$1"
  printf 'feeds:\n  - {name: fox, path: fox.csv, kind: malicious}\n'
  [ ! -f "$tmp/good" ] || printf '  - {name: good, path: good, kind: allow}\n'
}

"$dynwatch" replay -c tests/data/demo.yaml --dns-log "$tmp/dns" --alerts /dev/null --progress never "$demo" 2> "$tmp/err"
# An answer to one client alone, so that there is one alert.
read -r address name < <(jq -r 'select(.response and .rcode == "NOERROR" and .tenant == "acme")
  | .qname as $q | .answers[] | select(.type == "A") | "\(.data) \($q)"' "$tmp/dns" |
  grep -v '^10\.' | sort | uniq -c | awk '$1 == 1 { print $2, $3; exit }')
ok "the demo has an address that one answer has" test -n "$address"

cat > "$tmp/fox.csv" << END
# "first_seen_utc","ioc_id","ioc_value","ioc_type","threat_type","malware_printable","confidence_level","reference","valid_until"
"2026-01-01 00:00:10", "1", "$address:443", "ip:port", "botnet_cc", "Cobalt Strike", "90", "https://r.example/1/", ""
"2026-01-01 00:00:10", "2", "c2-panel.hopto.org", "domain", "botnet_cc", "Emotet", "40", "", "2026-09-15 11:00:00"
"2026-01-01 00:00:10", "3", "10.1.0.53", "ip:port", "botnet_cc", "x", "90", "", ""
END
config "" > "$tmp/c.yaml"
replay "$tmp/c.yaml"
by_address="$(jq -c "select(.threat.indicator.ip == \"$address\")" "$tmp/a")"
is "the address is an indicator" "$(jq -r '.threat.indicator | .name + " " + .type' <<< "$by_address")" \
  "$address ipv4-addr"
is "with what the feed says" "$(jq -c '.threat.indicator | [.provider, .confidence, .first_seen, .description,
  .reference]' <<< "$by_address")" \
  '["fox","High","2026-01-01T00:00:10.000000000Z","Cobalt Strike","https://r.example/1/"]'
is "and once for each feed" "$(jq -c '.dynwatch.indicators | map(.feed + " " + .category)' <<< "$by_address")" \
  '["fox Cobalt Strike"]'
is "the name asked for is told" "$(jq -r .dns.question.name <<< "$by_address")" "$name"
is "until its end the name is told, and no more after it" \
  "$(jq -r 'select(.threat.indicator.name == "c2-panel.hopto.org") | .event.end[11:13]' "$tmp/a" | sort -u)" 10
is "an address of the own network is none" "$(grep -c 10.1.0.53:443 "$tmp/a")" 0

jq -r .dynwatch.allow_hint <<< "$by_address" > "$tmp/hint"
{ config "$(sed -n '/exclude:/,$p' "$tmp/hint")"; } > "$tmp/pasted.yaml"
replay "$tmp/pasted.yaml"
is "the pasted hint silences it" "$(grep -c "\"$address\"" <(jq -c .threat.indicator.name "$tmp/a"))" 0
ok "and nothing else" grep -q c2-panel "$tmp/a"

printf '%s\n' "${address%.*}.0/24" > "$tmp/good"
config "" > "$tmp/allowed.yaml"
replay "$tmp/allowed.yaml"
ok "a wider network that is allowed does not take it away" grep -q "\"ip\":\"$address\"" "$tmp/a"
printf '%s\n' "$address" > "$tmp/good"
replay "$tmp/allowed.yaml"
is "the address that is allowed does" "$(grep -c "\"$address\"" <(jq -c .threat.indicator.name "$tmp/a"))" 0

"$dynwatch" lookup -c "$tmp/c.yaml" "$address" > "$tmp/said"
like "lookup says where it is listed" "$(cat "$tmp/said")" "fox \\($tmp/fox.csv:2\\)"
like "and what is said of it" "$(cat "$tmp/said")" "Cobalt Strike, confidence 90, first seen 2026-01-01, https://r.example/1/"
done_testing
