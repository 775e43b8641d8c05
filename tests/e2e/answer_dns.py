#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A DNS server for tests: whatever is asked over UDP on port 53, the answer is 192.0.2.80."""
import signal
import socket
import struct
import sys

signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
server = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
# the answer has to come from the address that was asked
server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
server.bind(("::", 53))
while True:
    query, info, _, client = server.recvmsg(4096, 256)
    end = query.index(b"\0", 12) + 5
    head = query[:2] + struct.pack("!HHHHH", 0x8180, 1, 1, 0, 0)
    record = struct.pack("!HHHIH", 0xC00C, 1, 1, 60, 4) + socket.inet_aton("192.0.2.80")
    server.sendmsg([head + query[12:end] + record], info, 0, client)
