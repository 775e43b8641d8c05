#!/bin/sh
# What looks like DNS and is none (mDNS, LLMNR, NetBIOS), the operations beside QUERY and UPDATE,
# and messages with more than one question.
. tests/support/tap.sh
dynwatch=${DYNWATCH:-build/release/dynwatch}

# One packet a line: source port, destination port, flags, header counts, hexadecimal rest.
capture() { # FILE, packets on standard input
  python3 -c '
import struct, sys
out = [struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1)]
for number, line in enumerate(line for line in sys.stdin if line.strip()):
    sport, dport, flags, counts, rest = (line.split() + [""])[:5]
    # The id is the client port: a response has that of its query.
    message = struct.pack(">HH4H", max(int(sport), int(dport)), int(flags, 16), *map(int, counts.split(","))) + bytes.fromhex(rest)
    udp = struct.pack(">4H", int(sport), int(dport), 8 + len(message), 0) + message
    ends = bytes([10, 1, 0, 7]) + bytes([10, 1, 0, 53])
    if int(sport) == 53:
        ends = ends[4:] + ends[:4]
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), number, 0, 64, 17, 0) + ends
    frame = bytes(12) + b"\x08\x00" + ip + udp
    out.append(struct.pack("<4I", 1800000000 + number, 0, len(frame), len(frame)) + frame)
open(sys.argv[1], "wb").write(b"".join(out))' "$1"
}

replay() { # CAPTURE
  "$dynwatch" replay --alerts "$tmp/a" --dns-log "$tmp/d" --summary "$tmp/s" --progress never "$1" 2> "$tmp/err" ||
    cat "$tmp/err" >&2
}

label() { # TEXT as one label in hexadecimal
  printf '%02x' "${#1}" && printf '%s' "$1" | od -An -tx1 | tr -d ' \n'
}
name() { # LABEL...
  for text in "$@"; do label "$text"; done
  printf 00
}
a="$(name www example com)00010001"

# NetBIOS: a registration has opcode 5, as an UPDATE has. Its names are 32 letters.
netbios="$(name FHEPFCELEHFCEPFFFACACACACACACABN)00200001c00c002000010004933e00060000 0a010007"
netbios=$(printf '%s' "$netbios" | tr -d ' ')
capture "$tmp/none.pcap" << END
5353 5353 0000 1,0,0,0 $a
5353 5353 8400 1,0,0,0 $a
40000 5353 0000 1,0,0,0 $a
40001 5355 0000 1,0,0,0 $a
5355 40001 8000 1,0,0,0 $a
137 137 2910 1,0,0,1 $netbios
137 137 ad80 1,0,0,1 $netbios
40002 137 2910 1,0,0,1 $netbios
END
replay "$tmp/none.pcap"
is "mDNS, LLMNR and NetBIOS are no DNS" "$(jq -c '[.packets.read, .packets.dns, .packets.other, .dns.messages]' "$tmp/s")" "[8,0,8,0]"
is "and raise nothing" "$(wc -l < "$tmp/a")" 0

soa="$(name example com)00060001"
# DSO: a keep-alive TLV (RFC 8490 7.1) after a header of zeroes.
capture "$tmp/opcodes.pcap" << END
40000 53 0100 1,0,0,0 $a
40001 53 2400 1,0,0,0 $soa
53 40001 a400 1,0,0,0 $soa
40002 53 3000 0,0,0,0 0001000800003a9800003a98
40003 53 1000 0,0,0,0
40004 53 0800 0,1,0,0 $(name)0001000100000000000401020304
40005 53 2800 1,0,0,0 $soa
40006 53 1800 0,0,0,0
40007 53 7800 0,0,0,0
END
replay "$tmp/opcodes.pcap"
is "every operation is counted by its name" "$(jq -c '.dns.opcodes' "$tmp/s")" \
  '{"QUERY":1,"IQUERY":1,"STATUS":1,"OPCODE3":1,"NOTIFY":2,"UPDATE":1,"DSO":1,"OPCODE15":1}'
is "and all are messages" "$(jq -c '[.dns.messages, .dns.queries, .dns.responses]' "$tmp/s")" '[9,8,1]'
is "and in the DNS log" "$(jq -r .opcode "$tmp/d" | tr '\n' ' ')" \
  "QUERY NOTIFY NOTIFY DSO STATUS IQUERY UPDATE OPCODE3 OPCODE15 "

hidden="$(name c2 duckdns org)00010001"
capture "$tmp/questions.pcap" << END
40000 53 0100 2,0,0,0 $a$hidden
53 40000 8180 2,0,0,0 $a$hidden
40001 53 0100 2,0,0,0 $a$a
40002 53 0100 3,0,0,0 $a$a
END
replay "$tmp/questions.pcap"
is "messages of two questions are messages, one that announces a third is cut" \
  "$(jq -c '[.dns.messages, .dns.malformed]' "$tmp/s")" '[3,{"name_truncated":1}]'
is "the first question is logged" "$(jq -r .qname "$tmp/d" | sort -u)" www.example.com
is "the second hides nothing: one alert for query and response" \
  "$(jq -r '.rule.id + " " + .threat.indicator.name' "$tmp/a")" "lookup.unapproved c2.duckdns.org"
like "and it says where the name was" "$(jq -r .message "$tmp/a")" \
  "^10\.1\.0\.7 asked for www\.example\.com and in the same message for the dynamic-DNS name c2\.duckdns\.org"
done_testing
