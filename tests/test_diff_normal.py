"""The normal form that specs and exported files are compared in: it gives the same numbers as the graph it is of."""

from __future__ import annotations

import pytest
import torch

import graphc
from graphc.diff.match import match
from graphc.diff.matching import cost
from graphc.diff.normal import normal
from graphc.graph import Graph
from graphc.opaque import Calculated
from interpreter import Array, feeds, random_weights, run_in_torch


def spec(*steps: str, inputs: str = "image: [2, 8, 8, 12]", dims: str = "{}", outputs: str = "{y: x}") -> Graph:
    """A spec of some steps, the last of which gives the output."""
    text = f"graphc: 1\nname: small\ndims: {dims}\ninputs: {{{inputs}}}\ngraph:\n"
    return graphc.compile(text=text + "".join(f"  - {step}\n" for step in steps) + f"outputs: {outputs}\n")


def names(graph: Graph) -> list[str]:
    return [node.op.name for node in graph.nodes]


def outputs(graph: Graph, weights: dict[str, Array]) -> list[Array]:
    values = run_in_torch(graph, weights, feeds(graph, graph.examples()))
    return [values[value] for value in graph.outputs.values()]


def agrees(graph: Graph, made: Graph, weights: dict[str, Array] | None = None) -> None:
    """The normal form gives what the graph gives; other weights than those of the graph are given."""
    given = random_weights(graph)
    for one, other in zip(outputs(graph, given), outputs(made, weights or given), strict=True):
        torch.testing.assert_close(torch.as_tensor(other), torch.as_tensor(one), rtol=1e-4, atol=1e-4)


def alike(one: Graph, other: Graph) -> bool:
    """Whether the two are the same in normal form."""
    return cost(match(normal(one, {}), normal(other, {}))) == 0


# --- what depends on no input


NUMBERS = {
    "arange(end=7) * 2 - 3": "int64",
    "-arange(start=2, end=20, step=3) // 4 + 1": "int64",
    "arange(end=9) % 4 + 0.5": "float32",
    "where(arange(end=9) >= 4, 0.0, -100.0)": "float32",
    "arange(end=6)[1:, none] != arange(end=5)": "bool",
    "logical_and(arange(end=9) > 3, logical_not(arange(end=9) == 5))": "bool",
    "permute(reshape(arange(end=24), shape=[2, 3, 4]), dims=[2, 0, 1])[1]": "int64",
    "transpose(reshape(arange(end=24), shape=[2, 12])[:, ::2])": "int64",
    "rearrange(arange(end=24), pattern='(a b c) -> c (b a)', a=2, b=3)": "int64",
    "where(arange(end=H // 4) < H // 8, 1, 0)": "int64",
}


@pytest.mark.parametrize("expression", NUMBERS)
def test_what_depends_on_no_input_is_its_numbers(expression: str) -> None:
    """As PyTorch calculates them."""
    graph = spec(
        f'let: {{y: "{expression}"}}', inputs="image: [1, 3, H, 8]", dims="{H: 32}", outputs="{y: y, image: image}"
    )
    (wanted, _) = outputs(graph, {})
    (node,) = normal(graph, {"H": 32}).nodes
    assert node.op == Calculated.of(wanted, graph.outputs["y"].type.dtype)
    assert node.output.type.dtype == NUMBERS[expression]


def test_other_numbers_are_others() -> None:
    def masked(low: float) -> Graph:
        return spec(f'let: {{y: "x + where(arange(end=12) > 3, 0.0, {low})"}}', outputs="{y: y}")

    assert alike(masked(-100.0), masked(-100.0))
    assert not alike(masked(-100.0), masked(-99.0))
    assert names(normal(masked(-99.0), {})) == ["calculated", "add"]


def test_numbers_of_a_free_size_are_not_known() -> None:
    free = spec('let: {y: "x + arange(end=H)"}', inputs="image: [1, 3, H]", dims="{H: 32}", outputs="{y: y}")
    assert names(normal(free, {})) == ["arange", "add"]
    assert names(normal(free, {"H": 32})) == ["calculated", "add"]


def test_a_table_at_known_places_is_a_parameter() -> None:
    table = "{embedding: {num_embeddings: 9, embedding_dim: 12}, from: arange(end=8), id: table}"
    graph = spec(table, "rearrange: t c -> 1 t 1 c", "{add: , from: [image, x]}")
    made = normal(graph, {})
    assert [(node.path, node.op.name, node.output.type.shape) for node in made.nodes if node.weights()] == [
        ("table", "parameter", (1, 8, 1, 12))
    ]
    rows = random_weights(graph)["table.weight"][:8]
    agrees(graph, made, {"table.weight": rows.reshape(1, 8, 1, 12)})


def test_a_table_at_places_of_an_input_stays_one() -> None:
    graph = spec("embedding: {num_embeddings: 9, embedding_dim: 4}", inputs="image: {shape: [2, 5], dtype: int64}")
    assert names(normal(graph, {})) == ["embedding"]


# --- over what was moved


def test_a_layer_comes_before_elements_are_moved() -> None:
    graph = spec("rearrange: {pattern: n (h p) w c -> (n h) (p w) c, p: 2}", "{linear: 5, id: layer}")
    made = normal(graph, {})
    assert [(node.op.name, node.path) for node in made.nodes] == [("linear", "layer"), ("rearrange", "layer.rearrange")]
    agrees(graph, made)
    assert alike(graph, spec("{linear: 5, id: layer}", "rearrange: {pattern: n (h p) w c -> (n h) (p w) c, p: 2}"))
    mixed = spec("rearrange: n h w c -> n c h w", "linear: 5")
    assert names(normal(mixed, {})) == ["rearrange", "linear"]


@pytest.mark.parametrize(
    "mean", ["adaptive_avg_pool2d: 1", "mean: {dim: [2, 3]}", "mean: {dim: [-1, 2], keepdim: true}"]
)
def test_a_mean_of_what_was_moved_is_one_where_it_was(mean: str) -> None:
    graph = spec("rearrange: n h w c -> n c h w", mean, "flatten")
    made = normal(graph, {})
    assert names(made) == ["mean"]
    agrees(graph, made)
    assert alike(graph, spec("mean: {dim: [1, 2]}"))
    assert not alike(graph, spec("mean: {dim: [1, 3]}"))


def test_a_mean_over_a_part_of_an_axis_stays() -> None:
    graph = spec("rearrange: {pattern: n (h p) w c -> n h (p w) c, p: 2}", "mean: {dim: 2}")
    assert names(normal(graph, {})) == ["rearrange", "mean"]


def test_the_thirds_of_a_layer_are_three_layers() -> None:
    """Its weights are those rows of the whole."""
    packed = spec(
        "{linear: 36, id: qkv}",
        "rearrange: {pattern: n h w (three c) -> three n (h w) c, three: 3}",
        "getitem: {index: [1]}",
    )
    made, given = normal(packed, {}), random_weights(packed)
    assert (made.nodes[0].op.name, made.nodes[0].path) == ("linear", "qkv.1")
    agrees(packed, made, {f"qkv.1.{kind}": given[f"qkv.{kind}"][12:24] for kind in ("weight", "bias")})
    assert alike(packed, spec("linear: 12", "rearrange: n h w c -> n (h w) c"))


# --- squares


def squares(*starts: str, dim: int = -1) -> Graph:
    return spec(f'let: {{y: "concat({", ".join(f"x[:, {each}]" for each in starts)}, dim={dim})"}}', outputs="{y: y}")


IN_ORDER = ("::2, ::2", "1::2, ::2", "::2, 1::2", "1::2, 1::2")


def test_every_second_place_from_each_start_is_moved() -> None:
    graph = squares(*IN_ORDER)
    made = normal(graph, {})
    assert names(made) == ["rearrange"]
    agrees(graph, made)
    pattern = "n (h down) (w across) c -> n h w (across down c)"
    assert alike(graph, spec(f"rearrange: {{pattern: {pattern}, down: 2, across: 2}}"))
    other = squares(IN_ORDER[0], *IN_ORDER[2:0:-1], IN_ORDER[3])
    agrees(other, normal(other, {}))
    assert not alike(graph, other)


@pytest.mark.parametrize(
    "starts",
    [
        (*IN_ORDER[:3], "::2, ::2"),
        IN_ORDER[:2],
        (*IN_ORDER[:3], "1::2, 1:11:2"),
        (IN_ORDER[3], *IN_ORDER[:3]),
    ],
)
def test_places_that_are_not_all_of_them_stay(starts: tuple[str, ...]) -> None:
    graph = squares(*starts, dim=3)
    assert "rearrange" not in names(normal(graph, {}))


# --- attention


FAR = "where((arange(end={windows})[:, none, none, none] % 4 + arange(end=16)) % 3 == 0, -100.0, 0.0)"
NOTHING = "where(arange(end=16) < 0, 1.0, 0.0)[none]"
TABLE = "- {parameter: {shape: [3, 16, 16]}, id: table}"
SUM, BOTH, ALONE = "bias: table + far", "mask: far, bias: table", "bias: table"


def attending(added: str, *, apart: bool = True, outputs: str = "{y: x}") -> Graph:
    """Attention in windows of 2 rows of each picture, which are an axis of their own or lie in the batch."""
    front = "n h" if apart else "(n h)"
    known = {"far": FAR.format(windows=4 if apart else 8), "nothing": NOTHING}
    said = [f"      {name}: '{expression}'" for name, expression in known.items() if name in added]
    text = f"""
graphc: 1
name: attending
inputs: {{image: [2, 8, 8, 12]}}
graph:
  {TABLE if "table" in added else ""}
  {"- let:" if said else ""}
{chr(10).join(said)}
  - rearrange: {{pattern: "n (h p) w c -> {front} (p w) c", h: 4, p: 2}}
    from: image
    id: parts
  - attention: {{heads: 3}}
    from: {{query: parts, key: parts, value: parts, {added}}}
  - rearrange: {{pattern: "{front} (p w) c -> n (h p) w c", h: 4, p: 2}}
outputs: {outputs}
"""
    return graphc.compile(text=text)


@pytest.mark.parametrize("apart", [True, False])
@pytest.mark.parametrize("added", [SUM, BOTH, ALONE, "mask: table", "mask: nothing, bias: table"])
def test_attention_has_one_axis_of_a_batch(added: str, apart: bool) -> None:
    graph = attending(added, apart=apart)
    made = normal(graph, {})
    (node,) = (node for node in made.nodes if node.op.name == "attention")
    assert node.output.type.shape == (8, 16, 12)
    masked = added in {SUM, BOTH}
    assert [None if value is None else value.type.shape for value in node.arguments[3:]] == [
        (8, 1, 1, 16) if masked else None,
        (3, 16, 16),
    ]
    assert [value.node.op.name for value in node.operands[3:]] == [*["calculated"] * masked, "parameter"]
    if masked:
        whole = attending(SUM, apart=False, outputs="{y: x, far: far}")
        far = run_in_torch(whole, random_weights(whole), feeds(whole, {}))[whole.outputs["far"]]
        assert node.arguments[3] is not None
        assert node.arguments[3].node.op == Calculated.of(far, "float32")


def test_attention_with_the_same_mask_is_alike() -> None:
    for added in (SUM, BOTH):
        assert alike(attending(added), attending(BOTH, apart=False))
    assert alike(attending("mask: nothing, bias: table"), attending(ALONE, apart=False))
    assert not alike(attending(SUM), attending(ALONE, apart=False))
    for apart in (True, False):
        assert alike(attending("bias: nothing", apart=apart), attending(""))
