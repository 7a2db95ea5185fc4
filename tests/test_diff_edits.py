"""Random edits of real specs, of which it is known what became of each node: the edit found costs no more."""

from random import Random

import pytest

import graphc
from diffing import EDITS, edited
from graphc.diff.match import match
from graphc.diff.matching import cost

SPECS = ("resnet18", "unet", "vgg11_bn", "squeezenet1_1", "vit_ti_16", "mobilenet_v3_small")
ROUNDS = 16
LEAST = 0.95
"""Of these few. `benchmarks/diff_edits.py` does thousands, of which at least 99 % must be found."""


def test_the_edit_found_costs_no_more_than_the_edit_made() -> None:
    worse = []
    for name in SPECS:
        graph = graphc.compile(name)
        for number in range(ROUNDS):
            done, after, made = edited(graph, Random(f"{name} {number}"), 1 + number % 3)
            if cost(match(graph, after)) > cost(made):
                worse.append((name, number, done))
    assert len(worse) <= (1 - LEAST) * ROUNDS * len(SPECS), worse


@pytest.mark.parametrize("kind", [kind for kind in EDITS if kind not in {"move", "rewire", "repeat"}])
def test_a_single_edit_of_a_kind_is_found_as_it_was_made(kind: str) -> None:
    graph = graphc.compile("resnet18")
    for number in range(3):
        _, after, made = edited(graph, Random(number), 1, kinds=(kind,))
        found = match(graph, after)
        assert 0 < cost(found) <= cost(made)


@pytest.mark.parametrize("name", SPECS)
def test_the_other_way_round_costs_no_more(name: str) -> None:
    graph = graphc.compile(name)
    differing = 0
    for number in range(6):
        _, after, made = edited(graph, Random(f"back {graph.name} {number}"), 1)
        differing += cost(match(after, graph)) > cost(made)
    assert differing <= 1
