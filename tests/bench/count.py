#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""count.py -- what a packet takes, counted instead of timed: instructions, and what callgrind thinks of
branches guessed wrong and misses of the first-level caches. The same on every run and every machine, so
that a change of one in a hundred shows where no clock could tell.

    tests/bench/count.py BUILD_DIR     (make bench-count; Debian: valgrind)

    PACKETS=300000  FEED_NAMES=1000  may be set
"""
import collections
import os
import re
import shutil
import subprocess
import sys

from measure import Data, progress, table

PACKETS = int(os.environ.get("PACKETS", 300_000))
FEED_NAMES = int(os.environ.get("FEED_NAMES", 1_000))
MOST = 24  # functions told
# Caches as those of a server of our days.
CACHES = ("--I1=32768,8,64", "--D1=49152,12,64", "--LL=2097152,16,64")
COLUMNS = {"instructions": ("Ir",), "wrong branches": ("Bcm", "Bim"), "missed code": ("I1mr",),
           "missed data": ("D1mr", "D1mw")}


def record(data, out):
    """Replay the mix on one thread under callgrind: from the first packet to the last."""
    capture = data.capture("mix", PACKETS)
    config = data.config("count", FEED_NAMES)
    progress(f"callgrind: {PACKETS:,} packets")
    argv = ["valgrind", "--tool=callgrind", "--toggle-collect=input_run", "--branch-sim=yes",
            "--cache-sim=yes", *CACHES, f"--callgrind-out-file={out}", data.dynwatch, "replay", "-c", config,
            "--threads", "1", "--alerts", data.path("alerts.jsonl"), "--progress", "never", capture]
    done = subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=900)
    progress("")
    if done.returncode != 0:
        sys.exit(f"{done.stderr}{' '.join(argv)}: exit code {done.returncode}")


def name_of(names, text):
    """Names stand once, with a number that stands for them afterwards."""
    number, name = re.match(r"\((\d+)\) ?(.*)", text).groups()
    if name:
        names[number] = re.sub(r"\.(lto_priv|isra|constprop|part|cold)(\.\d+)?", "", name)
    return names[number]


def read(path):
    """{function: [cost of each event]}, without what it calls; and the events' names."""
    costs = collections.defaultdict(lambda: [0] * len(events))
    names, events, function, calls = {}, [], None, False
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.startswith("events:"):
                events = line.split()[1:]
            elif line.startswith("fn="):
                function = name_of(names, line[3:].rstrip("\n"))
            elif line.startswith("cfn="):
                name_of(names, line[4:].rstrip("\n"))
            elif line.startswith("calls="):
                calls = True  # the next line is the callee's cost
            elif line[0] in "+-*0123456789":
                if not calls:
                    cost = costs[function]
                    for i, text in enumerate(line.split()[1:]):
                        cost[i] += int(text)
                calls = False
    return costs, events


def row(name, cost, events):
    sums = [sum(cost[events.index(e)] for e in column) / PACKETS for column in COLUMNS.values()]
    return [name, f"{sums[0]:.1f}"] + [f"{s:.2f}" for s in sums[1:]]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if not shutil.which("valgrind"):
        sys.exit("valgrind is not installed (Debian: valgrind)")
    data = Data(sys.argv[1])
    out = data.path("callgrind.out")
    record(data, out)
    costs, events = read(out)
    os.unlink(out)
    most = sorted(costs, key=lambda name: -costs[name][0])[:MOST]
    whole = [sum(cost[i] for cost in costs.values()) for i in range(len(events))]
    print(f"Counted for each of {PACKETS:,} packets on one thread, without loading.\n")
    table(["function", *COLUMNS], [row("all", whole, events)] + [row(n, costs[n], events) for n in most])


if __name__ == "__main__":
    main()
