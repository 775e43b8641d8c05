#!/bin/sh
# Half a conversation: the demo capture with its queries alone, its responses alone, and with the
# two directions on different VLANs of which one alone tells the tenant. What can be judged from
# what is there is judged, and the alert says what was not seen.
. tests/support/tap.sh
dynwatch=${DYNWATCH:-build/release/dynwatch}
demo=tests/data/demo

replay() { # CONFIG CAPTURE: alerts into $tmp/a
  "$dynwatch" replay -c "$1" --alerts "$tmp/a" --progress never "$2" 2> "$tmp/err" || cat "$tmp/err" >&2
}

# acme's rules that alert, and about which of its clients.
told() {
  jq -r 'select(.organization.id == "acme" and (.source.ip | startswith("10.1."))) | .rule.id + " " + .source.ip' "$tmp/a" | sort -u
}

unseen() { # FEATURE: the distinct words of that reason over all alerts
  jq -r --arg feature "$1" '[.dynwatch.why[] | select(.feature == $feature) | .value] | first // "-"' "$tmp/a" | sort -u
}

# Alerts that need nothing but the questions.
asked='lookup.tunnel_service 10.1.4.90
lookup.unapproved 10.1.4.33
lookup.unapproved 10.1.4.52
lookup.update_host 10.1.4.60
resolver.unapproved 10.1.4.71
update.external_server 10.1.66.12'
# ... and those that need the answers: addresses, where an alias leads, that a name does not exist.
answered='churn.ddns 10.1.4.52
lookup.malicious 10.1.4.40
nxdomain.dga 10.1.4.88'
# ... and those that need both: what was changed stands in the request, whether it was in the response.
both='update.unauthorized_source 10.1.66.12
update.unsigned_accepted 10.1.66.12
update.unsigned_attempt 10.1.66.12'

replay "$demo.yaml" "$demo.pcap"
is "both directions: all alerts" "$(told)" "$(printf '%s\n' "$asked" "$answered" "$both" | sort)"
is "both directions: nothing was not seen" "$(unseen queries_seen) $(unseen responses_seen)" "- -"

tcpdump -r "$demo.pcap" -w "$tmp/queries.pcap" 'dst port 53' 2> "$tmp/err"
replay "$demo.yaml" "$tmp/queries.pcap"
is "queries alone: what was asked" "$(told)" "$asked"
is "queries alone: every alert says so" "$(unseen responses_seen)" "no: only queries are visible"

tcpdump -r "$demo.pcap" -w "$tmp/responses.pcap" 'src port 53' 2> "$tmp/err"
replay "$demo.yaml" "$tmp/responses.pcap"
is "responses alone: what was asked, and what was answered" "$(told)" \
  "$(printf '%s\n' "$asked" "$answered" | sort)"
is "responses alone: every alert says so" "$(unseen queries_seen)" "no: only responses are visible"

# Tag each frame: TO the server with one VLAN, back with another.
tag() { # TO BACK FROM_CAPTURE TO_CAPTURE
  python3 - "$@" << 'END'
import struct, sys
to, back, source, target = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
data = open(source, "rb").read()
order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
out, at = [data[:24]], 24
while at < len(data):
    seconds, part, caplen, length = struct.unpack(order + "4I", data[at:at + 16])
    frame = data[at + 16:at + 16 + caplen]
    at += 16 + caplen
    # The ports follow the IP header: 4 bits of length in IPv4, always 40 octets in IPv6.
    ports = 14 + ((frame[14] & 15) * 4 if frame[14] >> 4 == 4 else 40)
    vlan = to if frame[ports + 2:ports + 4] == b"\0\65" else back
    frame = frame[:12] + struct.pack(">HH", 0x8100, vlan) + frame[12:]
    out.append(struct.pack(order + "4I", seconds, part, caplen + 4, length + 4) + frame)
open(target, "wb").write(b"".join(out))
END
}
# acme is known by its VLAN alone.
sed -e '/networks: \[10\.1\./s/networks: .*/vlans: [101]/' -e "s|path: |path: $PWD/tests/data/|" "$demo.yaml" > "$tmp/vlan.yaml"

tag 101 7 "$demo.pcap" "$tmp/to.pcap"
replay "$tmp/vlan.yaml" "$tmp/to.pcap"
is "the queries' VLAN tells the tenant: all alerts are acme's" "$(told)" \
  "$(printf '%s\n' "$asked" "$answered" "$both" | sort)"
is "and none is anybody else's" "$(jq -r .organization.id "$tmp/a" | sort -u)" acme

tag 7 101 "$demo.pcap" "$tmp/back.pcap"
replay "$tmp/vlan.yaml" "$tmp/back.pcap"
is "the responses' VLAN tells the tenant: all alerts are acme's" "$(told)" \
  "$(printf '%s\n' "$asked" "$answered" "$both" | sort)"
is "and they say that the query did not tell it" \
  "$(jq -r 'select(.organization.id == "acme" and .rule.id == "resolver.unapproved")' "$tmp/a" > "$tmp/b"
    mv "$tmp/b" "$tmp/a"
    unseen queries_seen)" \
  "yes, but without what tells the tenant: only responses have it"
done_testing
