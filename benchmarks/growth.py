"""How elaborating and checking grow with the number of nodes: `python benchmarks/growth.py`.

Each run is a process of its own: 12,500 to 100,000 nodes, in random order, three times; the largest size runs under two
names, as a control. What is claimed are the ratios: twice the nodes should take twice the time.
"""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
from collections import defaultdict

SIZES = {"12,500": 12_500, "25,000": 25_000, "50,000": 50_000, "100,000": 100_000, "100,000 again": 100_000}
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
from graphc.elaborate import elaborate
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
    runs = list(SIZES) * ROUNDS
    random.shuffle(runs)
    found = defaultdict(list)
    for name in runs:
        found[name].append(run(SIZES[name]))
    print(f"{'nodes':>14} {'seconds':>8} {'MiB':>6} {'ratio to the line above':>24}")
    before = 0.0
    for name in SIZES:
        seconds = statistics.median(seconds for _, seconds, _ in found[name])
        memory = max(memory for _, _, memory in found[name])
        print(f"{name:>14} {seconds:8.2f} {memory:6.0f} {seconds / before if before else 0:24.2f}")
        before = seconds


if __name__ == "__main__":
    main()
