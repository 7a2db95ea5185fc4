"""How elaborating and checking grow with the number of nodes: `python benchmarks/growth.py [--rounds N] [--million]`.

Each run is a process of its own: 12,500 to 100,000 nodes, in random order, three times; the largest size runs under two
names, as a control. What is claimed are the ratios: twice the nodes should take twice the time. `--million` adds one
run of a million nodes. graphc refuses a spec of more than 100,000; here the limits are lifted.
Seconds are those of the processor, so that others on the machine count less.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
from collections import defaultdict

SIZES = {"12,500": 12_500, "25,000": 25_000, "50,000": 50_000, "100,000": 100_000, "100,000 again": 100_000}
MILLION = "1,000,000"
ROUNDS = 3
UNIT = 10
"""Nodes in one copy of the spec's block."""

SPEC = """
graphc: 1
name: large
dims: {{N: 1, H: {{multiple: 32, example: 224}}, W: {{multiple: 32, example: 224}}}}
inputs: {{image: [N, 3, H, W]}}
blocks:
  unit:
    inputs: {{features: [N, C, H, W]}}
    graph:
      - add:
        from:
          residual:
            - conv_bn_relu: {{out_channels: C, kernel_size: 3}}
            - conv_bn_relu: {{out_channels: C // 4}}
            - conv_bn: {{out_channels: C, kernel_size: 3}}
          shortcut: x
      - relu
graph:
  - conv2d: {{out_channels: 64, kernel_size: 7, stride: 2, padding: 3}}
  - unit:
    repeat: {copies}
"""

MEASURED = """
import json, resource, sys, time
from graphc import library
from graphc.check import require
from graphc.elaborate import build, elaborate, loops
build.MOST_NODES = build.MOST_WORK = loops.MOST_COPIES = 10**9
spec, standard = library.parse(sys.argv[1], "large.yaml"), library.standard()
start = time.process_time()
graph = elaborate(spec, standard)
require(graph)
seconds = time.process_time() - start
print(json.dumps([len(graph.nodes), seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""


def run(nodes: int) -> tuple[int, float, float]:
    """Nodes, seconds and MiB of one run."""
    text = SPEC.format(copies=nodes // UNIT - 1)
    done = subprocess.run([sys.executable, "-c", MEASURED, text], capture_output=True, text=True, check=True)
    count, seconds, memory = json.loads(done.stdout)
    return count, seconds, memory


def main() -> None:
    """Measures and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--million", action="store_true")
    asked = parser.parse_args()
    runs = list(SIZES) * asked.rounds
    random.shuffle(runs)
    found = defaultdict(list)
    for name in runs:
        found[name].append(run(SIZES[name]))
    if asked.million:
        found[MILLION].append(run(1_000_000))
    print("| nodes | seconds | MiB | µs a node | to the line above |")
    print("| ---: | ---: | ---: | ---: | ---: |")
    before = None
    for name in [*SIZES, *[MILLION] * asked.million]:
        before = row(name, found[name], before)


def row(name: str, runs: list[tuple[int, float, float]], before: float | None) -> float:
    """Prints a line of the table; the median of its seconds."""
    nodes = runs[0][0]
    seconds = statistics.median(seconds for _, seconds, _ in runs)
    memory = max(memory for _, _, memory in runs)
    ratio = f"{seconds / before:.2f}" if before else ""
    print(f"| {name} | {seconds:.2f} | {memory:.0f} | {1e6 * seconds / nodes:.0f} | {ratio} |")
    return seconds


if __name__ == "__main__":
    main()
