#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""scale.py -- is the cost per packet flat? More packets, more feed names, more tenants, more clients.

    tests/bench/scale.py BUILD_DIR [packets|names|tenants|clients]...     (make bench-scale)

    PACKETS=2000000  ROUNDS=5  MOST_PACKETS=100000000  MOST_NAMES=10000000  FEED_NAMES=1000000
    PATIENCE=2  may be set

Everything runs on one thread, so that CPU and wall are one and a second core is free for mkpcap,
which writes the long captures into a pipe: they take no disk.
"""
import os
import subprocess
import sys

from measure import (Data, fastest, in_turns, machine, median, memory_limit, packets_of, progress,
                     running_cpu_ns, table)

PACKETS = int(os.environ.get("PACKETS", 2_000_000))
ROUNDS = int(os.environ.get("ROUNDS", 5))
MOST_PACKETS = int(os.environ.get("MOST_PACKETS", 100_000_000))
MOST_NAMES = int(os.environ.get("MOST_NAMES", 10_000_000))
FEED_NAMES = int(os.environ.get("FEED_NAMES", 1_000_000))
MEMORY_MB = 512


def report(title, what, runs, limits):
    """runs: {size: [Run]}, the first is what the others are compared with. What memory a table touches
    for the first time a host may have to find first: the fastest run of each has least of that."""
    print(f"{title}\n")
    rows, first = [], None
    for size, of in runs.items():
        cost = [which(of, running_cpu_ns) / packets_of(of[0]) for which in (median, fastest)]
        first = first or cost
        peak = max(r.peak_bytes for r in of)
        rows.append([f"{size:,}", *(text for ns, one in zip(cost, first)
                                    for text in (f"{ns:.0f}", f"{100 * (ns / one - 1):+.0f} %")),
                     f"{peak / 2**20:.0f}", f"{limits[size] / 2**20:.0f}",
                     f"{of[0].summary['load_s']:.2f}",
                     f"{sum(t['evicted'] for t in of[0].summary['tables'].values()):,}"])
    table([what, "CPU ns/packet", "to the first", "fastest", "to the first", "peak MB", "limit MB", "load s", "evicted"], rows)


def streamed(data, config, packets):
    """mkpcap writes into a pipe, dynwatch reads from it."""
    with subprocess.Popen([data.mkpcap, "-n", str(packets), "-o", "-"],
                          stdout=subprocess.PIPE) as maker:
        run = data.replay(config, "-", 1, stdin=maker.stdout, timeout_s=900)
        maker.stdout.close()
        if maker.wait(timeout=60) != 0:
            sys.exit("mkpcap failed")
    return run


def more_packets(data):
    config = data.config("scale", FEED_NAMES)
    sizes = [n for n in (1_000_000, 10_000_000, MOST_PACKETS) if n <= MOST_PACKETS]
    runs = {}
    for size in sizes:
        # the longest takes minutes, and evens out by itself
        rounds = 1 if size > 20_000_000 else min(ROUNDS, 3)
        progress(f"{size:,} packets")
        runs[size] = [streamed(data, config, size) for _ in range(rounds)]
    progress("")
    limit = memory_limit(MEMORY_MB, FEED_NAMES)
    report("More packets, 100,000 a second, from a pipe.", "packets", runs,
           {size: limit for size in sizes})


def more_names(data):
    capture = data.capture("mix", PACKETS)
    sizes = [n for n in (1_000, 100_000, 1_000_000, MOST_NAMES) if n <= MOST_NAMES]
    configs = {size: data.config(f"scale-names-{size}", size) for size in sizes}
    runs = in_turns(ROUNDS, {size: (lambda c: lambda: data.replay(c, capture, 1))(configs[size])
                             for size in sizes})
    report("More names in the malicious feed.", "feed names", runs,
           {size: memory_limit(MEMORY_MB, size) for size in sizes})


def more_tenants(data):
    limit = memory_limit(MEMORY_MB, FEED_NAMES)
    jobs = {}
    for tenants in (1, 20, 500, 5_000):
        config = data.config(f"scale-tenants-{tenants}", FEED_NAMES, tenants=tenants)
        capture = data.capture(f"tenants-{tenants}", PACKETS, ["--tenants", str(tenants)])
        jobs[tenants] = (lambda c, f: lambda: data.replay(c, f, 1))(config, capture)
    runs = in_turns(ROUNDS, jobs)
    report("More tenants, 5,000 clients in all.", "tenants", runs, {size: limit for size in jobs})


def more_clients(data):
    limit = memory_limit(MEMORY_MB, FEED_NAMES)
    config = data.config("scale", FEED_NAMES)
    jobs = {}
    for clients in (100, 5_000, 100_000, 1_000_000):
        capture = data.capture(f"clients-{clients}", PACKETS, ["--clients", str(clients)])
        jobs[clients] = (lambda f: lambda: data.replay(config, f, 1))(capture)
    runs = in_turns(ROUNDS, jobs)
    report("More clients, of 20 tenants.", "clients", runs, {size: limit for size in jobs})


SECTIONS = {"packets": more_packets, "names": more_names, "tenants": more_tenants,
            "clients": more_clients}


def main():
    wanted = sys.argv[2:] or list(SECTIONS)
    if len(sys.argv) < 2 or not set(wanted) <= set(SECTIONS):
        sys.exit(__doc__)
    data = Data(sys.argv[1])
    print(machine() + "\n", flush=True)
    for name in wanted:
        SECTIONS[name](data)


if __name__ == "__main__":
    main()
