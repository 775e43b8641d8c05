# SPDX-License-Identifier: BSD-2-Clause
"""calm.py -- is the machine ours alone? On a virtual machine others take the processor's time without
a trace in any counter here; what is measured then says nothing.

A fixed piece of work is timed on every processor. Where the slowest of them takes much longer than the
fastest time seen so far, somebody else is there.

Environment: PATIENCE, how often a disturbed run is made anew (2; 0: never).
"""
import os
import time
import zlib

PATIENCE = int(os.environ.get("PATIENCE", 2))
WITHIN = 1.15  # of the fastest time: calm
WAIT_S = 0.25  # for calm, before a try; longer before each further one
_WORK = bytes(i * 7919 >> 3 & 255 for i in range(1 << 16))


def _work_ns():
    times = []
    for _ in range(3):
        started = time.perf_counter_ns()
        zlib.compress(_WORK, 6)
        times.append(time.perf_counter_ns() - started)
    return min(times)


class Calm:
    """Keeps the fastest time, and how many runs were disturbed."""

    def __init__(self):
        self.fastest = None
        self.runs = self.disturbed = 0

    def unrest(self):
        """How much longer than ever the slowest processor takes now: 1 is as calm as it gets."""
        ours = os.sched_getaffinity(0)
        times = []
        for cpu in sorted(ours):
            os.sched_setaffinity(0, {cpu})
            times.append(_work_ns())
        os.sched_setaffinity(0, ours)
        self.fastest = min(times if self.fastest is None else times + [self.fastest])
        return max(times) / self.fastest

    def run(self, job):
        """job's result, from the calmest of some runs: the first with calm before and after it will do."""
        self.runs += 1
        if PATIENCE == 0:
            return job()
        best = None
        for number in range(PATIENCE + 1):
            before = self.unrest()
            if before > WITHIN:
                time.sleep(WAIT_S * (number + 1))
                before = self.unrest()
            result = job()
            unrest = max(before, self.unrest())
            if best is None or unrest < best[0]:
                best = (unrest, result)
            if unrest <= WITHIN:
                return result
        self.disturbed += 1
        return best[1]

    def tell(self):
        """A line about it, if there is anything to tell."""
        if self.disturbed:
            print(f"Disturbed by others on this machine: {self.disturbed} of {self.runs} runs.\n", flush=True)
