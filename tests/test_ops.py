"""Single things about ops that are worth a line each; what holds of every op is in test_op_table.py."""

from __future__ import annotations

from typing import get_args

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from graphc.dims import Size, substitute
from graphc.initial import initial_value
from graphc.ops import OPS, Op
from graphc.tensor import DType, Tensor
from optable.case import Attributes, as_ints
from optable.checks import accepts, outputs, refused
from optable.index import bounds
from optable.operands import H, N, W

SOURCES = {"arange", "causal_mask", "constant", "full", "ones", "parameter", "sinusoid", "tensor", "zeros"}


@pytest.mark.parametrize("op", OPS.values(), ids=OPS)
def test_ops_say_what_they_are(op: type[Op]) -> None:
    assert op.__doc__
    assert op.main is None or op.main in op.model_fields
    assert op.slots() or op.name in SOURCES


def test_the_last_window_of_ceil_mode_begins_inside_the_input() -> None:
    """torch.nn.MaxPool2d: windows that start in the padding behind the input are left out."""
    for size in range(1, 20):
        op = OPS["max_pool2d"].model_validate({"kernel_size": 2, "stride": 3, "padding": 1, "ceil_mode": True})
        wanted = nn.MaxPool2d(2, 3, 1, ceil_mode=True)(torch.zeros(1, 1, size, size))
        assert [kind.shape for kind in outputs(op, [Tensor((1, 1, size, size))])] == [tuple(wanted.shape)]


def test_an_element_type_can_follow_from_an_attribute() -> None:
    """torch.clamp: a bound that is a real number makes the result one."""
    whole = Tensor((2,), "int64")
    assert [OPS["clamp"].model_validate({"min": bound}).infer(whole) for bound in (0, 0.0)] == [whole, Tensor((2,))]


def test_embeddings_begin_as_torchs() -> None:
    """torch.nn.Embedding: from the normal distribution, but 0 for the padding."""
    op = OPS["embedding"].model_validate({"num_embeddings": 500, "embedding_dim": 40, "padding_idx": -2})
    values = initial_value("table.weight", op.weights(Tensor((1,), "int64"))["weight"])
    assert not values[498].any()
    assert values[:498].mean() == pytest.approx(0, abs=0.03)
    assert values[:498].std() == pytest.approx(1, abs=0.03)


def test_images_need_a_batch() -> None:
    """torch takes [C, H, W] too; here a missing axis is a mistake."""
    op = OPS["conv2d"].model_validate({"out_channels": 8, "kernel_size": 3})
    assert not accepts(op, [Tensor((3, 9, 9))])


def test_element_types_are_those_of_torch() -> None:
    assert [str(getattr(torch, name)) for name in get_args(DType)] == ["torch.float32", "torch.int64", "torch.bool"]


def test_constants_of_different_types_differ() -> None:
    """In Python 1, 1.0 and True are equal; what is known of one must not be taken for the others."""
    kinds = {OPS["constant"].model_validate({"value": value}): value for value in (1, 1.0, True, 1)}
    assert [outputs(kind, [])[0].dtype for kind in kinds] == ["int64", "float32", "bool"]


def test_sizes_that_are_left_are_exact() -> None:
    """What is left of free sizes is written without a division where there is none."""
    image, rows = Tensor((N, 6, H, W)), Tensor((N, (H // 7) * (W // 7), 10))
    cases: list[tuple[str, Attributes, Tensor, tuple[Size, ...]]] = [
        ("reshape", {"shape": (N, -1, H, 2)}, image, (N, 3 * W, H, 2)),
        ("reshape", {"shape": (N * H, -1)}, image, (N * H, 6 * W)),
        ("reshape", {"shape": (-1, (H // 7) * 5)}, rows, (2 * N * (W // 7), (H // 7) * 5)),
        ("rearrange", {"pattern": "N (h w) C -> w N h C", "h": H // 7}, rows, (W // 7, N, H // 7, 10)),
    ]
    for name, attributes, value, shape in cases:
        op = OPS[name].model_validate(attributes)
        assert refused(op, [value]) == []
        assert [kind.shape for kind in outputs(op, [value])] == [shape]


def test_ops_with_other_sizes_differ() -> None:
    ops = {OPS["rearrange"].model_validate({"pattern": "(a b) -> b a", name: 2}) for name in ("a", "b", "a")}
    assert len(ops) == 2


free = st.sampled_from([H, H // 2, H - 1, 2 * H + 1, H - 5, -H, H - H // 3])


@given(
    size=free,
    start=st.one_of(bounds, free),
    stop=st.one_of(bounds, free),
    step=st.one_of(st.sampled_from([None, 1, 2, 3]), free),
    height=st.integers(1, 12),
)
def test_slices_with_free_bounds_are_pythons(
    size: Size, start: Size | None, stop: Size | None, step: Size | None, height: int
) -> None:
    op = OPS["getitem"].model_validate({"index": ((start, stop, step),)})
    at = [None if part is None else int(str(substitute(part, {"H": height}))) for part in (start, stop, step)]
    whole = as_ints(Tensor((substitute(size, {"H": height}),)))
    free_operand = [Tensor((size,))]
    if accepts(op, free_operand, H=height):
        left = len(range(*whole)[at[0] : at[1] : at[2]])
        assert left > 0
        assert substitute(outputs(op, free_operand)[0].shape[0], {"H": height}) == left


def test_the_annotations_of_the_base_are_read_once() -> None:
    """As texts pydantic would compile them again for each op, which one feels when graphc starts."""
    assert not [name for name, kind in vars(Op)["__annotations__"].items() if isinstance(kind, str)]
