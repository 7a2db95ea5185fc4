"""How the time of a diff grows with the number of nodes: `python benchmarks/diff_scale.py`.

A network of equal blocks, as it is and without its blocks (as an ONNX file has it), against itself after so many
random edits. Twice the nodes should take twice the time; 10,000 nodes at most 2 s.
Seconds are those of the process, so that others on the machine don't count.
"""

from __future__ import annotations

import gc
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from random import Random
from time import process_time

import graphc
from graphc.diff.match import match
from graphc.diff.matching import cost
from graphc.graph import Graph, Node, Scope, Value

SIZES = (1_250, 2_500, 5_000, 10_000, 20_000)
EDITS = (0, 20, 50)
ROUNDS = 3
UNIT = 10
KINDS = ("insert", "delete", "alter", "wrap", "move", "repeat")
"""Those that leave a network in a chain of residuals; a wider one would have to be wider everywhere."""

SPEC = """
graphc: 1
name: large
dims: {{N: 1, H: 32, W: 32}}
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
  - conv2d: {{out_channels: 16, kernel_size: 3, padding: 1}}
  - do:
      - unit:
        repeat: {units}
    for: {{stage: range(5)}}
    id: stage
outputs: {{features: x}}
"""


def network(nodes: int) -> Graph:
    return graphc.compile(text=SPEC.format(units=nodes // UNIT // 5))


def without_blocks(graph: Graph) -> Graph:
    """The same nodes, all in the root."""
    root: Scope = replace(graph.root, items=[], bindings={})
    made = {value.node: value.node for value in graph.inputs.values()}

    def read(value: Value | None) -> Value | None:
        return None if value is None else made[value.node].outputs[value.node.outputs.index(value)]

    nodes = []
    for number, node in enumerate(graph.nodes):
        types = {value.name: value.type for value in node.outputs}
        made[node] = Node(f"n{number}", node.op, tuple(map(read, node.arguments)), types, root, node.span)
        root.items.append(made[node])
        nodes.append(made[node])
    outputs = {name: made[value.node].output for name, value in graph.outputs.items()}
    return replace(graph, root=root, nodes=nodes, outputs=outputs)


def after(graph: Graph, edits: int) -> tuple[Graph, int]:
    """The graph after so many edits, and what they cost."""
    from diffing import Editing, UnfitError

    random = Random(edits)
    while True:
        editing = Editing(graph, random)
        done = 0
        try:
            while done < edits:
                with suppress(IndexError, UnfitError):  # such as another number of copies where there are no blocks
                    getattr(editing, random.choice(KINDS))()
                    done += 1
            made, matching = editing.made()
        except UnfitError:
            continue
        return made, cost(matching)


def measured(before: Graph, other: Graph) -> tuple[float, int]:
    """The best time of some rounds, and the cost found."""
    best = float("inf")
    found = 0
    for _ in range(ROUNDS):
        gc.collect()
        start = process_time()
        found = cost(match(before, other))
        best = min(best, process_time() - start)
    return best, found


def main() -> None:
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    sizes = [int(size) for size in sys.argv[1:]] or SIZES
    print(f"{'':14}{'nodes':>8}{'after':>8}{'edits':>8}{'seconds':>9}{'µs a node':>11}{'made':>8}{'found':>8}")
    for name, change in (("blocks", lambda graph: graph), ("without", without_blocks)):
        for count in EDITS:
            for size in sizes:
                graph = change(network(size))
                other, made = after(graph, count)
                seconds, found = measured(graph, other)
                each = seconds / size * 1e6
                print(
                    f"{name:14}{len(graph.nodes):>8}{len(other.nodes):>8}{count:>8}{seconds:>9.2f}{each:>11.0f}{made:>8}{found:>8}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
