#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""bench.py -- how fast is it: dynwatch against libpcap's empty loop and tcpdump, by stage, in the
worst cases, what memory it takes, what names of feeds cost. README.md says what the figures mean.

    tests/bench/bench.py BUILD_DIR [compare|stages|worst|feeds]...     (make bench)

    PACKETS=5000000  FEED_NAMES=1000000  MOST_NAMES=10000000  ROUNDS=5  PATIENCE=2  may be set
"""
import os
import subprocess
import sys

from measure import (WORST, Data, in_turns, machine, median, memory_limit, packets_of, progress, run,
                     running_cpu_ns, running_ns, table, warm_memory)

PACKETS = int(os.environ.get("PACKETS", 5_000_000))
FEED_NAMES = int(os.environ.get("FEED_NAMES", 1_000_000))
ROUNDS = int(os.environ.get("ROUNDS", 5))
MEMORY_MB = 512
# Logging every message writes some 300 bytes each.
LOGGED_PACKETS = min(PACKETS, 1_000_000)
WORST_PACKETS = min(PACKETS, 500_000)
MOST_NAMES = int(os.environ.get("MOST_NAMES", 10_000_000))
FEED_SIZES = [n for n in (1_000, 100_000, 1_000_000, MOST_NAMES) if n <= MOST_NAMES]
FORMAT_NAMES = min(1_000_000, MOST_NAMES)

def compare(data, config):
    """The mix against the readers that do nothing with it."""
    capture = data.capture("mix", PACKETS)
    logged = data.capture("mix", LOGGED_PACKETS)
    log = data.path("dns.jsonl")
    runs = in_turns(ROUNDS, {
        "libpcap, empty loop": lambda: run([data.bench("bench_pcap_loop"), capture]),
        "tcpdump -r -w /dev/null": lambda: run(["tcpdump", "-r", capture, "-w", "/dev/null"]),
        "dynwatch replay": lambda: data.replay(config, capture, 2),
        "dynwatch replay --threads 1": lambda: data.replay(config, capture, 1),
        "dynwatch replay --dns-log FILE": lambda: data.replay(config, logged, 2, dns_log=log),
    })
    os.unlink(log)
    loop = median(runs["libpcap, empty loop"], lambda r: r.wall_ns) / PACKETS
    dump = median(runs["tcpdump -r -w /dev/null"], lambda r: r.wall_ns) / PACKETS
    rows = []
    for name, of in runs.items():
        if of[0].summary:
            packets = packets_of(of[0])
            wall = median(of, running_ns) / packets
            cpu = median(of, running_cpu_ns) / packets
        else:
            wall = median(of, lambda r: r.wall_ns) / PACKETS
            cpu = median(of, lambda r: r.cpu_ns) / PACKETS
        rows.append([name, f"{wall:.1f}", f"{cpu:.1f}", f"{1e3 / wall:.2f}", f"{wall / loop:.2f}",
                     f"{wall / dump:.2f}"])
    print(f"{PACKETS:,} packets, {os.path.getsize(capture) / 1e9:.2f} GB, 20 tenants, feed of "
          f"{FEED_NAMES:,} names; median of {ROUNDS} rounds. Wall and CPU in ns per packet, those "
          f"of dynwatch without loading.\n")
    table(["what", "wall", "CPU", "Mpps", "to libpcap", "to tcpdump"], rows)
    whole = runs["dynwatch replay"]
    print(f"Loading takes {median(whole, lambda r: r.summary['load_s']):.2f} s; with it the "
          f"whole process takes {median(whole, lambda r: r.wall_ns) / PACKETS:.1f} "
          f"ns per packet of this capture.")
    alerts = whole[0].summary["alerts"]
    print(f"Alerts: {alerts['raised']:,} raised, {alerts['written']:,} written.\n")
    memory(runs)


def memory(runs):
    limit = memory_limit(MEMORY_MB, FEED_NAMES)
    peak = max(r.peak_bytes for of in runs.values() for r in of if r.summary)
    print(f"Peak memory {peak / 2**20:.0f} MB of {limit / 2**20:.0f} MB "
          f"({MEMORY_MB} MB for tables, 120 bytes for each of {FEED_NAMES:,} names, 50 MB).\n")


def worst(data, config):
    captures = {name: data.worst(name, WORST_PACKETS) for name in WORST}
    jobs = {name: (lambda c: lambda: data.replay(config, c, 2))(c) for name, c in captures.items()}
    runs = in_turns(min(ROUNDS, 3), jobs)
    rows = []
    for name, of in runs.items():
        rows.append([name, f"{median(of, running_ns) / WORST_PACKETS:.0f}",
                     f"{median(of, running_cpu_ns) / WORST_PACKETS:.0f}",
                     f"{max(r.peak_bytes for r in of) / 2**20:.0f}",
                     f"{of[0].summary['alerts']['written']:,}"])
    print(f"Worst cases: {WORST_PACKETS:,} packets of nothing else.\n")
    table(["100 %", "wall", "CPU", "peak MB", "alerts"], rows)


def stages(data, config):
    print("By stage, on one thread, each stage over a batch before the next.\n", flush=True)
    capture = data.capture("mix", min(PACKETS, 2_000_000))
    warm_memory()
    subprocess.run([data.bench("bench_stages"), config, capture], check=True, timeout=120)
    print()


def bench_index(data, *arguments):
    """A table of bench_index's."""
    progress(f"bench_index {' '.join(arguments)}")
    done = subprocess.run([data.bench("bench_index"), *arguments], check=True, timeout=900,
                          stdout=subprocess.PIPE, text=True)
    progress("")
    header, *rows = (line.split("\t") for line in done.stdout.splitlines())
    table(header, rows)


def feeds(data, _config):
    print("Listed names: loading, bytes a name (the peak with the program), ns a look-up, a start "
          "from the cache.\n", flush=True)
    bench_index(data, "names", *map(str, sorted(set(FEED_SIZES))))
    print(f"Loading {FORMAT_NAMES:,} names by format.\n", flush=True)
    bench_index(data, "formats", str(FORMAT_NAMES))


SECTIONS = {"compare": compare, "stages": stages, "worst": worst, "feeds": feeds}


def main():
    wanted = sys.argv[2:] or list(SECTIONS)
    if len(sys.argv) < 2 or not set(wanted) <= set(SECTIONS):
        sys.exit(__doc__)
    data = Data(sys.argv[1])
    config = data.config("bench", FEED_NAMES, memory_mb=MEMORY_MB)
    print(machine() + "\n", flush=True)
    for name in wanted:
        SECTIONS[name](data, config)


if __name__ == "__main__":
    main()
