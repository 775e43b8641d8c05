#!/bin/sh
# UPDATEs (RFC 2136) as real machines sent them: what is told of each capture, and nothing else.
. tests/support/tap.sh
dynwatch=${DYNWATCH:-build/release/dynwatch}
shared=${DYNWATCH_SHARED:-../shared}

if [ ! -d "$shared/pcaps" ]; then
  echo "1..0 # SKIP no real captures here (DYNWATCH_SHARED)"
  exit 0
fi

replay() { # FILE
  "$dynwatch" replay --alerts "$tmp/alerts" --summary "$tmp/summary" --progress never \
    "$shared/pcaps/$1" > /dev/null 2> "$tmp/err" || cat "$tmp/err" >&2
}
told() {
  jq -r 'select(.rule.id | startswith("update.")) | .rule.id + " " + .dynwatch.severity + " "
    + .source.ip + " " + .dns.question.name' "$tmp/alerts"
}
updates() { jq -r '.dns.opcodes.UPDATE' "$tmp/summary"; }

# Samba's domain controller refuses a Windows 7 client, unsigned and then signed (GSS-TSIG) and
# echoed, with each lease; what is signed clears what was not, but for the last, unsigned one.
replay mercury-emix-samba-ad-gss-tsig-update.pcap
is "Samba and Windows: sixteen messages" "$(updates)" 16
is "Samba and Windows: one unsigned try without a signed one" "$(told)" \
  "update.unsigned_attempt low 192.168.122.145 windows7-3.s4.howto.abartlet.net"

# Signed with GSS-TSIG over TCP, refused and repeated octet by octet: the MAC is the request's own,
# and nothing was accepted.
replay suricata-verify-update-tcp-gss-tsig-refused.pcap
is "signed, refused and echoed: two messages" "$(updates)" 2
is "signed, refused and echoed: nothing is told" "$(told)" ""

# A server that knows no UPDATE.
replay arkime-dns-update-notimp.pcap
is "not implemented: two messages" "$(updates)" 2
is "not implemented: nothing is told" "$(told)" ""

# A scanner's, of a zone record that is not SOA.
replay evilfingers-xscan-nessus-update-formerr.pcap
is "a scanner's: counted as what it is" "$(jq -c .dns.update_faults "$tmp/summary")" '{"zone_type":1}'
is "a scanner's: nothing is told" "$(told)" ""
done_testing
