#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""train.py -- the traffic that a build optimised by its profile learns from.

    tests/bench/train.py BUILD_DIR     (make pgo)

    PACKETS=500000  FEED_NAMES=200000  may be set

BUILD_DIR holds programs built to count where they go; they leave what they counted beside their
objects. Most of it is the benchmark's mix, on one thread and on two, with and without a DNS log; a
little is each of the worst cases, so that no attack meets code that was thought cold.
"""
import os
import sys

from measure import WORST, Data, progress

PACKETS = int(os.environ.get("PACKETS", 500_000))
FEED_NAMES = int(os.environ.get("FEED_NAMES", 200_000))
WORST_SHARE = 25  # one packet in so many, for each case


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    data = Data(sys.argv[1])
    config = data.config("train", FEED_NAMES)
    mix = data.capture("mix", PACKETS)
    for threads in (1, 2):
        progress(f"training: mix, {threads} thread(s)")
        data.replay(config, mix, threads)
    log = data.path("train-dns.jsonl")
    progress("training: DNS log")
    data.replay(config, data.capture("mix", PACKETS // 4), 2, dns_log=log)
    os.unlink(log)
    for name in WORST:
        progress(f"training: {name}")
        data.replay(config, data.worst(name, PACKETS // WORST_SHARE), 2)
    progress("")
    print(f"trained on {PACKETS:,} packets of mix and {len(WORST)} worst cases")


if __name__ == "__main__":
    main()
