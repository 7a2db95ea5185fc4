"""Names say nothing: those of sizes that only the data knows, of free sizes, and of axes."""

import re
from pathlib import Path
from random import Random
from shutil import copytree

import pytest

import graphc
from diffing import Editing
from graphc.ops.rearrange import Rearrange

DETECTORS = ("fast_rcnn", "faster_rcnn", "mask_rcnn")
OTHERS = {
    "proposals": "suggested",
    "found": "things_found",
    "sample": "drawn",
    "candidates": "tried",
    "things": "alone",
}


@pytest.mark.parametrize("name", DETECTORS)
def test_other_names_of_what_keeps_some_change_nothing(name: str) -> None:
    graph = graphc.compile(name)
    editing = Editing(graph, Random(name))
    editing.rename()
    editing.reorder()
    renamed, made = editing.made()
    assert {kept.name for kept in renamed.kept}.isdisjoint(kept.name for kept in graph.kept)
    found = graph.diff(renamed)
    assert (found.same, found.cost) == (True, 0)
    assert found.nodes == {left.path: right.path for left, right in made.nodes()}


@pytest.mark.parametrize("name", DETECTORS)
def test_other_names_in_the_spec_change_nothing_in_training_either(name: str, tmp_path: Path) -> None:
    copytree(Path(graphc.__file__).parents[1] / "specs", tmp_path / "specs")
    for file in (tmp_path / "specs").glob("*rcnn.yaml"):
        text = file.read_text()
        for old, new in OTHERS.items():
            text = re.sub(rf"(?<=id: ){old}\b|\b{old}(?=\.)", new, text)
        file.write_text(re.sub(r"\bR\b", "K", text) if file.stem == "fast_rcnn" else text)
    made = graphc.compile(name).diff(graphc.compile(str(tmp_path / "specs" / f"{name}.yaml")))
    assert made.renamed
    assert (made.same, made.cost) == (True, 0)


KEEPS = """
graphc: 1
name: keeps
dims: {N: 4, M: 4}
inputs: {scores: [N], others: [M]}
blocks:
  count:
    inputs: {kept: [K]}
    graph: [{constant: {value: 2*K}}]
graph:
  - {nonzero: , from: scores > 0.5, id: first}
  - {nonzero: , from: others > 0.5, id: second}
  - {count: , from: first, id: count}
outputs: {a: first, b: second, c: count}
"""


def test_a_size_of_another_value_is_a_change() -> None:
    """As many as the second keeps, in place of as many as the first."""
    one = graphc.compile(text=KEEPS)
    other = graphc.compile(text=KEEPS.replace("from: first", "from: second"))
    renamed = graphc.compile(text=re.sub(r"\bfirst\b", "high", KEEPS))
    assert one.diff(renamed).cost == 0
    assert one.diff(other).cost == 1
    assert renamed.diff(other).cost == 1


def step(pattern: str, **sizes: int) -> graphc.Graph:
    said = "".join(f", {name}: {size}" for name, size in sizes.items())
    text = f"graphc: 1\nname: one\ninputs: {{tokens: [2, 12, 5]}}\ngraph: [rearrange: {{pattern: {pattern}{said}}}]\n"
    return graphc.compile(text=text)


def test_other_letters_are_the_same_rearrangement() -> None:
    one = step("b (h p) w -> b p (h w)", p=3)
    assert one.diff(step("n (i j) c -> n j (i c)", j=3)).cost == 0
    assert one.diff(step("b (h p) w -> b p (h w)", p=4)).cost > 0
    assert one.diff(step("b (h p) w -> b p (w h)", p=3)).cost > 0
    assert one.diff(step("b (p h) w -> b p (h w)", p=3)).cost > 0
    assert one.diff(step("b (h p) w -> b h (p w)", p=3)).cost > 0


def test_two_letters_stay_two() -> None:
    kinds = {Rearrange(pattern=text).canonical for text in ("a b -> b a", "x y -> y x", "a b -> a b", "b a -> a b")}
    assert len(kinds) == 2
