"""What an op says of operands, and what torch makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import torch
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from graphc.demands import Relation
from graphc.dims import Size, substitute, symbol
from graphc.ops import Op
from graphc.ops.base import KEPT
from graphc.tensor import Tensor
from interpreter import concrete
from optable.case import REFUSALS, Attributes, Oracle, as_ints

COUNTED = {
    "masked_conv2d",
    *(f"{kind}{axes}d" for kind in ("conv", "conv_transpose") for axes in (1, 2, 3)),
    "linear",
    "matmul",
}


def accepts(op: Op, operands: Sequence[Tensor], **sizes: int) -> bool:
    """Whether all that an op requires holds at these sizes; a requirement may rely on those before it."""
    for requirement in op.requires(*operands):
        condition = requirement.condition
        assert requirement.message
        if not (condition.holds(sizes) if isinstance(condition, Relation) else condition):
            return False
    return True


def refused(op: Op, operands: Sequence[Tensor]) -> list[str]:
    """What is said about the first requirement that can't hold."""
    return list(islice((r.message for r in op.requires(*operands) if r.condition is False), 1))


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


def assert_types_are_torchs(op: Op, operands: Sequence[Tensor], wanted: Sequence[torch.Tensor]) -> None:
    found = outputs(op, operands)
    shapes = [tuple(value.shape) for value in wanted]
    assert [concrete(kind, {}, shape) for kind, shape in zip(found, shapes, strict=True)] == shapes
    most = op.most(*operands)
    if most is not None:
        assert max(shapes[0][axis] for axis, size in enumerate(found[0].shape) if size == KEPT) <= int(str(most))
    assert [kind.dtype for kind in found] == [str(value.dtype).removeprefix("torch.") for value in wanted]


def assert_weights_are_torchs(op: Op, operands: Sequence[Tensor], module: torch.nn.Module) -> None:
    ours = op.weights(*operands)
    theirs = module.state_dict()
    assert {name: weight.shape for name, weight in ours.items()} == {name: tuple(w.shape) for name, w in theirs.items()}
    assert {f"torch.{weight.dtype}" for weight in ours.values()} == {str(w.dtype) for w in theirs.values()}
    assert [name for name, weight in ours.items() if weight.buffer] == [name for name, _ in module.named_buffers()]
    assert [weight.count for weight in ours.values()] == [w.numel() for w in theirs.values()]


def assert_cost_is_half_of_torchs_flops(op: Op, operands: Sequence[Tensor], module: torch.nn.Module) -> None:
    if op.name in COUNTED and min(operand.rank for operand in operands) < 2:
        return  # torch does not count a matrix times a vector
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


def assert_free_sizes_come_to_the_same(
    op: Op, operands: Sequence[Tensor], free: Sequence[Tensor], sizes: dict[str, int]
) -> None:
    """Operands with free sizes are taken where the same with numbers are, and give the same."""
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
