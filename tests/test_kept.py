"""Sizes that only the data knows: what an op keeps is a size of its own, at most as large as the op says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

import graphc_torch
from graphc import cost
from graphc.cli import main
from graphc.compiler import compile as compiled
from graphc.diagnostics import SpecError
from graphc.graph import Graph
from graphc.saved import read as read_saved
from graphc.verify import Asked, verify

HEAD = """\
graphc: 1
name: kept
dims: {N: 6}
inputs: {features: [N, 8]}
blocks:
  head:
    inputs: {rows: [R, C]}
    graph:
      - linear: 4
        id: scores
    outputs: {scores: scores, number: "expand(arange(end=C)[none], shape=[R, C])"}
graph:
  - nonzero:
    from: sum(features, dim=1) > 0
    id: positive
  - index_select: 0
    from: [features, positive]
    id: chosen
  - head:
    from: chosen
    id: found
"""
OUTPUTS = "outputs: {scores: found.scores, number: found.number, places: positive}\n"


def spec(folder: Path, more: str = "", outputs: str = OUTPUTS) -> Path:
    path = folder / "kept.yaml"
    path.write_text(f"{HEAD}{more}{outputs}")
    return path


def graph(folder: Path, more: str = "", outputs: str = OUTPUTS) -> Graph:
    return compiled(str(spec(folder, more, outputs)))


def told(folder: Path, more: str, outputs: str = OUTPUTS) -> tuple[str, str, str]:
    with pytest.raises(SpecError) as found:
        graph(folder, more, outputs)
    first = found.value.diagnostics[0]
    return first.code, first.message, first.hint


def test_it_has_the_path_of_the_step_that_makes_it(tmp_path: Path) -> None:
    found = graph(tmp_path)
    assert [str(value.type) for value in found.outputs.values()] == ["[positive, 4]", "[positive, 8]", "[positive]"]
    assert [(size.name, str(size.most)) for size in found.kept] == [("positive", "N")]


def test_counts_are_at_the_most_that_can_be_kept(tmp_path: Path) -> None:
    found = graph(tmp_path)
    assert str(cost.macs(found)) == "32*positive"
    assert found.examples() == {"N": 6, "positive": 6}
    assert found.at({"N": 40}) == {"N": 40, "positive": 40}
    assert cost.memory(found, {"N": 40}).activations > cost.memory(found).activations


def test_torch_and_onnx_keep_the_same(tmp_path: Path) -> None:
    found = verify(graph(tmp_path), Asked(all=True))
    assert found
    assert len(found.runs) == 4


@pytest.mark.parametrize("rows", [0, 1, 3, 5])
def test_as_many_come_as_the_data_says(rows: int, tmp_path: Path) -> None:
    """Also none."""
    found = graph(tmp_path)
    features = torch.full((5, 8), -1.0)
    features[:rows] = 1
    module = graphc_torch.module(found).eval()
    ours = [value.detach().numpy() for value in module(features)]
    assert [value.shape for value in ours] == [(rows, 4), (rows, 8), (rows,)]
    assert ours[2].tolist() == list(range(rows))
    file = tmp_path / "kept.onnx"
    found.onnx(str(file))
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    for value, theirs in zip(ours, session.run(None, {"features": features.numpy()}), strict=True):
        np.testing.assert_allclose(value, theirs, rtol=1e-5)


def test_two_of_them_are_never_the_same_size(tmp_path: Path) -> None:
    more = '  - nonzero:\n    from: sum(features, dim=1) > 1\n    id: large\n  - let: {both: "positive + large"}\n'
    code, message, hint = told(tmp_path, more, "outputs: {both: both}\n")
    assert (code, message) == ("E501", "add: the operands have sizes positive and large")
    assert hint == "only the data knows `large` and `positive`: it may be anything"


def test_a_condition_cannot_depend_on_it(tmp_path: Path) -> None:
    code, message, _ = told(tmp_path, "  - relu:\n    from: chosen\n    when: dim(chosen, 0) > 3\n")
    assert (code, message[:12]) == ("E304", "positive > 3")


def test_a_saved_and_an_expanded_graph_have_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    address = str(spec(tmp_path))
    for form in ("json", "yaml"):
        with pytest.raises(SystemExit):
            main(["expand", address, "--as", form])
        (tmp_path / f"copy.{form}").write_text(capsys.readouterr().out)
    saved = read_saved((tmp_path / "copy.json").read_text(), "copy.json")
    assert [(size.name, str(size.most)) for size in saved.kept] == [("positive", "N")]
    assert verify(compiled(str(tmp_path / "copy.yaml")), Asked())


def test_it_can_be_calculated_with(tmp_path: Path) -> None:
    """The PyTorch source reads it of the value that shows it."""
    more = '  - let: {pairs: "reshape(found.scores, shape=[dim(positive, 0) * 2, 2])"}\n'
    found = graph(tmp_path, more, "outputs: {pairs: pairs, number: found.number}\n")
    assert "2 * positive.size(0)" in found.source()
    assert verify(found, Asked())
