#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Stand in for systemd: print each message that comes to a notification socket, a line each.

  notify_socket.py PATH
"""
import signal
import socket
import sys

signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind(sys.argv[1])
while True:
    for line in listener.recv(4096).decode().splitlines():
        print(line, flush=True)
