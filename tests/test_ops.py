"""Every op against torch: shapes, element types, weights, costs, and what is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import islice
from typing import Any, TypeAlias, get_args

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from graphc.demands import Relation
from graphc.dims import Size, substitute, symbol
from graphc.ops import OPS, Op
from graphc.tensor import DType, Tensor

Attributes: TypeAlias = dict[str, Any]
Case: TypeAlias = tuple[Attributes, Sequence[Tensor]]
REFUSALS = (RuntimeError, ValueError, IndexError, NotImplementedError)


@dataclass(frozen=True)
class Oracle:
    """How torch does an op: random attributes and operands, and the module that attributes and operands make."""

    cases: st.SearchStrategy[Case]
    module: Callable[[Attributes, Sequence[Tensor]], nn.Module]


class Apply(nn.Module):
    """A function as a module."""

    def __init__(self, function: Callable[..., torch.Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *operands: torch.Tensor) -> torch.Tensor:
        return self.function(*operands)


# --- random attributes and operands


sizes = st.integers(1, 9)
channels = st.integers(1, 6)
mostly: list[DType] = ["float32"] * 12
dtypes: st.SearchStrategy[DType] = st.sampled_from([*mostly, "int64", "bool"])
flags = st.booleans()


def extents(least: int, most: int) -> st.SearchStrategy[int | tuple[int, ...]]:
    """One number, one for each axis, now and then one too many."""
    number = st.integers(least, most)
    several = st.sampled_from([2] * 9 + [3]).flatmap(lambda axes: st.tuples(*[number] * axes))
    return st.one_of(number, number, several)


@st.composite
def images(draw: st.DrawFn, ranks: Sequence[int] = (*[4] * 12, 2, 5)) -> Tensor:
    """Mostly [N, C, H, W]; not [C, H, W], which torch takes and we do not."""
    rank = draw(st.sampled_from(ranks))
    shape = [draw(st.integers(1, 2)), draw(channels), *(draw(sizes) for _ in range(rank - 2))]
    return Tensor(tuple(shape), draw(dtypes))


@st.composite
def values(draw: st.DrawFn, least: int = 0, most: int = 5) -> Tensor:
    shape = draw(st.lists(st.integers(1, 4), min_size=least, max_size=most))
    return Tensor(tuple(shape), draw(dtypes))


def one(operand: st.SearchStrategy[Tensor], **attributes: st.SearchStrategy[Any]) -> st.SearchStrategy[Case]:
    """Cases of an op with one operand; each attribute may also be left out where it has a default."""
    required = {name: value for name, value in attributes.items() if not name.endswith("_")}
    optional = {name.rstrip("_"): value for name, value in attributes.items() if name.endswith("_")}
    return st.tuples(st.fixed_dictionaries(required, optional=optional), operand.map(lambda value: (value,)))


@st.composite
def similar(draw: st.DrawFn) -> Sequence[Tensor]:
    """Values whose sizes agree, or nearly so: some are 1, some differ, some lack the first axes."""
    whole = draw(values())
    found = []
    for _ in range(draw(st.integers(2, 3))):
        shape = [draw(st.sampled_from([size] * 12 + [1, 1, size + 1])) for size in whole.shape]
        cut = draw(st.sampled_from([0] * 6 + [1]))
        found.append(Tensor(tuple(shape[cut:]), draw(dtypes)))
    return found


@st.composite
def crops(draw: st.DrawFn) -> Sequence[Tensor]:
    input = draw(images())
    target = [draw(st.integers(1, 2)), draw(channels), *(draw(st.integers(1, 1 + s)) for s in as_ints(input)[2:])]
    return input, Tensor(tuple(target), draw(dtypes))


window = {"kernel_size": extents(1, 4), "stride_": extents(1, 3), "padding_": extents(0, 3), "dilation_": extents(1, 3)}
conv = {"out_channels": channels, "groups_": st.integers(1, 3), "bias_": flags}


# --- how torch does each


def as_ints(tensor: Tensor) -> tuple[int, ...]:
    assert all(isinstance(size, int) for size in tensor.shape)
    return tuple(int(str(size)) for size in tensor.shape)


def in_features(operands: Sequence[Tensor], axis: int) -> int:
    """The size that sets the number of weights."""
    shape = as_ints(operands[0])
    if not -len(shape) <= axis < len(shape):
        raise ValueError(f"no axis {axis} in {shape}")
    return shape[axis]


def norm(attributes: Attributes, operands: Sequence[Tensor]) -> nn.Module:
    kinds = {2: nn.BatchNorm1d, 3: nn.BatchNorm1d, 4: nn.BatchNorm2d, 5: nn.BatchNorm3d}
    if operands[0].rank not in kinds:
        raise ValueError("no such BatchNorm")
    return kinds[operands[0].rank](in_features(operands, 1), **attributes).eval()


def center_crop(input: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """As in Ronneberger et al. 2015, figure 1."""
    if input.dim() != target.dim() or input.dim() < 3:
        raise ValueError("ranks")
    for axis in range(2, input.dim()):
        rest = input.shape[axis] - target.shape[axis]
        input = input.narrow(axis, rest // 2, target.shape[axis])
    return input


ORACLES: dict[str, Oracle] = {
    # with an output of 1 torch takes the mean of any number of axes
    "adaptive_avg_pool2d": Oracle(one(images([4]), output_size=extents(1, 5)), lambda a, _: nn.AdaptiveAvgPool2d(**a)),
    "add": Oracle(st.tuples(st.just({}), similar()), lambda a, _: Apply(lambda *operands: reduce(torch.add, operands))),
    "batch_norm": Oracle(
        one(
            values(least=1),
            eps_=st.sampled_from([1e-5, 0.5]),
            momentum_=st.sampled_from([0.1, 0.0, 1.0]),
            affine_=flags,
            track_running_stats_=flags,
        ),
        norm,
    ),
    "center_crop": Oracle(st.tuples(st.just({}), crops()), lambda a, _: Apply(center_crop)),
    "concat": Oracle(
        st.tuples(st.fixed_dictionaries({}, optional={"dim": st.integers(-3, 3)}), similar()),
        lambda a, _: Apply(lambda *operands: torch.cat(operands, a.get("dim", 1))),
    ),
    "conv2d": Oracle(one(images(), **window, **conv), lambda a, o: nn.Conv2d(in_features(o, 1), **a)),
    "conv_transpose2d": Oracle(
        one(images(), **window, **conv, output_padding_=extents(0, 2)),
        lambda a, o: nn.ConvTranspose2d(in_features(o, 1), **a),
    ),
    # with 0 or 1 torch takes whole numbers too
    "dropout": Oracle(one(values(), p_=st.sampled_from([0.1, 0.5])), lambda a, _: nn.Dropout(**a)),
    "flatten": Oracle(
        one(values(), start_dim_=st.integers(-4, 4), end_dim_=st.integers(-4, 4)), lambda a, _: nn.Flatten(**a)
    ),
    "identity": Oracle(one(values()), lambda a, _: nn.Identity()),
    "linear": Oracle(
        one(values(), out_features=channels, bias_=flags), lambda a, o: nn.Linear(in_features(o, -1), **a)
    ),
    "max_pool2d": Oracle(one(images(), **window, ceil_mode_=flags), lambda a, _: nn.MaxPool2d(**a)),
    "relu": Oracle(one(values()), lambda a, _: nn.ReLU()),
}


def test_every_op_is_compared_with_torch() -> None:
    assert list(ORACLES) == list(OPS) == sorted(OPS)
    assert [op.name for op in OPS.values()] == list(OPS)


# --- the comparison


def accepts(op: Op, operands: Sequence[Tensor], **sizes: int) -> bool:
    """Whether all that an op requires holds at these sizes; a requirement may rely on those before it."""
    for requirement in op.requires(*operands):
        condition = requirement.condition
        assert requirement.message
        if not (condition.holds(sizes) if isinstance(condition, Relation) else condition):
            return False
    return True


def outputs(op: Op, operands: Sequence[Tensor]) -> list[Tensor]:
    """The types of the outputs in order."""
    found = op.infer(*operands)
    return [found] if isinstance(found, Tensor) else list(found.values())


def torch_result(oracle: Oracle, attributes: Attributes, operands: Sequence[Tensor]) -> Sequence[torch.Tensor] | None:
    """What torch gives; None where it refuses, or where nothing is left: sizes are positive here."""
    try:
        module = oracle.module(attributes, operands)
        result = module(*map(torch_tensor, operands))
    except REFUSALS:
        return None
    found = (result,) if isinstance(result, torch.Tensor) else tuple(result)
    return found if all(value.numel() for value in found) else None


def torch_tensor(tensor: Tensor) -> torch.Tensor:
    return torch.zeros(as_ints(tensor), dtype=getattr(torch, tensor.dtype))


@pytest.mark.parametrize("name", OPS)
@given(data=st.data())
def test_shapes_are_torchs_and_what_torch_refuses_is_refused(name: str, data: st.DataObject) -> None:
    attributes, operands = data.draw(ORACLES[name].cases)
    op = OPS[name].model_validate(attributes)
    wanted = torch_result(ORACLES[name], attributes, operands)
    assert accepts(op, operands) == (wanted is not None)
    if wanted is not None:
        found = outputs(op, operands)
        assert [as_ints(kind) for kind in found] == [tuple(value.shape) for value in wanted]
        assert [kind.dtype for kind in found] == [str(value.dtype).removeprefix("torch.") for value in wanted]


@pytest.mark.parametrize("name", OPS)
@given(data=st.data())
def test_weights_are_torchs(name: str, data: st.DataObject) -> None:
    attributes, operands = data.draw(ORACLES[name].cases)
    op = OPS[name].model_validate(attributes)
    if not accepts(op, operands):
        return
    module = ORACLES[name].module(attributes, operands)
    ours = op.weights(*operands)
    theirs = module.state_dict()
    assert {name: weight.shape for name, weight in ours.items()} == {name: tuple(w.shape) for name, w in theirs.items()}
    assert {f"torch.{weight.dtype}" for weight in ours.values()} == {str(w.dtype) for w in theirs.values()}
    assert [name for name, weight in ours.items() if weight.buffer] == [name for name, _ in module.named_buffers()]
    assert [weight.count for weight in ours.values()] == [w.numel() for w in theirs.values()]


COUNTED = {"conv2d", "conv_transpose2d", "linear"}


@pytest.mark.parametrize("name", OPS)
@given(data=st.data())
def test_costs_are_half_of_torchs_flops(name: str, data: st.DataObject) -> None:
    attributes, operands = data.draw(ORACLES[name].cases)
    op = OPS[name].model_validate(attributes)
    if not accepts(op, operands) or (name in COUNTED and operands[0].rank < 2):
        return  # torch does not count a matrix times a vector
    module = ORACLES[name].module(attributes, operands)
    with FlopCounterMode(display=False) as counter:
        module(*map(torch_tensor, operands))
    assert op.macs(*operands) == counter.get_total_flops() // 2


@st.composite
def symbolic(draw: st.DrawFn, operands: Sequence[Tensor]) -> tuple[Sequence[Tensor], dict[str, int]]:
    """The operands with some sizes made free, but not a 1, which is another size than one that can be 1."""
    names: dict[str, int] = {}
    found = []
    for operand in operands:
        shape: list[Size] = []
        for size in as_ints(operand):
            name = draw(st.sampled_from([None, f"S{size}", f"S{size}", f"T{size}"])) if size > 1 else None
            shape.append(symbol(name) if name else size)
            names |= {name: size} if name else {}
        found.append(operand.with_shape(tuple(shape)))
    return found, names


@pytest.mark.parametrize("name", OPS)
@given(data=st.data())
def test_free_sizes_come_to_the_same_as_numbers(name: str, data: st.DataObject) -> None:
    attributes, operands = data.draw(ORACLES[name].cases)
    op = OPS[name].model_validate(attributes)
    free, sizes = data.draw(symbolic(operands))
    accepted = accepts(op, free, **sizes)
    if any("must be fixed" in message for message in refused(op, free)):
        return
    assert accepted == accepts(op, operands)
    if accepted:
        at = [tuple(substitute(size, sizes) for size in kind.shape) for kind in outputs(op, free)]
        assert at == [kind.shape for kind in outputs(op, operands)]
        macs = op.macs(*free)
        assert macs is not None
        assert substitute(macs, sizes) == op.macs(*operands)


def refused(op: Op, operands: Sequence[Tensor]) -> list[str]:
    """What is said about the first requirement that can't hold."""
    return list(islice((r.message for r in op.requires(*operands) if r.condition is False), 1))


# --- attributes that can't be


WRONG: list[tuple[str, Attributes]] = [
    ("conv2d", {}),
    ("conv2d", {"out_channels": 8}),
    ("conv2d", {"kernel_size": 3}),
    ("conv2d", {"out_channels": 0, "kernel_size": 3}),
    ("conv2d", {"out_channels": 8.0, "kernel_size": 3}),
    ("conv2d", {"out_channels": True, "kernel_size": 3}),
    ("conv2d", {"out_channels": "8", "kernel_size": 3}),
    ("conv2d", {"out_channels": 8, "kernel_size": 0}),
    ("conv2d", {"out_channels": 8, "kernel_size": (3, 0)}),
    ("conv2d", {"out_channels": 8, "kernel_size": None}),
    ("conv2d", {"out_channels": 8, "kernel_size": 3, "stride": 0}),
    ("conv2d", {"out_channels": 8, "kernel_size": 3, "padding": -1}),
    ("conv2d", {"out_channels": 8, "kernel_size": 3, "padding": "same"}),
    ("conv2d", {"out_channels": 8, "kernel_size": 3, "dilation": 0}),
    ("conv2d", {"out_channels": 8, "kernel_size": 3, "groups": 0}),
    ("conv2d", {"out_channels": 8, "kernel_size": 3, "bias": 1}),
    ("conv2d", {"out_channels": 8, "kernel_size": 3, "in_channels": 3}),
    ("conv_transpose2d", {"out_channels": 8, "kernel_size": 3, "output_padding": -1}),
    ("max_pool2d", {}),
    ("max_pool2d", {"kernel_size": 2, "ceil_mode": "true"}),
    ("adaptive_avg_pool2d", {"output_size": 0}),
    ("batch_norm", {"eps": -1.0}),
    ("batch_norm", {"eps": "1e-5"}),
    ("batch_norm", {"eps": float("inf")}),
    ("batch_norm", {"momentum": 2.0}),
    ("batch_norm", {"num_features": 3}),
    ("dropout", {"p": 1.5}),
    ("dropout", {"p": -0.5}),
    ("dropout", {"p": float("nan")}),
    ("linear", {"out_features": 0}),
    ("flatten", {"start_dim": 1.0}),
    ("relu", {"inplace": True}),
]


@pytest.mark.parametrize(("name", "attributes"), WRONG, ids=[f"{name}-{attributes}" for name, attributes in WRONG])
def test_wrong_attributes_are_refused(name: str, attributes: Attributes) -> None:
    with pytest.raises(ValidationError):
        OPS[name].model_validate(attributes)


@pytest.mark.parametrize("op", OPS.values(), ids=OPS)
def test_ops_say_what_they_are(op: type[Op]) -> None:
    assert op.__doc__
    assert op.main is None or op.main in op.model_fields
    assert op.slots()


# --- single cases worth a line


def test_the_last_window_of_ceil_mode_begins_inside_the_input() -> None:
    """torch.nn.MaxPool2d: windows that start in the padding behind the input are left out."""
    for size in range(1, 20):
        op = OPS["max_pool2d"].model_validate({"kernel_size": 2, "stride": 3, "padding": 1, "ceil_mode": True})
        wanted = nn.MaxPool2d(2, 3, 1, ceil_mode=True)(torch.zeros(1, 1, size, size))
        assert [kind.shape for kind in outputs(op, [Tensor((1, 1, size, size))])] == [tuple(wanted.shape)]


def test_images_need_a_batch() -> None:
    """torch takes [C, H, W] too; here a missing axis is a mistake."""
    op = OPS["conv2d"].model_validate({"out_channels": 8, "kernel_size": 3})
    assert not accepts(op, [Tensor((3, 9, 9))])


def test_element_types_are_those_of_torch() -> None:
    assert [str(getattr(torch, name)) for name in get_args(DType)] == ["torch.float32", "torch.int64", "torch.bool"]


H, W, N = symbol("H"), symbol("W"), symbol("N")


@pytest.mark.parametrize(
    ("name", "attributes", "shapes", "message"),
    [
        ("conv2d", {"out_channels": 8, "kernel_size": 3}, [(N, 3, 2, 9)], "a window of 3 must fit into 2"),
        ("conv2d", {"out_channels": 8, "kernel_size": 3}, [(N, H, 9, 9)], "the number of channels of [N, H, 9, 9]"),
        (
            "conv2d",
            {"out_channels": 8, "kernel_size": 3, "groups": 2},
            [(N, 3, 9, 9)],
            "groups 2 must divide the input",
        ),
        ("conv2d", {"out_channels": 9, "kernel_size": 3, "groups": 2}, [(N, 4, 9, 9)], "groups 2 must divide out_ch"),
        ("conv_transpose2d", {"out_channels": 8, "kernel_size": 1, "padding": 1}, [(N, 3, 2, 2)], "nothing is left"),
        ("max_pool2d", {"kernel_size": 2, "padding": 2}, [(N, 3, 8, 8)], "padding 2 must be at most half of kernel"),
        ("add", {}, [(N, 3, 8)], "adds two values or more, got 1"),
        ("add", {}, [(N, 3, 8), (N, 4, 8)], "the operands have sizes 3 and 4"),
        ("concat", {}, [(N, 3, H), (N, 4, W)], "along axis 2 the operands have H and W; only axis 1 may differ"),
        ("concat", {"dim": 5}, [(N, 3)], "dim 5 is not an axis of [N, 3]"),
        ("center_crop", {}, [(N, 3, 8, 8), (N, 3, 9, 8)], "can't cut 9 out of 8"),
        ("flatten", {"start_dim": 2, "end_dim": 1}, [(N, 3, 8)], "start_dim 2 lies behind end_dim 1"),
        ("linear", {"out_features": 8}, [(N, H)], "the last size of [N, H]"),
        ("batch_norm", {}, [(3,)], "needs a value with 2 or 3 or 4 or 5 axes, got [3] with 1"),
        ("batch_norm", {"track_running_stats": False}, [(1, 3)], "needs two values or more in each channel"),
    ],
)
def test_what_is_refused_says_why(
    name: str, attributes: Attributes, shapes: list[tuple[Size, ...]], message: str
) -> None:
    op = OPS[name].model_validate(attributes)
    said = next(r.message for r in op.requires(*map(Tensor, shapes)) if r.condition is not True)
    assert message in said
