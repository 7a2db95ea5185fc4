"""Receptive fields: ops against what really changes their output, networks against gradients and published figures."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

import graphc
from graphc.cost import AxisField, fields, receptive_field
from graphc.graph import Graph, Value
from graphc.ops import OPS
from graphc.ops.activation import Relu
from graphc.ops.base import Op
from graphc.ops.reach import Reach, regrouped
from graphc.rewrite import with_taps

IMAGE = "a: [1, 2, 6, 6]"
PAIR = f"{IMAGE}, b: [1, 2, 6, 6]"


def network(inputs: str, *steps: str, outputs: str = "y: x") -> Graph:
    graph = "\n".join(f"  - {step}" for step in steps)
    dims = "dims: {T: 5}\n" if "T" in inputs else ""
    return graphc.compile(
        text=f"graphc: 1\nname: one\n{dims}inputs: {{{inputs}}}\ngraph:\n{graph}\noutputs: {{{outputs}}}"
    )


# --- each op


ONE = {
    "identity detach relu relu6 leaky_relu elu gelu silu mish hardswish hardsigmoid softplus sigmoid tanh exp log": "",
    "sqrt abs float dropout dropout2d negative ceil cos erf floor hardtanh logsigmoid prelu reciprocal round rsqrt": "",
    "selu sign sin softsign logical_not zeros_like ones_like normal_like batch_norm frozen_batch_norm tril triu": "",
    "clamp": "{min: -0.5}",
    "stochastic_depth": "0.5",
    "softmax log_softmax argmax cumsum argsort prod normalize sort": "{dim: 3}",
    "mean sum amax amin std var": "{dim: [2]}",
    "instance_norm": "",
    "group_norm": "1",
    "layer_norm rms_norm": "{dims: 2}",
    "local_response_norm": "2",
    "conv2d": "{out_channels: 3, kernel_size: [3, 2], stride: 2, padding: 1, dilation: [1, 2]}",
    "conv_transpose2d": "{out_channels: 3, kernel_size: [3, 4], stride: 2, padding: 1}",
    "masked_conv2d": "{out_channels: 2, kernel_size: 3, padding: 1, mask: A}",
    "linear": "4",
    "max_pool2d": "{kernel_size: 3, stride: 2, padding: 1, ceil_mode: true}",
    "avg_pool2d": "{kernel_size: [2, 3], stride: 1}",
    "adaptive_avg_pool2d adaptive_max_pool2d": "[4, 1]",
    "unfold": "2",
    "pixel_unshuffle": "2",
    "sine_position_2d": "8",
    "interpolate": "{scale_factor: 2, mode: bilinear}",
    "pad": "[1, 2, -1, 0]",
    "flatten": "2",
    "reshape": "[1, 2, 3, 12]",
    "permute": "[0, 3, 1, 2]",
    "transpose": "",
    "unsqueeze": "1",
    "squeeze": "0",
    "rearrange": "N C h w -> N (h w) C",
    "unflatten": "{dim: 2, sizes: [2, 3]}",
    "tile": "[2, 1]",
    "repeat_interleave": "{repeats: 2, dim: 2}",
    "getitem": "",
    "chunk": "{chunks: 2, dim: 1}",
    "split": "{split_size: 1, dim: 1}",
    "flip": "2",
    "fft2": "",
    "roll": "{shifts: 1, dims: 2}",
    "topk": "{k: 2, dim: 2}",
}
"""Ops of one image; where several are named, all with these attributes."""
MORE = {
    "add": [PAIR, "add:\n    from: [a, b]"],
    "multiply": [PAIR, "multiply:\n    from: [a, b]"],
    "subtract": [PAIR, "subtract:\n    from: {input: a, other: b}"],
    "divide": [PAIR, "divide:\n    from: {input: a, other: b}"],
    "pow": [PAIR, "pow:\n    from: {input: abs(a), other: b}"],
    "maximum": [PAIR, "maximum:\n    from: {input: a, other: b}"],
    "where": [PAIR, "where:\n    from: {condition: a > 0, input: a, other: b}"],
    "masked_fill": [PAIR, "masked_fill: 0.0\n    from: {input: a, mask: b > 0}"],
    "matmul": [PAIR, "matmul:\n    from: {input: a, other: b}"],
    "cosine_similarity": [PAIR, "cosine_similarity: 1\n    from: {input: a, other: b}"],
    "concat": [PAIR, "concat: 1\n    from: [a, b]"],
    "concat of places": [PAIR, "concat: 2\n    from: [a, b]"],
    "concat in the middle": [f"{IMAGE}, b: [1, 2, 3, 1]", "concat: {dim: 1, center: true}\n    from: [a, b]"],
    "stack": [PAIR, "stack: 2\n    from: [a, b]"],
    "center_crop": [f"{IMAGE}, b: [1, 2, 3, 4]", "center_crop:\n    from: {input: a, target: b}"],
    "expand": ["a: [1, 2, 6, 1]", "expand: [1, 2, 6, 4]"],
    "broadcast": [f"{IMAGE}, b: [1, 2, 6, 1]", "add:\n    from: [a, b]"],
    "attention": ["a: [1, T, 4]", "attention: 2\n    from: {query: a, key: a, value: a}"],
    "attention's elements": ["a: [1, 5, 4]", "attention:\n    from: {query: a, key: a, value: a}"],
    "heads' elements": ["a: [1, 5, 4]", "attention: 2\n    from: {query: a, key: a, value: a}"],
    "causal": ["a: [1, T, 4]", "attention: {is_causal: true}\n    from: {query: a, key: a, value: a}"],
    "biased": ["a: [1, T, 4], b: [T, T]", "attention: 2\n    from: {query: a, key: a, value: a, bias: b}"],
    "pick": ["a: [2, 5, 4], i: {shape: [2], dtype: int64}", "pick:\n    from: {input: a, index: i % 5}"],
    "take": ["a: [2, 5, 4], i: {shape: [2, 3], dtype: int64}", "take:\n    from: {input: a, index: i % 5}"],
    "index_select": [
        f"{IMAGE}, i: {{shape: [2, 3], dtype: int64}}",
        "index_select: 2\n    from: {input: a, index: i % 6}",
    ],
    "lt": [PAIR, "lt:\n    from: {input: a, other: b}"],
    "logical_or": [PAIR, "logical_or:\n    from: {input: a > 1, other: b > 1}"],
    "pixel_shuffle": ["a: [1, 4, 3, 3]", "pixel_shuffle: 2"],
    "conv1d": ["a: [1, 2, 9]", "conv1d: {out_channels: 2, kernel_size: 3, dilation: 2, groups: 2}"],
    "conv_transpose1d": ["a: [1, 2, 5]", "conv_transpose1d: {out_channels: 2, kernel_size: 5, stride: 3, padding: 1}"],
    "avg_pool1d": ["a: [1, 2, 9]", "avg_pool1d: 2"],
    "max_pool1d": ["a: [1, 2, 9]", "max_pool1d: {kernel_size: 3, dilation: 2, stride: 1}"],
    "adaptive_avg_pool1d": ["a: [1, 2, 9]", "adaptive_avg_pool1d: 4"],
    "slice": [IMAGE, "identity:\n    from: a[:, :, 1::2, -4:]"],
    "element": [IMAGE, "identity:\n    from: a[:, :, 2]"],
    "nearest": ["a: [1, 2, 4, 6]", "interpolate: {size: [6, 4]}"],
    "nearest-exact": ["a: [1, 2, 4, 6]", "interpolate: {size: [6, 4], mode: nearest-exact}"],
    "bilinear": ["a: [1, 2, 4, 6]", "interpolate: {size: [6, 4], mode: bilinear}"],
    "aligned": ["a: [1, 2, 4, 5]", "interpolate: {size: [7, 9], mode: bilinear, align_corners: true}"],
    "bicubic": ["a: [1, 2, 6, 6]", "interpolate: {scale_factor: 2, mode: bicubic}"],
    "like": [f"{IMAGE}, b: [1, 2, 3, 9]", "interpolate:\n    from: {input: a, like: b}"],
    "gather": [f"{IMAGE}, i: {{shape: [1, 2, 6, 3], dtype: int64}}", "gather: 3\n    from: {input: a, index: i % 6}"],
    "masked B": [IMAGE, "masked_conv2d: {out_channels: 2, kernel_size: [1, 3], padding: [0, 1], mask: B}"],
    "masked A": [IMAGE, "masked_conv2d: {out_channels: 2, kernel_size: [3, 1], padding: [1, 0], mask: A}"],
    "gaps": [IMAGE, "conv_transpose2d: {out_channels: 1, kernel_size: 1, stride: 2}"],
    "heads": ["a: [1, 6, 4]", "rearrange: {pattern: N T (h c) -> N h T c, h: 2}"],
    "split along": [IMAGE, "chunk: {chunks: 2, dim: 2}"],
    "windows": [IMAGE, "rearrange: {pattern: N C (h p) w -> N h p w C, p: 2}"],
}
"""Ops of several values or with further attributes: inputs and a step."""
CASES = {name: (IMAGE, f"{name}: {attributes}") for names, attributes in ONE.items() for name in names.split()}
CASES |= {name: (inputs, step) for name, (inputs, step) in MORE.items()}
CASES["getitem"] = (IMAGE, "identity:\n    from: a[:, :, none, 1:]")
UNKNOWN = {"unfold", "element", "gaps", "heads' elements", "split along"}
"""Cases in which some field can't be said."""
BY_DATA = {"gather", "index_select", "pick", "take"}
"""What another value says where to read: some places are met by chance."""
RULELESS = {
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "cross_entropy", "fold", "huber_loss", "kl_div",
    "l1_loss", "max_unpool2d", "mse_loss", "nll_loss", "smooth_l1_loss", "unfold",
}  # fmt: skip
"""Ops that don't say what they read: losses, and what puts windows back."""


def changes(graph: Graph, name: str) -> torch.Tensor:
    """Which elements of the output change with which of an input: [outputs…, inputs…], of bool."""
    module = graph.module().double().eval()
    generator = torch.Generator().manual_seed(0)
    found: torch.Tensor | None = None
    for weight in module.parameters():
        weight.data.uniform_(0.5, 1.5, generator=generator)
    for _ in range(3):
        given = {key: _values(graph, value, generator) for key, value in graph.inputs.items()}
        before = _run(module, given)
        columns = []
        for place in range(given[name].numel()):
            other = given[name].clone().flatten()
            other[place] = torch.randn((), dtype=torch.float64, generator=generator) * 5
            columns.append(_run(module, {**given, name: other.view_as(given[name])}) != before)
        now = torch.stack(columns, -1).view(*before.shape, *given[name].shape)
        found = now if found is None else found | now
    assert found is not None
    return found


def _values(graph: Graph, value: Value, generator: torch.Generator) -> torch.Tensor:
    shape = graph_shape(graph, value)
    if value.type.dtype == "int64":
        return torch.randint(0, 100, shape, generator=generator)
    return torch.randn(shape, dtype=torch.float64, generator=generator)


def _run(module: Callable[..., object], given: Mapping[str, torch.Tensor]) -> torch.Tensor:
    torch.manual_seed(0)  # for values that are random
    with torch.no_grad():
        found = module(**given)
    first = found[0] if isinstance(found, tuple) else found
    assert isinstance(first, torch.Tensor)
    return first.double().nan_to_num()


def hulls(changed: torch.Tensor) -> Iterator[tuple[tuple[int, ...], tuple[int, int]]]:
    """The outputs that change, and the first and the last position along the last axis that they change with."""
    for index in itertools.product(*map(range, changed.shape[:-1])):
        places = changed[index].nonzero().flatten().tolist()
        if places:
            yield index, (min(places), max(places))


def agree(field: AxisField, changed: torch.Tensor, size: int, *, by_data: bool, rolled: bool) -> None:
    """A field is what was measured: never larger inside the input, and never smaller."""
    found = dict(hulls(changed))
    widest = max(last - first + 1 for first, last in found.values())
    if field.kind == "global":
        assert widest == size or (by_data and widest > 1)
    elif field.along is None:
        assert field.size == widest
    else:
        told: dict[int, tuple[int, int]] = {}
        for index, (first, last) in found.items():
            place = index[field.along]
            low, high = told.get(place, (first, last))
            told[place] = min(low, first), max(high, last)
        for place, (low, high) in told.items():
            first, last = field.at(place) or (0, 0)
            if rolled:
                first, last = first % size, last % size
            assert max(first, 0) <= low <= high <= min(last, size - 1), place
            assert (first, last) == (low, high) or first < 0 or last >= size, place


@pytest.mark.parametrize("name", CASES)
def test_an_op_reads_what_it_says(name: str) -> None:
    """What is said of an op's reading is what changes its output when it changes, position by position."""
    graph = network(*CASES[name])
    (output,) = graph.outputs.values()
    fields = {field.input: field for field in receptive_field(graph, output)}
    kinds = set()
    for key, value in graph.inputs.items():
        if value.type.dtype != "float32":
            continue
        changed = changes(graph, key)
        assert bool(changed.any()) == (key in fields) or name in {"logical_not", "sign"}, key
        rank = value.type.rank
        for axis, field in fields[key].axes.items() if key in fields and changed.any() else ():
            kinds.add(field.kind)
            others = tuple(changed.dim() - rank + other for other in range(rank) if other != axis)
            if field.kind != "unknown":
                length = graph_shape(graph, value)[axis]
                agree(field, changed.any(others), length, by_data=name in BY_DATA, rolled=name == "roll")
    assert ("unknown" in kinds) == (name in UNKNOWN)


def test_every_op_that_says_what_it_reads_is_tried() -> None:
    """Some share their rule with one that is; what has no operand of real numbers reads none, regions are anywhere."""
    tried = {OPS[step.split(":")[0]].sees for _, step in CASES.values()} | {OPS["getitem"].sees}
    alone = {name for name, op in OPS.items() if op.sees not in {*tried, Op.sees}}
    assert alone == {
        "arange", "causal_mask", "constant", "embedding", "full", "nms", "nonzero", "one_hot", "ones", "parameter",
        "roi_align", "roi_pool", "scatter", "sinusoid", "tensor", "zeros",
    }  # fmt: skip
    assert {name for name, op in OPS.items() if op.sees is Op.sees} == RULELESS


# --- how reaches come together


reaches = st.builds(
    lambda step, spans: Reach(step, tuple((first, first + length) for first, length in spans)),
    st.integers(1, 4),
    st.lists(st.tuples(st.integers(-3, 3), st.integers(0, 4)), min_size=1, max_size=4),
)


@given(outer=reaches, inner=reaches, position=st.integers(-20, 20))
def test_a_reach_over_another_is_what_brute_force_finds(outer: Reach, inner: Reach, position: int) -> None:
    first, last = outer.at(position)
    read = [inner.at(between) for between in range(first, last + 1)]
    whole = outer.over(inner)
    assert whole is not None
    assert whole.at(position) == (min(low for low, _ in read), max(high for _, high in read))


@given(left=reaches, right=reaches, position=st.integers(-20, 20))
def test_joined_reaches_are_what_brute_force_finds(left: Reach, right: Reach, position: int) -> None:
    joined = left.joined(right)
    assert (joined is None) == (left.stride != right.stride)
    if joined is not None:
        both = left.at(position), right.at(position)
        assert joined.at(position) == (min(first for first, _ in both), max(last for _, last in both))


@given(st.lists(st.integers(1, 4), min_size=1, max_size=5), st.data())
def test_a_reshape_keeps_the_axes_that_it_says_it_keeps(before: list[int], data: st.DataObject) -> None:
    """torch's reshape of a value that counts: along a kept axis the number of a position stays."""
    size = torch.Size(before).numel()
    after: list[int] = []
    while (left := size // torch.Size(after).numel()) != 1 or data.draw(st.booleans()):
        after.append(data.draw(st.sampled_from([n for n in range(1, left + 1) if left % n == 0])))
        if len(after) > 8:
            return
    for axis, sight in enumerate(regrouped(tuple(before), tuple(after))):
        places = torch.arange(before[axis]).view(-1, *[1] * (len(before) - axis - 1)).expand(before).reshape(after)
        for other in range(len(after)):
            varies = bool((places != places.select(other, 0).unsqueeze(other)).any())
            kept = torch.arange(after[other]).view(-1, *[1] * (len(after) - other - 1)).expand(after)
            if getattr(sight, "axis", None) == other:
                assert torch.equal(places, kept)
            else:
                assert not varies or other in getattr(sight, "axes", ())


# --- networks


def seen_by_gradients(graph: Graph, place: int, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Where the gradient of one position of the output isn't 0, along rows and columns; all weights are positive.

    The maximum of a window has a gradient in one place alone, so it is replaced by the mean.
    """

    def mean(
        input: torch.Tensor,
        kernel_size: int,
        stride: int | None = None,
        padding: int = 0,
        dilation: int = 1,
        *,
        ceil_mode: bool = False,
        return_indices: bool = False,
    ) -> torch.Tensor:
        assert dilation == 1
        assert not return_indices
        return functional.avg_pool2d(input, kernel_size, stride, padding, ceil_mode)

    monkeypatch.setattr(functional, "max_pool2d", mean)
    module = graph.module().double().eval()
    for weight in module.parameters():
        weight.data.fill_(1 / max(weight[0].numel(), 1) if weight.dim() > 1 else 1)
    ((_, value),) = graph.inputs.items()
    image = torch.ones(graph_shape(graph, value), dtype=torch.float64, requires_grad=True)
    output = module(image)
    output[0, :, place, place].sum().backward()
    assert image.grad is not None
    rows = image.grad[0].abs().sum(0) > 0
    return [(int(axis.nonzero().min()), int(axis.nonzero().max())) for axis in (rows.any(1), rows.any(0))]


def graph_shape(graph: Graph, value: Value) -> list[int]:
    examples = graph.examples()
    return [size if isinstance(size, int) else examples[str(size)] for size in value.type.shape]


DILATED = [
    "conv2d: {out_channels: 2, kernel_size: 3, padding: 1}",
    "conv2d: {out_channels: 2, kernel_size: 3, padding: 2, dilation: 2}",
    "conv2d: {out_channels: 2, kernel_size: 3, padding: 4, dilation: 4}",
    "conv2d: {out_channels: 2, kernel_size: 3, padding: 8, dilation: 8}",
]
HOURGLASS = [
    "conv2d: {out_channels: 2, kernel_size: 5, stride: 2, padding: 2}\n    id: smaller",
    "max_pool2d: {kernel_size: 3, stride: 2, padding: 1}\n    id: quarter",
    "conv_transpose2d: {out_channels: 2, kernel_size: 4, stride: 2, padding: 1}",
    "add:\n    from: [x, smaller]",
    "interpolate: {scale_factor: 2, mode: bilinear}",
    "conv2d: {out_channels: 2, kernel_size: 3, padding: 1}",
]


SMALL = ("dilated", "hourglass", "resnet18", "googlenet")


@pytest.mark.parametrize(
    ("graph", "places"),
    [
        pytest.param(graph, places, id=name, marks=[pytest.mark.slow] * (name not in SMALL))
        for name, graph, places in [
            ("dilated", lambda: network("a: [1, 1, 64, 64]", *DILATED), [32]),
            ("hourglass", lambda: network("a: [1, 1, 64, 64]", *HOURGLASS), range(28, 36)),
            ("resnet18", lambda: _tapped("resnet18", "stage.2", 288), [9]),
            ("resnet50_v1", lambda: _tapped("resnet50_v1", "stage.1", 160), [10]),
            ("vgg11", lambda: _tapped("vgg11", "flatten", 224, "adaptive_avg_pool2d"), [3]),
            ("googlenet", lambda: _tapped("googlenet", "stage.0", 224), [14]),
            ("densenet", lambda: _tapped("densenet121", "dense.0", 96), [12]),
            (
                "unet",
                lambda: graphc.compile("unet", set={"width": 1}, size={"H": 412, "W": 412}),
                [110, 113, 117, 124],
            ),
        ]
    ],
)
def test_a_networks_field_is_where_its_gradients_are(
    graph: Callable[[], Graph], places: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = graph()
    *_, output = made.outputs.values()
    ((_, field),) = ((it.input, it) for it in receptive_field(made, output))
    module = with_single(made)
    for place in places:
        told = [axis.at(place) for axis in field.axes.values()]
        assert seen_by_gradients(module, place, monkeypatch) == told


def with_single(graph: Graph) -> Graph:
    """The graph with its last output alone."""
    *_, (name, value) = graph.outputs.items()
    graph.outputs = {name: value}
    return graph


def _tapped(address: str, path: str, size: int, found: str | None = None) -> Graph:
    """A network with the value at a path as its last output."""
    graph = graphc.compile(address, set={"size": size} if address == "googlenet" else {"H": size, "W": size})
    return with_taps(graph, [found or path])


@pytest.mark.parametrize(
    ("address", "path", "size", "stride"),
    [
        ("alexnet", "adaptive_avg_pool2d", "195", "32"),  # Araujo et al. 2019, table 1: alexnet_v2
        ("vgg16", "adaptive_avg_pool2d", "212", "32"),  # the same: vgg_16
        ("resnet50_v1", "stage.3", "483", "32"),  # the same: resnet_v1_50, whose stride is in the 1×1
        ("resnet152_v1", "stage.3", "1507", "32"),  # the same: resnet_v1_152
    ],
)
def test_published_figures_are_met(address: str, path: str, size: str, stride: str) -> None:
    graph = with_taps(graphc.compile(address), [path])
    ((field),) = receptive_field(graph, graph.outputs[path])
    assert (field.sizes, field.strides) == ((size, size), (stride, stride))


def test_three_small_kernels_see_what_a_large_one_does() -> None:
    """Simonyan & Zisserman 2014, 2.3: three 3×3 layers see 7×7."""
    graph = network("a: [1, 1, 9, 9]", *["conv2d: {out_channels: 1, kernel_size: 3}"] * 3)
    ((field),) = receptive_field(graph, graph.outputs["y"])
    assert field.sizes == ("7", "7")


def test_what_sees_everything_is_global() -> None:
    for address in ("vit_b_16", "efficientnet_b0", "senet", "resnet18"):
        graph = graphc.compile(address)
        *_, output = graph.outputs.values()
        assert {size for field in receptive_field(graph, output) for size in field.sizes} == {"global"}, address
    patches = graphc.compile("vit_b_16")
    found = fields(patches)
    kinds = {node.path: found[node.output][0].sizes for node in patches.nodes if found[node.output]}
    assert kinds["patch_embedding"] == kinds["encoder.0.attend.layer_norm"] == ("16", "16")
    assert kinds["encoder.0.attend.self_attention.attention.attention"] == ("global", "global")


def test_an_op_without_a_rule_makes_it_unknown_and_never_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Relu, "sees", lambda *_: None)
    graph = network(IMAGE, "relu:", "conv2d: {out_channels: 2, kernel_size: 3}", "mean: {dim: [2, 3], keepdim: true}")
    ((field),) = receptive_field(graph, graph.outputs["y"])
    assert field.sizes == ("unknown", "unknown")
