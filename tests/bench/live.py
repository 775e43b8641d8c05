#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""live.py -- what the sensor takes from an interface without loss, beside an empty libpcap receiver
with the same handle options; processor time when busy and when idle; how soon an alert is out.
Needs root: a veth pair between two network namespaces, which are gone afterwards.

    tests/bench/live.py BUILD_DIR     (make bench-live)

    FEED_NAMES=1000000  FRAMES=4000000  TRIAL_S=3  TRIALS=6  IDLE_S=5  ALERTS=10  may be set
"""
import datetime
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import time

from measure import Data, machine, progress, table, warm_memory

FEED_NAMES = int(os.environ.get("FEED_NAMES", 1_000_000))
FRAMES = int(os.environ.get("FRAMES", 4_000_000))
TRIAL_S = int(os.environ.get("TRIAL_S", 3))
TRIALS = int(os.environ.get("TRIALS", 6))
IDLE_S = int(os.environ.get("IDLE_S", 5))
ALERTS = int(os.environ.get("ALERTS", 10))
INTERFACE = "eth1"


class Net:
    """Two namespaces and a veth pair between them, for as long as the `with` lasts."""

    def __init__(self):
        self.near = f"dw-near-{os.getpid()}"
        self.far = f"dw-far-{os.getpid()}"

    def __enter__(self):
        def ip(*words):
            subprocess.run(["ip", *words], check=True)
        try:
            for name in (self.near, self.far):
                ip("netns", "add", name)
            ip("link", "add", INTERFACE, "netns", self.near, "type", "veth",
               "peer", "name", INTERFACE, "netns", self.far)
            for name in (self.near, self.far):
                # silent: no address, no IPv6 of its own
                ip("-n", name, "link", "set", INTERFACE, "addrgenmode", "none")
                ip("-n", name, "link", "set", INTERFACE, "up")
        except (subprocess.CalledProcessError, OSError) as error:
            self.__exit__()
            sys.exit(f"network namespaces cannot be made (root is needed): {error}")
        return self

    def __exit__(self, *_):
        for name in (self.near, self.far):
            subprocess.run(["ip", "netns", "del", name], check=False, stderr=subprocess.DEVNULL)


def leave_last_processor():
    """That one is the sender's: a receiver that took it would be measured by a slower sender."""
    ours = sorted(os.sched_getaffinity(0))
    if len(ours) > 1:
        os.sched_setaffinity(0, ours[:-1])


class Receiver:
    """A receiver in the near namespace, from when it watches until it is stopped."""

    def __init__(self, net, argv, log):
        self.log = log
        warm_memory()
        with open(log, "wb") as errors:
            self.child = subprocess.Popen(["ip", "netns", "exec", net.near, *argv],
                                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                          stderr=errors, preexec_fn=leave_last_processor)
        for _ in range(600):
            with open(log, encoding="utf-8", errors="replace") as said:
                if "watching" in said.read():
                    break
            if self.child.poll() is not None:
                break
            time.sleep(0.1)
        else:
            self.child.kill()
        if self.child.poll() is not None:
            with open(log, encoding="utf-8", errors="replace") as said:
                sys.exit(f"{argv[0]} does not watch {INTERFACE}: {said.read()}")
        time.sleep(0.2)

    def stop(self):
        self.child.send_signal(signal.SIGTERM)
        try:
            output, _ = self.child.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            self.child.kill()
            sys.exit("the receiver does not end")
        return output

    def cpu_ns(self):
        """CPU of all threads so far; `ip netns exec` has become the program itself."""
        total = 0
        tasks = f"/proc/{self.child.pid}/task"
        for task in os.listdir(tasks):
            with open(f"{tasks}/{task}/schedstat", encoding="ascii") as stat:
                total += int(stat.read().split()[0])
        return total


class Bench:
    def __init__(self, data, net):
        self.data = data
        self.net = net
        self.capture = data.capture("mix", FRAMES)
        self.alerts = data.path("live-alerts.jsonl")
        self.summary = data.path("live-summary.json")

    def config(self, inputs, trackers):
        return self.data.config(
            f"live-{inputs}-{trackers}", FEED_NAMES, inputs=inputs, trackers=trackers,
            extra=f"capture:\n  - {{interface: {INTERFACE}}}\n"
                  f"outputs:\n  - {{type: jsonl, path: {self.alerts}}}\n")

    def send(self, capture, rate, seconds, frames=None):
        argv = ["ip", "netns", "exec", self.net.far, self.data.bench("bench_send"), capture,
                INTERFACE, str(int(rate)), str(seconds)] + ([str(frames)] if frames else [])
        done = subprocess.run(argv, check=True, stdout=subprocess.PIPE, timeout=seconds + 60)
        return json.loads(done.stdout)

    def start_empty(self, inputs):
        return Receiver(self.net, [self.data.bench("bench_receive"), INTERFACE, str(inputs)],
                        self.data.path("live.err"))

    def start_dynwatch(self, inputs, trackers=1):
        for path in (self.alerts, self.summary):
            if os.path.exists(path):
                os.unlink(path)
        return Receiver(self.net, [self.data.dynwatch, "run", "-c", self.config(inputs, trackers),
                                   "--summary", self.summary], self.data.path("live.err"))

    def trial(self, start, rate):
        """Send for TRIAL_S at a rate; returns what was sent per second, read, lost, CPU."""
        receiver = start()
        sent = self.send(self.capture, rate, TRIAL_S)
        time.sleep(0.5)
        output = receiver.stop()
        if output:
            got = json.loads(output)
        else:
            with open(self.summary, encoding="utf-8") as file:
                got = json.load(file)
        if got["packets"].get("checksum_wrong", 0) > 0:
            sys.exit("bench_send made frames with wrong checksums")
        read = got["packets"]["read"]
        refused = sum(got["packets"].get("rejected", {}).get(reason, 0) for reason in ["ring_full"])
        return {"rate": sent["sent"] / sent["elapsed_ns"] * 1e9, "sent": sent["sent"],
                "lost": sent["sent"] - read + refused, "cpu_ns": got["cpu_s"] * 1e9 / max(read, 1)}

    def search(self, name, start):
        """The highest rate without loss: full speed first, then by halves of what is left."""
        progress(f"{name}: full speed")
        full = self.trial(start, 0)
        best, low, high = None, 0.0, full["rate"]
        if full["lost"] == 0:
            return full, full
        for number in range(TRIALS):
            rate = (low + high) / 2
            progress(f"{name}: trial {number + 1} of {TRIALS}, {rate:,.0f} packets/s")
            found = self.trial(start, rate)
            if found["lost"] == 0:
                best, low = found, found["rate"]
            else:
                high = rate
        progress("")
        return full, best

    def idle(self):
        """CPU on a silent interface, as a share of one core."""
        progress("idle")
        receiver = self.start_dynwatch(1)
        time.sleep(1)
        before, started = receiver.cpu_ns(), time.monotonic_ns()
        time.sleep(IDLE_S)
        share = (receiver.cpu_ns() - before) / (time.monotonic_ns() - started)
        receiver.stop()
        return share

    def delays(self):
        """Seconds from the time a packet was captured to when its alert is in the file."""
        receiver = self.start_dynwatch(1)
        delays = []
        for number in range(ALERTS):
            progress(f"delay of alert {number + 1} of {ALERTS}")
            one = self.data.capture(f"alert-{number}", 1,
                                    ["--dynamic", "1", "--nxdomain", "0", "--updates", "0", "--tcp",
                                     "0", "--seed", str(100 + number)])
            before = self.lines()
            self.send(one, 0, 1, frames=1)
            for _ in range(5000):
                if self.lines() > before:
                    break
                time.sleep(0.001)
            else:
                sys.exit("no alert came within five seconds")
            delays.append(os.stat(self.alerts).st_mtime_ns / 1e9 - self.last_time())
            time.sleep(0.1)
        receiver.stop()
        progress("")
        return delays

    def lines(self):
        if not os.path.exists(self.alerts):
            return 0
        with open(self.alerts, "rb") as file:
            return file.read().count(b"\n")

    def last_time(self):
        with open(self.alerts, encoding="utf-8") as file:
            stamp = json.loads(file.readlines()[-1])["@timestamp"]
        whole, fraction = re.fullmatch(r"(.*)\.(\d{9})Z", stamp).groups()
        seconds = datetime.datetime.fromisoformat(whole + "+00:00").timestamp()
        return seconds + int(fraction) / 1e9


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    data = Data(sys.argv[1])
    print(machine() + "\n", flush=True)
    with Net() as net:
        bench = Bench(data, net)
        receivers = {
            "empty libpcap receiver": lambda: bench.start_empty(1),
            "dynwatch, one input": lambda: bench.start_dynwatch(1),
            "dynwatch, the input judges": lambda: bench.start_dynwatch(1, trackers=0),
            "two empty libpcap receivers": lambda: bench.start_empty(2),
            "dynwatch, two inputs": lambda: bench.start_dynwatch(2),
        }
        rows, reference = [], 0
        for name, start in receivers.items():
            full, best = bench.search(name, start)
            shown = best["rate"] if best else 0
            reference = shown if "empty" in name else reference
            rows.append([name, f"{shown:,.0f}", f"{100 * shown / reference:.0f} %" if reference else "-",
                         f"{best['cpu_ns']:.0f}" if best else "-", f"{full['rate']:,.0f}",
                         f"{100 * full['lost'] / full['sent']:.1f} %"])
        print(f"Live on a veth pair: {TRIAL_S} s at each rate, nothing repeats, feed of "
              f"{FEED_NAMES:,} names.\n")
        table(["receiver", "packets/s without loss", "to empty", "own CPU ns/packet",
               "sender's full speed", "lost at that"], rows)
        delays = bench.delays()
        print(f"Idle on a silent interface: {100 * bench.idle():.2f} % of a core. From packet to "
              f"alert line: median {1e3 * statistics.median(delays):.0f} ms, at most "
              f"{1e3 * max(delays):.0f} ms of {len(delays)}.\n")


if __name__ == "__main__":
    main()
