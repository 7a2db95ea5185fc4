"""Random edits of real specs against what `graphc diff` finds: `python benchmarks/diff_edits.py [ROUNDS]`.

Each round makes one to four edits (insert, delete, widen, another attribute, rewire, wrap, unwrap, move between scopes,
move along the wires, more or fewer copies), half of them under new names and in another order. What became of each node
is known, so the edit has a cost; the edit found must not cost more. Under new names alone nothing may be found at all.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from random import Random

import graphc
from graphc.diff.match import match
from graphc.diff.matching import cost

SPECS = (
    "resnet18", "resnet50", "unet", "vgg16_bn", "googlenet", "vit_ti_16", "mobilenet_v2", "mobilenet_v3_large",
    "convnext_tiny", "se_resnet50", "squeezenet1_1", "densenet121", "efficientnet_b0", "alexnet", "cbam_resnet18",
)  # fmt: skip
ROUNDS = 100
MOST = 4


def main() -> None:
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from diffing import Editing, edited

    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    all_, fine, cheaper, by_edits, renamed = 0, 0, 0, Counter[int](), 0
    for name in SPECS:
        graph = graphc.compile(name)
        editing = Editing(graph, Random(name))
        editing.rename()
        editing.reorder()
        renamed += cost(match(graph, editing.made()[0])) == 0
        good = 0
        for number in range(rounds):
            edits = 1 + number % MOST
            _, after, made = edited(graph, Random(f"{name}{number}"), edits)
            known, found = cost(made), cost(match(graph, after))
            good += found <= known
            cheaper += found < known
            by_edits[edits] += found > known
        all_ += rounds
        fine += good
        print(f"{name:20} {len(graph.nodes):5} nodes {good:5} of {rounds}", flush=True)
    print(f"found at no higher cost: {fine} of {all_} ({fine / all_:.2%}); at a lower one: {cheaper}")
    print("dearer, by the number of edits:", dict(sorted(by_edits.items())))
    print(f"nothing under new names: {renamed} of {len(SPECS)}")


if __name__ == "__main__":
    main()
