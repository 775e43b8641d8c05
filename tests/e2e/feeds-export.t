#!/bin/bash
# dynwatch-feeds export: what is written in each format is read back to the same; named and unbound
# load the zone and refuse what the sensor would report. Needs root; everything happens in a network
# namespace.
. tests/support/tap.sh
. tests/support/net.sh
feeds=$(readlink -f "${DYNWATCH_FEEDS:-build/release/dynwatch-feeds}")
dynwatch=$(readlink -f "${DYNWATCH:-build/release/dynwatch}")
label=$(printf 'l%.0s' $(seq 63))
longest=$label.$label.$label.$(printf 'm%.0s' $(seq 57)).com # 253 octets of text
fitting=$label.$label.$label.$(printf 'n%.0s' $(seq 42)).com # with "dynwatch.rpz." and "*." just 255

tenants() {
  cat << 'CONF'
tenants:
  - id: acme
    select: {networks: [10.1.0.0/16]}
    ddns:
      approved:
        - name: cam7.duckdns.org
        - name: mine.suffix.example.com
        - name: 'a\.b.suffix.example.com'
        - {name: late.suffix.example.com, until: 2020-01-01}
        - {name: some.suffix.example.com, clients: [10.1.0.5]}
        - provider: dynu
    exclude:
      - {rule: lookup.malicious, names: ["*.excluded.example.com"]}
      - {rule: nxdomain.spike, names: [deep.suffix.example.com]}
CONF
}

write_feeds() {
  cat > "$tmp/names.txt" << CONF
suffix.example.com
deep.suffix.example.com
cam7.duckdns.org
other.duckdns.org
bad.dynu.net
bad.excluded.example.com
Bücher.example.com
_dmarc.under_score.example.com
$label.example.com
$longest
$fitting
com
duckdns.org
CONF
  printf '%s\n' alone.example.com www.alone2.example.com suffix2.example.com > "$tmp/exact.txt"
  printf '%s\n' allowed.suffix.example.com alone2.example.com suffix2.example.com > "$tmp/allow.txt"
  printf '%s\n' low.example.com > "$tmp/low.txt"
  printf '%s\n' dropped.example.com > "$tmp/drop.txt"
  printf '%s\n' empty.example.com > "$tmp/nodata.txt"
  cat > "$tmp/zone.rpz" << 'CONF'
$ORIGIN feed.rpz.
@ SOA localhost. root.localhost. 1 1 1 1 1
*.below.example.com CNAME .
ok.shop.suffix.example.com CNAME rpz-passthru.
*.ok.shop.suffix.example.com CNAME rpz-passthru.
bad.ok.shop.suffix.example.com CNAME .
24.0.2.0.192.rpz-ip CNAME .
32.7.2.0.192.rpz-ip CNAME rpz-passthru.
32.9.2.0.192.rpz-ip CNAME .
48.zz.bad.db8.2001.rpz-ip CNAME .
128.1.zz.bad2.db8.2001.rpz-ip CNAME .
CONF
  cat > "$tmp/ended.json" << 'CONF'
{"type": "bundle", "id": "bundle--1", "objects": [
 {"type": "indicator", "id": "indicator--1", "pattern_type": "stix", "pattern": "[domain-name:value = 'ended.example.com']", "valid_until": "2020-01-01T00:00:00Z"},
 {"type": "indicator", "id": "indicator--2", "pattern_type": "stix", "pattern": "[domain-name:value = 'lasting.example.com']", "valid_until": "2199-01-01T00:00:00Z"}]}
CONF
  {
    tenants
    cat << 'CONF'
feeds:
  - {name: names, path: names.txt, kind: malicious}
  - {name: exact, path: exact.txt, kind: malicious, match: exact}
  - {name: zone, path: zone.rpz, kind: malicious, match: exact}
  - {name: ended, path: ended.json, kind: malicious, severity: critical}
  - {name: low, path: low.txt, kind: malicious, severity: low}
  - {name: drop, path: drop.txt, kind: malicious, severity: low}
  - {name: nodata, path: nodata.txt, kind: malicious, severity: low}
  - {name: good, path: allow.txt, kind: allow}
CONF
  } > "$tmp/a.yaml"
}

export_as() { # CONFIG OPTIONS...: to standard output; the report to said.txt
  "$feeds" export -c "$tmp/$1.yaml" "${@:2}" 2> "$tmp/said.txt"
}

# Without remarks, and what every zone has.
entries() { grep -v -e '^[;!#[$@]' -e $'^\t'; }
entries_of_filter() { grep -v '^[![]'; }

# --- read back ------------------------------------------------------------------------------

again() { # NAME FEED-OPTIONS
  {
    tenants
    printf 'feeds:\n  - {name: again, path: %s, kind: malicious%s}\n' "$1" "$2"
  } > "$tmp/b.yaml"
}

round_trip() { # WHAT FORMAT FEED-OPTIONS SELECTOR EXPORT-OPTIONS...
  local what=$1 format=$2 options=$3 selector=$4
  shift 4
  export_as a --format "$format" --min-severity medium "$@" > "$tmp/once"
  again once "$options"
  ok "$what: is read without a complaint" "$dynwatch" check -c "$tmp/b.yaml"
  export_as b --format "$format" "$@" > "$tmp/twice"
  is "$what: is read back to the same" "$($selector < "$tmp/twice")" "$($selector < "$tmp/once")"
  ok "$what: there is something" test "$($selector < "$tmp/once" | wc -l)" -gt 1
}

write_feeds
round_trip "zone" rpz ", match: exact" entries
round_trip "zone for a tenant" rpz ", match: exact" entries --tenant acme
round_trip "filter" adblock "" entries_of_filter
round_trip "filter for a tenant" adblock "" entries_of_filter --tenant acme
round_trip "hosts" hosts ", match: exact" entries --tenant acme
round_trip "names" domains ", match: exact" entries --tenant acme
round_trip "dataset of names" suricata ", match: exact" cat --tenant acme
round_trip "dataset of addresses" suricata ", format: domains" cat --what addresses

# --- what is said ---------------------------------------------------------------------------

is "names alone, in canonical order" "$(export_as a --format domains --tenant acme --min-severity medium | entries)" "$(
  cat << CONF
alone.example.com
www.alone2.example.com
lasting.example.com
$label.example.com
suffix.example.com
deep.suffix.example.com
bad.ok.shop.suffix.example.com
_dmarc.under_score.example.com
xn--bcher-kva.example.com
$longest
$fitting
bad.dynu.net
other.duckdns.org
CONF
)"
like "what names alone do not say is counted" "$(tail -n 5 "$tmp/said.txt")" 'left out, names of which only those below are listed: 1'
like "so are addresses" "$(cat "$tmp/said.txt")" 'left out, addresses and networks: [1-9]'
like "and what is allowed" "$(cat "$tmp/said.txt")" 'listed but allowed 3$'
like "what holds for some clients only is told" "$(cat "$tmp/said.txt")" 'approved for some clients only, which lets nothing pass here: 1$'
export_as a --format hosts > "$tmp/hosts"
like "and in the head of the file" "$(head -n 5 "$tmp/hosts")" '^# listed with all names below, which this format does not say: [1-9]'
like "the rails hold" "$(grep -cxE '0.0.0.0 (com|duckdns.org|ended.example.com)' "$tmp/hosts")" '^0$'
like "a feed may be chosen" "$(export_as a --format domains --feed low | entries)" '^low.example.com$'
is "who lists it may be said" "$(export_as a --format domains --feed low --comments | entries)" "low.example.com # low"
cat > "$tmp/shared.json" << 'CONF'
{"type": "bundle", "id": "bundle--1", "objects": [
 {"type": "indicator", "id": "indicator--1", "pattern_type": "stix", "pattern": "[domain-name:value = 'red.example.com']",
  "object_marking_refs": ["marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"]},
 {"type": "indicator", "id": "indicator--2", "pattern_type": "stix", "pattern": "[ipv4-addr:value = '192.0.2.200']",
  "object_marking_refs": ["marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"]},
 {"type": "indicator", "id": "indicator--3", "pattern_type": "stix", "pattern": "[domain-name:value = 'both.example.com']",
  "object_marking_refs": ["marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"]},
 {"type": "indicator", "id": "indicator--4", "pattern_type": "stix", "pattern": "[domain-name:value = 'unmarked.example.com']"}]}
CONF
echo both.example.com > "$tmp/public.txt"
printf 'feeds:\n  - {name: shared, path: shared.json, kind: malicious}\n  - {name: public, path: public.txt, kind: malicious}\n' > "$tmp/c.yaml"
is "what is marked for fewer eyes stays out of a file that is handed on, unless others have it" \
  "$(export_as c --format rpz --max-tlp amber | entries | grep -v '^\*')" \
  $'both.example.com CNAME .\nunmarked.example.com CNAME .'
is "and is counted" "$(export_as c --format rpz --max-tlp amber > /dev/null; sed -n 's/.*left out, marked for fewer eyes: //p' "$tmp/said.txt")" 3
is "without a limit all is there" "$(export_as c --format rpz | entries | grep -cv '^\*')" 4
like "networks are none of a dataset of addresses" "$(export_as a --format suricata --what addresses; cat "$tmp/said.txt")" 'networks: only single addresses can be written: 2$'
is "single addresses are" "$(export_as a --format suricata --what addresses)" $'192.0.2.9\n2001:db8:bad2::1'
like "shipped lists, with what a tenant approved" "$(export_as a --format adblock --kind provider --tenant acme)" '^@@\|\|cam7.duckdns.org\^$'
like "and nothing of an approved provider" "$(export_as a --format rpz --kind provider --tenant acme | grep -w dynu.net)" 'rpz-passthru'

before=$(date +%s)
serial=$("$feeds" export --kind tunnel --format rpz 2> /dev/null | sed -n 's/ ; serial$//p')
ok "the shipped lists alone have the time of now" test "$serial" -ge "$before"

# --- files ----------------------------------------------------------------------------------

force=()
zone() { export_as a --format rpz --tenant acme --min-severity medium -o "$tmp/out/zone.db" "${force[@]}"; }
serial() { sed -n 's/ ; serial$//p' "$tmp/out/zone.db" | tr -d ' \t'; }
mkdir "$tmp/out"
zone
first=$(serial)
is "the serial is the time of what was changed last" "$first" "$(cd "$tmp" && stat -c %Y a.yaml {names,exact,allow}.txt zone.rpz ended.json | sort -n | tail -n 1)"
touch -d 2000-01-01 "$tmp/out/zone.db" && chmod 640 "$tmp/out/zone.db"
zone
is "what would not change stays as it is" "$(stat -c '%Y %a' "$tmp/out/zone.db")" "$(date -d 2000-01-01 +%s) 640"
like "and that is said" "$(cat "$tmp/said.txt")" 'rpz, unchanged: '
echo one-more.example.com >> "$tmp/names.txt" && touch -d 2001-01-01 "$tmp/names.txt"
zone
is "a change gets a serial that is later, though the feed is older" "$(serial)" $((first + 1))
is "and keeps the mode" "$(stat -c %a "$tmp/out/zone.db")" 640
touch -d '+1 day' "$tmp/names.txt" && echo two-more.example.com >> "$tmp/names.txt" && touch -d '+1 day' "$tmp/names.txt"
zone
is "a newer feed gives its time" "$(serial)" "$(stat -c %Y "$tmp/names.txt")"
ln -s out/zone.db "$tmp/link"
export_as a --format rpz -o "$tmp/link"
ok "a link is followed" test -L "$tmp/link" -a "$tmp/out/zone.db" -nt "$tmp/exact.txt"
zone
before=$(md5sum < "$tmp/out/zone.db")
mv "$tmp/exact.txt" "$tmp/exact.kept"
zone
is "a feed that cannot be read: exit 2" "$?" 2
for n in $(seq 30); do echo "<p>error $n</p>"; done > "$tmp/exact.txt"
zone
is "a feed that is not to be believed: exit 1" "$?" 1
like "and the reason" "$(cat "$tmp/said.txt")" 'a.yaml:[0-9:]+ feed exact: 30 of 30 '
is "what was there stays" "$(md5sum < "$tmp/out/zone.db")" "$before"
force=(--force)
ok "unless that is wanted" zone
force=()
mv "$tmp/exact.kept" "$tmp/exact.txt"
is "nothing is left over" "$(ls "$tmp/out")" zone.db
export_as a --format rpz > /dev/full
is "a full disk: exit 1" "$?" 1
export_as a --format rpz -o /dev/null
is "what is no file is not replaced" "$? $(stat -c %F /dev/null)" "1 character special file"
export_as a --format rpz -o "$tmp/nowhere/zone.db"
is "a folder that is not there: exit 1" "$?" 1
while read -r words; do
  # shellcheck disable=SC2086
  export_as a $words > "$tmp/usage.txt"
  is "usage: ${words:-nothing}" "$? $(wc -c < "$tmp/usage.txt")" "2 0"
done << 'USAGE'

--format csv
--format hosts --zone x
--format hosts --what addresses
--format suricata --what all
--format suricata --comments
--format rpz --policy never
--format rpz --zone a..b
--format rpz --zone .
--format rpz --tenant nobody
--format rpz --feed nothing
--format rpz --feed good
--format rpz --feed low --min-severity high
--format rpz --kind allow
--format rpz --min-severity big
--format rpz --max-tlp blue
--format rpz more
--format
USAGE

# --- resolvers ------------------------------------------------------------------------------

make_net() { net_make dns && in_net dns ip addr add 127.0.0.2/32 dev lo; }

# Every name has an address; some have listed ones.
write_authority() {
  cat > "$tmp/root.zone" << 'CONF'
$TTL 60
@ SOA a.root. b.root. 1 60 60 60 60
@ NS a.root.
a.root A 127.0.0.2
* A 203.0.113.1
* AAAA 2001:db8:600d::1
listed.answers A 192.0.2.33
single.answers A 192.0.2.9
spared.answers A 192.0.2.7
six.answers AAAA 2001:db8:bad::5
six1.answers AAAA 2001:db8:bad2::1
six2.answers AAAA 2001:db8:bad2::2
trusted.dynu.net A 192.0.2.33
*.dynu.net A 203.0.113.1
CONF
  cat > "$tmp/authority.conf" << CONF
options { directory "$tmp"; pid-file none; listen-on { 127.0.0.2; }; listen-on-v6 { none; };
  recursion no; session-keyfile "$tmp/authority.key"; managed-keys-directory "$tmp"; };
controls { };
zone "." { type primary; file "root.zone"; };
CONF
}

write_named() {
  cat > "$tmp/named.conf" << CONF
options { directory "$tmp"; pid-file none; listen-on port 5301 { 127.0.0.1; }; listen-on-v6 { none; };
  recursion yes; dnssec-validation no; forward only; forwarders { 127.0.0.2; }; empty-zones-enable no;
  session-keyfile "$tmp/named.key"; managed-keys-directory "$tmp"; minimal-responses yes;
  response-policy { zone "dynwatch.rpz"; zone "drop.rpz"; zone "nodata.rpz"; } qname-wait-recurse no; };
controls { };
zone "dynwatch.rpz" { type primary; file "out/zone.db"; };
zone "drop.rpz" { type primary; file "drop.db"; };
zone "nodata.rpz" { type primary; file "nodata.db"; };
CONF
}

write_unbound() {
  cat > "$tmp/unbound.conf" << CONF
server:
  interface: 127.0.0.1@5302
  do-not-query-localhost: no
  chroot: ""
  username: ""
  directory: "$tmp"
  pidfile: "$tmp/unbound.pid"
  do-daemonize: no
  use-syslog: no
  logfile: "$tmp/unbound.log"
  module-config: "respip iterator"
remote-control:
  control-enable: no
rpz:
  name: dynwatch.rpz
  zonefile: "$tmp/out/zone.db"
rpz:
  name: drop.rpz
  zonefile: "$tmp/drop.db"
rpz:
  name: nodata.rpz
  zonefile: "$tmp/nodata.db"
forward-zone:
  name: "."
  forward-addr: 127.0.0.2
CONF
}

ask() { # PORT NAME [TYPE]: "NXDOMAIN", "NODATA", "DROPPED" or the address
  local answer
  answer=$(in_net dns dig +time=1 +tries=1 -p "$1" @127.0.0.1 "$2" "${3:-A}" 2> /dev/null)
  case $answer in
    *"timed out"* | *"no servers could be reached"*) echo DROPPED ;;
    *"status: NXDOMAIN"*) echo NXDOMAIN ;;
    *"status: NOERROR"*) echo "$answer" | awk '$1 !~ /^;/ && ($4 == "A" || $4 == "AAAA") { print $5; found = 1 } END { if (!found) print "NODATA" }' ;;
    *) echo "$answer" | sed -n 's/.*status: \([A-Z]*\),.*/\1/p' ;;
  esac
}
answers() { [ "$(ask "$1" ready.example.org)" = 203.0.113.1 ]; }

make_net
write_authority
write_named
write_unbound
zone
export_as a --format rpz --zone drop.rpz --policy drop --feed drop -o "$tmp/drop.db"
export_as a --format rpz --zone nodata.rpz --policy nodata --feed nodata -o "$tmp/nodata.db"
like "named-checkzone takes the zone" "$(named-checkzone dynwatch.rpz "$tmp/out/zone.db" 2>&1)" '^OK$'
in_net dns named -g -n 1 -c "$tmp/authority.conf" > "$tmp/authority.log" 2>&1 &
pids="$pids $!"
in_net dns named -g -n 1 -c "$tmp/named.conf" > "$tmp/named.log" 2>&1 &
pids="$pids $!"
in_net dns unbound -d -c "$tmp/unbound.conf" > "$tmp/unbound.out" 2>&1 &
pids="$pids $!"
ok "named answers" wait_for 10 answers 5301
ok "unbound answers" wait_for 10 answers 5302

while read -r name expected type; do
  for server in named:5301 unbound:5302; do
    is "${server%:*}: $name is $expected" "$(ask "${server#*:}" "$name" "$type")" "$expected"
  done
done << ASKED
unlisted.example.com 203.0.113.1
notsuffix.example.com 203.0.113.1
suffix.example.com NXDOMAIN
a.b.suffix.example.com NXDOMAIN
deep.suffix.example.com NXDOMAIN
shop.suffix.example.com NXDOMAIN
x.shop.suffix.example.com NXDOMAIN
ok.shop.suffix.example.com 203.0.113.1
x.y.ok.shop.suffix.example.com 203.0.113.1
bad.ok.shop.suffix.example.com NXDOMAIN
x.bad.ok.shop.suffix.example.com 203.0.113.1
allowed.suffix.example.com 203.0.113.1
www.allowed.suffix.example.com 203.0.113.1
mine.suffix.example.com 203.0.113.1
a.mine.suffix.example.com 203.0.113.1
a\.b.suffix.example.com 203.0.113.1
late.suffix.example.com NXDOMAIN
some.suffix.example.com NXDOMAIN
alone.example.com NXDOMAIN
www.alone.example.com 203.0.113.1
below.example.com 203.0.113.1
www.below.example.com NXDOMAIN
suffix2.example.com 203.0.113.1
www.alone2.example.com NXDOMAIN
cam7.duckdns.org 203.0.113.1
other.duckdns.org NXDOMAIN
third.duckdns.org 203.0.113.1
bad.dynu.net NXDOMAIN
good.dynu.net 203.0.113.1
bad.excluded.example.com 203.0.113.1
xn--bcher-kva.example.com NXDOMAIN
_dmarc.under_score.example.com NXDOMAIN
$label.example.com NXDOMAIN
x.$label.example.com NXDOMAIN
$fitting NXDOMAIN
$longest 203.0.113.1
lasting.example.com NXDOMAIN
ended.example.com 203.0.113.1
empty.example.com NODATA
dropped.example.com DROPPED
listed.answers NXDOMAIN
single.answers NXDOMAIN
spared.answers 192.0.2.7
six.answers NXDOMAIN AAAA
six1.answers NXDOMAIN AAAA
six2.answers 2001:db8:bad2::2 AAAA
trusted.dynu.net 192.0.2.33
ASKED
is "named takes every trigger as it is written" "$(grep -c -e 'is not the canonical' -e 'invalid rpz' "$tmp/named.log")" 0
is "unbound has nothing to complain" "$(grep -ci -e error -e 'rpz:.*fail' "$tmp/unbound.log")" 0

done_testing
