# SPDX-License-Identifier: BSD-2-Clause
"""measure.py -- running programs and saying what they took; shared by the benchmarks.

These machines are noisy: whatever is compared is run in turns (A B C A B C ...), each run that others
disturbed is made anew (calm.py), the median counts, and ratios to libpcap's empty loop of the same
rounds mean more than nanoseconds.
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

from calm import Calm

MALICIOUS_FEED = "bench"

# Traffic of one kind alone, and what mkpcap makes it with.
WORST = {
    "random-subdomain NXDOMAIN flood": ["--flood", "1"],
    "responses with 40 records": ["--answers-only", "--records", "40", "--tcp", "0",
                                  "--nxdomain", "0", "--updates", "0"],
    "over TCP": ["--tcp", "1"],
    "malformed": ["--malformed", "1", "--tcp", "0"],
    "malformed, behind 40 records": ["--malformed", "1", "--answers-only", "--records", "40",
                                     "--tcp", "0", "--nxdomain", "0", "--updates", "0"],
    "UPDATE, unsigned": ["--updates", "1", "--nxdomain", "0"],
    "UPDATE, signed": ["--updates", "1", "--nxdomain", "0", "--signed"],
}


class Run:
    """What one run of a program took: wall and CPU (all threads) in ns, peak memory in bytes."""

    def __init__(self, wall_ns, cpu_ns, peak_bytes, summary):
        self.wall_ns = wall_ns
        self.cpu_ns = cpu_ns
        self.peak_bytes = peak_bytes
        self.summary = summary


# In a process of its own, whose peak nobody inherits.
TOUCH = """
import mmap
memory = mmap.mmap(-1, 1 << 30)
for at in range(0, 1 << 30, mmap.PAGESIZE):
    memory[at] = 1
"""


def warm_memory():
    """A virtual machine may give its host back what memory it does not use, and get it again page by page
    when a program touches it for the first time, 20 times slower than otherwise: up to 30 ns a packet of a
    replay of 8,000,000. So that nobody pays for this, so much is touched and given up before every run."""
    subprocess.run([sys.executable, "-c", TOUCH], check=True)


def run(argv, stdin=None, timeout_s=300, summary=None):
    """Run a program to its end; it must exit with 0. `summary`: a JSON file that it writes."""
    if summary and os.path.exists(summary):
        os.unlink(summary)  # that of another run would be taken for this one's
    warm_memory()
    with tempfile.TemporaryFile() as errors:
        started = time.monotonic_ns()
        child = subprocess.Popen(argv, stdin=stdin or subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=errors)
        deadline = started + timeout_s * 10**9
        pid = 0
        while pid == 0:  # wait4 knows the CPU of this child alone, and has no timeout
            pid, status, usage = os.wait4(child.pid, os.WNOHANG)
            if pid == 0 and time.monotonic_ns() > deadline:
                child.kill()
                os.wait4(child.pid, 0)
                sys.exit(f"{' '.join(argv)}: not done after {timeout_s} s")
            if pid == 0:
                time.sleep(0.002)
        wall_ns = time.monotonic_ns() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            errors.seek(0)
            sys.stderr.buffer.write(errors.read())
            sys.exit(f"{' '.join(argv)}: exit code {child.returncode}")
    written = None
    if summary:
        if not os.path.exists(summary):
            sys.exit(f"{' '.join(argv)}: no summary was written")
        with open(summary, encoding="utf-8") as file:
            written = json.load(file)
    cpu_ns = int((usage.ru_utime + usage.ru_stime) * 1e9)
    return Run(wall_ns, cpu_ns, usage.ru_maxrss * 1024, written)


def in_turns(rounds, jobs):
    """jobs: {name: function that returns a Run}. Every job once a round; {name: [Run, ...]}."""
    runs = {name: [] for name in jobs}
    calm = Calm()
    for number in range(rounds):
        for name, job in jobs.items():
            progress(f"round {number + 1} of {rounds}: {name}")
            runs[name].append(calm.run(job))
    progress("")
    calm.tell()
    return runs


def median(runs, what):
    """The median over runs of what(run)."""
    return statistics.median(what(r) for r in runs)


def fastest(runs, what):
    """The least over runs of what(run)."""
    return min(what(r) for r in runs)


def progress(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def table(header, rows):
    """A table as Markdown has it, columns aligned."""
    cells = [header] + [[str(c) for c in row] for row in rows]
    width = [max(len(row[i]) for row in cells) for i in range(len(header))]

    def line(row):
        first = row[0].ljust(width[0])
        return "| " + " | ".join([first] + [c.rjust(w) for c, w in zip(row[1:], width[1:])]) + " |"

    print(line(header))
    print("|" + "|".join(["-" * (width[0] + 2)] + ["-" * (w + 1) + ":" for w in width[1:]]) + "|")
    for row in cells[1:]:
        print(line(row))
    print(flush=True)


def machine():
    """One line about where this runs."""
    model = "unknown processor"
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for text in file:
            if text.startswith("model name"):
                model = text.split(":", 1)[1].strip()
                break
    with open("/proc/meminfo", encoding="utf-8") as file:
        memory_kb = int(file.readline().split()[1])
    return (f"{model}, {os.cpu_count()} cores, {memory_kb / 2**20:.0f} GiB, "
            f"Linux {os.uname().release}, {time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC")


class Data:
    """Captures, feeds and configurations below BUILD/bench-data, made when they are not there."""

    def __init__(self, build):
        build = os.path.abspath(build)  # paths in a configuration are relative to its file
        self.build = build
        self.dynwatch = os.path.join(build, "dynwatch")
        self.mkpcap = os.path.join(build, "mkpcap")
        self.place = os.path.join(build, "bench-data")
        os.makedirs(self.place, exist_ok=True)
        # what another mkpcap made is another capture
        self.made_after = os.stat(self.mkpcap).st_mtime

    def path(self, name):
        return os.path.join(self.place, name)

    def bench(self, name):
        return os.path.join(self.build, "bench", name)

    def is_there(self, path):
        return os.path.exists(path) and os.stat(path).st_mtime >= self.made_after

    def capture(self, name, packets, options=()):
        """A capture of mkpcap's; reading it once warms the page cache."""
        path = self.path(f"{name}-{packets}.pcap")
        if not self.is_there(path):
            progress(f"making {path}")
            make = [self.mkpcap, "-n", str(packets), *options, "-o", path + ".part"]
            subprocess.run(make, check=True)
            os.rename(path + ".part", path)
        with open(path, "rb") as file:
            while file.read(1 << 22):
                pass
        return path

    def worst(self, name, packets):
        """A capture of nothing but one of WORST."""
        return self.capture("worst-" + name.replace(" ", "-").replace(",", ""), packets, WORST[name])

    def feed(self, names):
        """A malicious feed of so many names."""
        path = self.path(f"feed-{names}.txt")
        if not self.is_there(path):
            progress(f"making {path}")
            subprocess.run([self.mkpcap, "-n", "0", "-o", "/dev/null", "--feed", path + ".part",
                            "--feed-names", str(names)], check=True)
            os.rename(path + ".part", path)
        return path

    def config(self, name, feed_names, tenants=20, memory_mb=512, inputs=1, trackers=1,
               extra=""):
        """A configuration: tenants as mkpcap lays them out, the feed, all rules as they are."""
        feed = self.feed(feed_names) if feed_names else None
        bits = 16
        while tenants > 1 << (24 - bits):
            bits -= 1
        path = self.path(f"{name}.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"sensor: {{name: bench, memory_mb: {memory_mb}, inputs: {inputs}, "
                       f"trackers: {trackers}}}\n{extra}tenants:\n")
            for t in range(tenants):
                base = 10 << 24 | t << bits
                net = ".".join(str(base >> s & 255) for s in (24, 16, 8, 0))
                server = ".".join(str((base | 53) >> s & 255) for s in (24, 16, 8, 0))
                file.write(f'  - {{id: t{t}, select: {{networks: [{net}/{32 - bits}, '
                           f'"fd00:0:{t:x}::/48"]}}, resolvers: [{server}, "fd00:0:{t:x}:1::35"], '
                           f'suffixes: [corp.example]}}\n')
            if feed:
                file.write(f"feeds:\n  - {{name: {MALICIOUS_FEED}, path: {feed}, kind: malicious}}\n")
        return path

    def replay(self, config, capture, threads, dns_log=None, stdin=None, timeout_s=300):
        """One run of dynwatch replay, alerts written to a file."""
        summary = self.path("summary.json")
        argv = [self.dynwatch, "replay", "-c", config, "--threads", str(threads),
                "--alerts", self.path("alerts.jsonl"), "--summary", summary, "--progress", "never"]
        if dns_log:
            argv += ["--dns-log", dns_log]
        return run(argv + [capture], stdin, timeout_s, summary)


def running_ns(r):
    """Wall time of a replay without loading configuration and feeds."""
    return r.summary["elapsed_s"] * 1e9


def running_cpu_ns(r):
    """CPU of all threads of a replay without loading."""
    return r.summary["cpu_s"] * 1e9


def packets_of(r):
    return r.summary["packets"]["read"]


def memory_limit(memory_mb, feed_names):
    """What a replay may take at most, in bytes."""
    return (memory_mb << 20) + 120 * feed_names + (50 << 20)
