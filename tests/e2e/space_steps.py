#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""space_steps.py RECORDING CAPTURE STEPS -- moves each step of a recording to its own time.

A step begins with a mark: a datagram to the discard port that says "!SECONDS!NAME". All packets
from there to the next mark are moved by one constant, so that the step begins SECONDS after the
start of the step before it, or right after that one's last packet if that is later. The first
step keeps its real time; what was recorded before it, and the marks, are left out.

CAPTURE is a classic pcap with microseconds; STEPS has a line for each step: its name and time.
"""

import json
import struct
import sys

LITTLE_ENDIAN_US = 0xa1b2c3d4
HEADER = 24
ETHERNET, IPV4, UDP, DISCARD = 14, 0x0800, 17, 9


def mark_of(frame):
    """The text of a mark, or None."""
    if len(frame) < ETHERNET + 28 or struct.unpack_from(">H", frame, 12)[0] != IPV4:
        return None
    udp = ETHERNET + (frame[ETHERNET] & 15) * 4
    if frame[ETHERNET + 9] != UDP or struct.unpack_from(">H", frame, udp + 2)[0] != DISCARD:
        return None
    length = struct.unpack_from(">H", frame, udp + 4)[0]
    return frame[udp + 8:udp + length].decode()


def packets(data):
    position = HEADER
    while position + 16 <= len(data):
        sec, usec, kept, full = struct.unpack_from("<IIII", data, position)
        position += 16 + kept
        yield sec * 10**6 + usec, full, data[position - kept:position]


def move(data, out, steps):
    start_us = move_us = last_us = None
    for real_us, full, frame in packets(data):
        text = mark_of(frame)
        if text and text.startswith("!"):
            _, seconds, name = text.split("!", 2)
            if start_us is None:
                start_us, last_us = real_us, real_us
            else:
                start_us = max(start_us + int(seconds) * 10**6, last_us + 1)
            move_us = start_us - real_us
            steps.write(json.dumps({"name": name, "from": start_us / 10**6}) + "\n")
        elif text is None and start_us is not None:
            last_us = real_us + move_us
            out.write(struct.pack("<IIII", last_us // 10**6, last_us % 10**6, len(frame), full))
            out.write(frame)


def main():
    recording, capture, steps = sys.argv[1:]
    with open(recording, "rb") as f:
        data = f.read()
    if struct.unpack_from("<I", data)[0] != LITTLE_ENDIAN_US:
        sys.exit("space_steps.py: tcpdump wrote another format than expected")
    with open(capture, "wb") as out, open(steps, "w", encoding="utf-8") as names:
        out.write(data[:HEADER])
        move(data, out, names)


if __name__ == "__main__":
    main()
