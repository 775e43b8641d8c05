#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""profile.py -- perf record of a replay of the bench capture, as a flame graph and a table.

    tests/bench/profile.py BUILD_DIR [CAPTURE [CONFIG]]     (make profile)

    PACKETS=4000000  FEED_NAMES=1000000  THREADS=2  may be set

BUILD_DIR/profile.svg is the graph. Where there are no hardware counters the processor clock is
sampled. Takes perf (linux-perf) and the permission to use it.
"""
import os
import shutil
import subprocess
import sys

from measure import Data, progress

PACKETS = int(os.environ.get("PACKETS", 4_000_000))
FEED_NAMES = int(os.environ.get("FEED_NAMES", 1_000_000))
THREADS = int(os.environ.get("THREADS", 2))
HERTZ = 1999


def record(data, argv):
    """Samples of one run; the first event that the machine has."""
    path = data.path("perf.data")
    for event in ("cycles", "cpu-clock", "cycles:u", "cpu-clock:u"):
        done = subprocess.run(["perf", "record", "-q", "-e", event, "-F", str(HERTZ), "-g", "-o", path,
                               "--", *argv], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, timeout=600, check=False)
        if done.returncode == 0:
            return path
    sys.exit(f"perf record failed: {done.stderr.decode(errors='replace')}")


def main():
    if not 2 <= len(sys.argv) <= 4:
        sys.exit(__doc__)
    if not shutil.which("perf"):
        sys.exit("perf is not installed (Debian: linux-perf)")
    data = Data(sys.argv[1])
    capture = sys.argv[2] if len(sys.argv) > 2 else data.capture("mix", PACKETS)
    config = sys.argv[3] if len(sys.argv) > 3 else data.config("bench", FEED_NAMES)
    progress("recording")
    path = record(data, [data.dynwatch, "replay", "-c", config, "--threads", str(THREADS), "--alerts",
                         data.path("alerts.jsonl"), "--progress", "never", capture])
    progress("")
    graph = os.path.join(data.build, "profile.svg")
    here = os.path.dirname(os.path.abspath(__file__))
    with subprocess.Popen(["perf", "script", "-i", path, "-F", "comm,ip,sym"],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as script:
        subprocess.run([os.path.join(here, "flame.py"), graph], stdin=script.stdout, check=True)
    os.unlink(path)
    print(f"flame graph: {graph}", flush=True)


if __name__ == "__main__":
    main()
