#!/bin/sh
# Tenants that are selected by interface, in a replay: a pcapng file says itself where each packet was captured,
# --interface says so of every other one.
. tests/support/tap.sh
dynwatch=${DYNWATCH:-build/release/dynwatch}

# The first argument is pcap, or pcapng with the same query captured on interfaces one, two and "other".
capture() {
  python3 - "$1" > "$tmp/capture.$1" <<'PY'
import struct, sys

def name(text):
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".")) + b"\0"

def query(number):
    dns = struct.pack(">6H", number, 0x0100, 1, 0, 0, 0) + name(f"cam{number}.duckdns.org") + struct.pack(">2H", 1, 1)
    udp = struct.pack(">4H", 40000 + number, 53, 8 + len(dns), 0) + dns
    ip = struct.pack(">2B3H2BH", 0x45, 0, 20 + len(udp), number, 0, 64, 17, 0) + bytes([10, 1, 2, 3, 10, 1, 0, 53])
    return bytes(12) + b"\x08\x00" + ip + udp

def block(kind, body):
    body += bytes(-len(body) % 4)
    return struct.pack("<2I", kind, 12 + len(body)) + body + struct.pack("<I", 12 + len(body))

def interface(text):
    return block(1, struct.pack("<2HI2H", 1, 0, 0, 2, len(text)) + text.encode() + bytes(-len(text) % 4) + bytes(4))

def packet(number):
    time, octets = (1790000000 + number) * 1000000, query(number + 1)
    return block(6, struct.pack("<5I", number, time >> 32, time & 0xffffffff, len(octets), len(octets)) + octets)

out = sys.stdout.buffer
if sys.argv[1] == "pcapng":
    out.write(block(0x0a0d0d0a, struct.pack("<I2Hq", 0x1a2b3c4d, 1, 0, -1)))
    out.write(interface("one") + interface("two") + interface("other"))
    out.write(packet(0) + packet(1) + packet(2))
else:
    octets = query(4)
    out.write(struct.pack("<I2H4I", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
    out.write(struct.pack("<4I", 1790000000, 0, len(octets), len(octets)) + octets)
PY
}

cat > "$tmp/dynwatch.yaml" <<'CONF'
tenants:
  - {id: first, select: {interfaces: [one], networks: [10.0.0.0/8]}}
  - {id: second, select: {interfaces: [two, three], networks: [10.0.0.0/8]}}
CONF

told() { # ARGUMENTS...: name and tenant of each alert
  "$dynwatch" replay -c "$tmp/dynwatch.yaml" --alerts "$tmp/a" --progress never "$@" 2> "$tmp/err"
  status=$?
  jq -r '.dns.question.name + " " + .organization.id' "$tmp/a" | sort | tr '\n' ' '
  return $status
}

capture pcapng
capture pcap
is "each packet of a pcapng file is of its interface's tenant" "$(told "$tmp/capture.pcapng")" \
  "cam1.duckdns.org first cam2.duckdns.org second cam3.duckdns.org unmapped "
is "a pcap file does not tell" "$(told "$tmp/capture.pcap")" "cam4.duckdns.org unmapped "
is "--interface does" "$(told --interface one "$tmp/capture.pcap")" "cam4.duckdns.org first "
is "also of several files, and only where the file does not" \
  "$(told --interface three "$tmp/capture.pcap" "$tmp/capture.pcapng")" \
  "cam1.duckdns.org first cam2.duckdns.org second cam3.duckdns.org second cam4.duckdns.org second "
told --interface four "$tmp/capture.pcap" > "$tmp/out"
is "an interface that selects no tenant is a wrong usage" "$?" 2
like "that is named" "$(cat "$tmp/err")" "--interface four: no tenant is selected by that interface"
"$dynwatch" replay --interface one "$tmp/capture.pcap" > "$tmp/out" 2>&1
is "without a configuration there is none" "$?" 2
done_testing
