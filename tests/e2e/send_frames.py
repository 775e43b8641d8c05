#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Send frames that carry DNS, wrapped in whatever is asked for.

  send_frames.py INTERFACE [-n COUNT] [-s SECONDS] LAYER...

Layers stand from the outermost to the innermost, with their values after colons:

  eth                        Ethernet, to everybody
  eth:02:00:00:00:00:99      Ethernet, to this address
  vlan:ID  qinq:ID           802.1Q, 802.1ad
  ip:SRC:DST                 IPv4, and  ip6,SRC,DST  IPv6 (commas, since addresses have colons)
  gre  gre:KEY  nvgre:VSID  erspan:SESSION
  udp:SPORT:DPORT  vxlan:VNI  geneve:VNI
  query:NAME  answer:NAME:ADDRESS

-n sends so many, with "%d" counted up; -s sends for so long, as fast as it goes. -p INTERFACE sends
after each frame a second one, whose layers stand behind "--", out of another interface.
"""
import socket
import struct
import sys
import time

ETHERTYPES = {"ip": 0x0800, "ip6": 0x86DD, "vlan": 0x8100, "qinq": 0x88A8, "eth": 0x6558}
PROTOCOLS = {"ip": 4, "ip6": 41, "udp": 17, "gre": 47, "nvgre": 47, "erspan": 47}


def word(layers):
    return layers[0].replace(",", ":").split(":")[0]


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF


def name_bytes(name):
    return b"".join(bytes([len(l)]) + l.encode() for l in name.split(".")) + b"\0"


def dns(kind, name, address=None):
    question = name_bytes(name) + struct.pack("!HH", 1, 1)
    if kind == "query":
        return struct.pack("!HHHHHH", 0x1234, 0x0100, 1, 0, 0, 0) + question
    record = struct.pack("!HHHIH", 0xC00C, 1, 1, 60, 4) + socket.inet_aton(address)
    return struct.pack("!HHHHHH", 0x1234, 0x8180, 1, 1, 0, 0) + question + record


def ethernet(values, rest, ends):
    to = bytes(int(v, 16) for v in values) if values else b"\xff" * 6
    return to + b"\x02\0\0\0\0\x01" + struct.pack("!H", ETHERTYPES[word(rest)]) + build(rest, ends)


def ip4(values, rest, ends):
    src, dst = (socket.inet_aton(v) for v in values)
    inner = build(rest, (src, dst))
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(inner), 7, 0, 64, PROTOCOLS[word(rest)], 0) + src + dst
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + inner


def ip6(values, rest, ends):
    src, dst = (socket.inet_pton(socket.AF_INET6, v) for v in values)
    inner = build(rest, (src, dst))
    return struct.pack("!IHBB", 6 << 28, len(inner), PROTOCOLS[word(rest)], 64) + src + dst + inner


def udp(values, rest, ends):
    inner = build(rest, ends)
    length = 8 + len(inner)
    head = struct.pack("!HHHH", int(values[0]), int(values[1]), length, 0)
    pseudo = ends[0] + ends[1] + struct.pack("!HH", 17, length)
    return head[:6] + struct.pack("!H", checksum(pseudo + head + inner) or 0xFFFF) + inner


def build(layers, ends=None):
    """The bytes of layers[0] and all that is inside it; `ends` are the addresses around it."""
    here, rest = layers[0], layers[1:]
    kind = word(layers)
    values = here.split("," if "," in here else ":")[1:]
    if kind == "eth":
        return ethernet(values, rest, ends)
    if kind in ("vlan", "qinq"):
        return struct.pack("!HH", int(values[0]), ETHERTYPES[word(rest)]) + build(rest, ends)
    if kind == "ip":
        return ip4(values, rest, ends)
    if kind == "ip6":
        return ip6(values, rest, ends)
    if kind == "gre":
        key = struct.pack("!I", int(values[0])) if values else b""
        return struct.pack("!HH", 0x2000 if values else 0, ETHERTYPES[word(rest)]) + key + build(rest, ends)
    if kind == "nvgre":
        return struct.pack("!HHI", 0x2000, 0x6558, int(values[0]) << 8) + build(rest, ends)
    if kind == "erspan":
        return struct.pack("!HHIHHI", 0x1000, 0x88BE, 1, 0x1000, int(values[0]), 0) + build(rest, ends)
    if kind == "udp":
        return udp(values, rest, ends)
    if kind == "vxlan":
        return struct.pack("!II", 0x08000000, int(values[0]) << 8) + build(rest, ends)
    if kind == "geneve":
        return struct.pack("!HHI", 0, 0x6558, int(values[0]) << 8) + build(rest, ends)
    if kind in ("query", "answer"):
        return dns(kind, *values)
    raise SystemExit("send_frames.py: no layer '%s'" % here)


def main():
    arguments = sys.argv[2:]
    count, seconds, partner = 1, 0.0, None
    while arguments and arguments[0] in ("-n", "-s", "-p"):
        if arguments[0] == "-n":
            count = int(arguments[1])
        elif arguments[0] == "-s":
            seconds = float(arguments[1])
        else:
            partner = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
            partner.bind((arguments[1], 0))
        arguments = arguments[2:]
    out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    out.bind((sys.argv[1], 0))
    second = []
    if "--" in arguments:
        at = arguments.index("--")
        arguments, second = arguments[:at], arguments[at + 1 :]
    if seconds:
        frames = [build([a.replace("%d", str(i)) for a in arguments]) for i in range(256)]
        end, sent = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            for frame in frames:
                try:
                    out.send(frame)
                    sent += 1
                except OSError:  # the queue of the device is full
                    time.sleep(0.001)
        print(sent)
        return
    for i in range(count):
        out.send(build([a.replace("%d", str(i)) for a in arguments]))
        if partner:
            time.sleep(0.002)  # what a server takes to answer
            partner.send(build([a.replace("%d", str(i)) for a in second]))


main()
