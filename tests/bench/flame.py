#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""flame.py -- where the time goes: samples of perf as a flame graph and as a table.

    perf script -F comm,ip,sym | tests/bench/flame.py OUT.svg

A box is a function, as wide as the share of samples in which it was running or waiting for what
lies on it; threads are the lowest row. Boxes tell their figures when pointed at. The table on
standard output has the functions by the samples that were in themselves.
"""
import collections
import html
import re
import sys

WIDTH = 1600
ROW = 17
TEXT_MIN = 35  # pixels below which a box has no text
CHARACTER = 6.6
BOX_MIN = 0.3  # narrower boxes are not drawn
TOP = 30


class Box:
    """A function in one place of the tree: samples in it and all that it called."""

    def __init__(self):
        self.samples = 0
        self.callee = collections.defaultdict(Box)


def stacks(lines):
    """Each sample as a list of names, thread first, the running function last."""
    thread, frames = None, []
    for line in lines:
        text = line.strip()
        if not text:
            if thread:
                yield [thread] + frames[::-1]
            thread, frames = None, []
        elif not line[0].isspace():
            thread = re.sub(r"[:\s].*", "", text)
        else:
            address, _, symbol = text.partition(" ")
            name = re.sub(r"\+0x[0-9a-f]+$", "", symbol.strip())
            frames.append(name if name and name != "[unknown]" else "?")
    if thread:
        yield [thread] + frames[::-1]


def depth_of(box):
    return 1 + max((depth_of(c) for c in box.callee.values()), default=0)


def colour(name, depth):
    """The same function has the same colour everywhere; threads are grey."""
    if depth == 0:
        return "#cccccc"
    mixed = sum(ord(c) * (i + 7) for i, c in enumerate(name))
    return f"hsl({10 + mixed % 45}, {70 + mixed // 45 % 25}%, {58 + mixed // 7 % 14}%)"


def draw(out, box, name, x, depth, total, height):
    width = box.samples / total * WIDTH
    if width < BOX_MIN:
        return
    y = height - (depth + 1) * ROW
    share = f"{name} ({box.samples:,} samples, {100 * box.samples / total:.1f} %)"
    out.write(f'<g><title>{html.escape(share)}</title><rect x="{x:.1f}" y="{y}" width="{width:.1f}" '
              f'height="{ROW - 1}" fill="{colour(name, depth)}" rx="1"/>')
    if width > TEXT_MIN:
        shown = name[:int((width - 6) / CHARACTER)]
        out.write(f'<text x="{x + 3:.1f}" y="{y + 12}">{html.escape(shown)}</text>')
    out.write("</g>\n")
    for callee in sorted(box.callee):
        draw(out, box.callee[callee], callee, x, depth + 1, total, height)
        x += box.callee[callee].samples / total * WIDTH


def write_svg(path, root):
    height = TOP + depth_of(root) * ROW
    with open(path, "w", encoding="utf-8") as out:
        out.write(f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
                  f'font-family="monospace" font-size="11">\n'
                  f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>\n'
                  f'<text x="3" y="18" font-size="14">dynwatch replay: {root.samples:,} samples'
                  f'</text>\n')
        x = 0
        for thread in sorted(root.callee):
            draw(out, root.callee[thread], thread, x, 0, root.samples, height)
            x += root.callee[thread].samples / root.samples * WIDTH
        out.write("</svg>\n")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.setrecursionlimit(10_000)
    root, own = Box(), collections.Counter()
    for stack in stacks(sys.stdin):
        root.samples += 1
        box = root
        for name in stack:
            box = box.callee[name]
            box.samples += 1
        own[(stack[0], stack[-1])] += 1
    if not root.samples:
        sys.exit("flame.py: no samples")
    write_svg(sys.argv[1], root)
    print(f"{'share':>6}  {'thread':<10}  function")
    for (thread, name), count in own.most_common(30):
        print(f"{100 * count / root.samples:5.1f} %  {thread:<10}  {name}")


if __name__ == "__main__":
    main()
