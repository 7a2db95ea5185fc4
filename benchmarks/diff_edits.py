"""Random edits of real specs against what `graphc diff` finds: `python benchmarks/diff_edits.py --rounds 100 --seed 0`.

Each round makes one to four edits (insert, delete, widen, another attribute, rewire, wrap, unwrap, move between scopes,
move along the wires, more or fewer copies), half of them under new names and in another order. What became of each node
is known, so the edit has a cost; the edit found must not cost more. Under new names alone nothing may be found at all.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import graphc
from graphc.diff.match import match
from graphc.diff.matching import cost
from graphc.graph import Graph

SPECS = (
    "resnet18", "resnet50", "unet", "vgg16_bn", "googlenet", "vit_ti_16", "mobilenet_v2", "mobilenet_v3_large",
    "convnext_tiny", "se_resnet50", "squeezenet1_1", "densenet121", "efficientnet_b0", "alexnet", "cbam_resnet18",
)  # fmt: skip
DETECTORS = ("fast_rcnn", "faster_rcnn", "mask_rcnn")
"""Those with sizes that only the data knows; they get other names alone."""
ROUNDS = 100
MOST = 4


@dataclass
class Tally:
    """What came of some rounds: `dearer` counts by the number of edits where more was found than was made."""

    rounds: int = 0
    fine: int = 0
    cheaper: int = 0
    dearer: Counter[int] = field(default_factory=Counter)

    def add(self, edits: int, made: int, found: int) -> None:
        self.rounds += 1
        self.fine += found <= made
        self.cheaper += found < made
        self.dearer[edits] += found > made


def tallied(graph: Graph, seed: str, rounds: int, tally: Tally) -> Iterator[tuple[list[str], int, int, int]]:
    """Makes so many edits; of those that were found dearer, the edits, the number of the round, and both costs."""
    from diffing import edited

    for number in range(rounds):
        done, after, made = edited(graph, Random(f"{seed}{number}"), 1 + number % MOST)
        known, found = cost(made), cost(match(graph, after))
        tally.add(1 + number % MOST, known, found)
        if found > known:
            yield done, number, known, found


def same_when_renamed(graph: Graph, seed: str) -> bool:
    """Whether nothing is different under other names and in another order."""
    from diffing import Editing

    editing = Editing(graph, Random(seed))
    editing.rename()
    editing.reorder()
    return cost(match(graph, editing.made()[0])) == 0


def arguments() -> Namespace:
    parser = ArgumentParser()
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of each spec and seed")
    parser.add_argument("--seed", nargs="+", default=[""], help="one or more")
    parser.add_argument("--show", action="store_true", help="tell each edit that was found dearer")
    parser.add_argument("specs", nargs="*", default=SPECS)
    return parser.parse_args()


def main() -> None:
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    given = arguments()
    graphs = {name: graphc.compile(name) for name in given.specs}
    detectors = {name: graphc.compile(name) for name in DETECTORS if given.specs == SPECS}
    all_, renamed = Tally(), 0
    for seed in given.seed:
        renamed += sum(same_when_renamed(graph, f"{seed}{name}") for name, graph in detectors.items())
        for name, graph in graphs.items():
            renamed += same_when_renamed(graph, f"{seed}{name}")
            before = all_.fine
            for done, number, known, found in tallied(graph, f"{seed}{name}", given.rounds, all_):
                if given.show:
                    print(f"  round {number}: {', '.join(done)}: {found} in place of {known}")
            good = all_.fine - before
            print(f"{seed:8} {name:20} {len(graph.nodes):5} nodes {good:5} of {given.rounds}", flush=True)
    print(f"found at no higher cost: {all_.fine} of {all_.rounds} ({all_.fine / all_.rounds:.2%})")
    print(f"at a lower one: {all_.cheaper}; dearer, by the number of edits: {dict(sorted(all_.dearer.items()))}")
    print(f"nothing under new names: {renamed} of {(len(graphs) + len(detectors)) * len(given.seed)}")


if __name__ == "__main__":
    main()
