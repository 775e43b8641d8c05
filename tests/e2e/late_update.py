#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""late_update.py CLIENT SERVER ZONE NAME KEY SECRET SECONDS -- an UPDATE by a clock that is wrong.

Adds NAME A 192.0.2.1 to ZONE, signed with hmac-sha256 (RFC 8945) by a clock that is SECONDS
ahead (or, below zero, behind). Prints the server's RCODE and the TSIG error.
"""

import base64
import hashlib
import hmac
import socket
import struct
import sys
import time

UPDATE, SOA, A, TSIG, IN, ANY, FUDGE = 5, 6, 1, 250, 1, 255, 300
MESSAGE_ID = 0x1a7e


def name(text):
    labels = text.rstrip(".").split(".")
    return b"".join(bytes([len(label)]) + label.encode() for label in labels) + b"\0"


def signed(message, key, secret, clock):
    algorithm = name("hmac-sha256")
    when = struct.pack(">HI", clock >> 32, clock & 0xffffffff)
    variables = (name(key) + struct.pack(">HI", ANY, 0) + algorithm + when +
                 struct.pack(">HHH", FUDGE, 0, 0))
    mac = hmac.new(base64.b64decode(secret), message + variables, hashlib.sha256).digest()
    rdata = (algorithm + when + struct.pack(">HH", FUDGE, len(mac)) + mac +
             struct.pack(">HHH", MESSAGE_ID, 0, 0))
    record = name(key) + struct.pack(">HHIH", TSIG, ANY, 0, len(rdata)) + rdata
    return message[:10] + struct.pack(">H", 1) + message[12:] + record


def skip_name(data, at):
    while data[at] and data[at] < 0xc0:
        at += 1 + data[at]
    return at + (2 if data[at] else 1)


def tsig_error(data):
    """Of the last record; the answer is small and its TSIG not compressed."""
    questions, *others = struct.unpack_from(">HHHH", data, 4)
    at = 12
    for _ in range(questions):
        at = skip_name(data, at) + 4
    for _ in range(sum(others)):
        at = skip_name(data, at)
        rtype, length = struct.unpack_from(">H6xH", data, at)
        if rtype == TSIG:
            mac_at = skip_name(data, at + 10) + 8
            return struct.unpack_from(">H", data, mac_at + 2 +
                                      struct.unpack_from(">H", data, mac_at)[0] + 2)[0]
        at += 10 + length
    return 0


def main():
    client, server, zone, host, key, secret, seconds = sys.argv[1:]
    message = (struct.pack(">HHHHHH", MESSAGE_ID, UPDATE << 11, 1, 0, 1, 0) +
               name(zone) + struct.pack(">HH", SOA, IN) +
               name(host) + struct.pack(">HHIH", A, IN, 300, 4) + bytes([192, 0, 2, 1]))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind((client, 0))
        s.settimeout(10)
        s.sendto(signed(message, key, secret, int(time.time()) + int(seconds)), (server, 53))
        answer = s.recv(4096)
    print("rcode %d, TSIG error %d" % (answer[3] & 15, tsig_error(answer)))


if __name__ == "__main__":
    main()
