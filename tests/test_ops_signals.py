"""Ops for signals and centred joining against torch, in the form of test_ops.py's and test_onnx.py's tables."""

from __future__ import annotations

import onnxruntime
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import graphc_onnx
import graphc_torch
from graphc.dims import substitute
from graphc.ops import OPS, Op
from graphc.ops.fourier import Fft2, Flip
from graphc.ops.join import Concat
from graphc.tensor import Tensor
from graphc_onnx.assemble import LOWEST_OPSET
from interpreter import feeds_of, random_weights, run_in_torch
from sketch import Sketch, tensor
from test_onnx import FLAGS, IMAGE, INTEGERS, NEWEST_OPSET_OF_ORT, SIZES, H, W, assert_close
from test_ops import (
    Apply,
    Attributes,
    Case,
    Oracle,
    accepts,
    as_ints,
    dims,
    one,
    outputs,
    symbolic,
    torch_result,
    values,
    with_axes,
)


def spectrum(x: torch.Tensor, **attributes: object) -> tuple[torch.Tensor, ...]:
    """torch also takes whole numbers, which we leave to `float`."""
    if not x.is_floating_point():
        raise ValueError("no real numbers")
    found = torch.fft.fft2(x, **attributes)
    return found.real, found.imag


def depth_concat(*operands: torch.Tensor, dim: int = 1) -> torch.Tensor:
    """Torch7's nn.DepthConcat: each operand narrow()ed into zeros, from ⌊(size - own) / 2⌋ on. Not for the channels."""
    rank = operands[0].dim()
    if any(x.dim() != rank for x in operands) or not -rank <= dim < rank:
        raise IndexError("no such axis")
    if any(x.shape[a] != operands[0].shape[a] for x in operands for a in range(min(2, rank)) if a != dim % rank):
        raise ValueError("other sizes differ")
    shape = [max(x.shape[a] for x in operands) for a in range(rank)]
    parts = []
    for x in operands:
        shape[dim] = x.shape[dim]
        part = torch.zeros(shape, dtype=torch.result_type(x, torch.zeros((), dtype=x.dtype)))
        middle = part
        for axis in range(rank):
            middle = middle.narrow(axis, (shape[axis] - x.shape[axis]) // 2, x.shape[axis])
        middle.copy_(x)
        parts.append(part)
    return torch.cat(parts, dim)


@st.composite
def maps(draw: st.DrawFn) -> Case:
    """Some maps, of nearly as many samples and channels, and of any size."""
    samples, channels, rank = draw(st.integers(1, 2)), draw(st.integers(1, 3)), draw(st.sampled_from([4, 4, 4, 3, 5]))
    found = []
    for _ in range(draw(st.integers(1, 3))):
        odd = draw(st.sampled_from([0] * 9 + [1]))
        space = [draw(st.integers(1, 5)) for _ in range(rank - 2)]
        found.append(Tensor((samples + odd, draw(st.integers(1, 3)) if draw(st.booleans()) else channels, *space)))
    return {"center": True} | draw(st.fixed_dictionaries({}, optional={"dim": st.integers(-4, 3)})), found


lengths = st.tuples(st.integers(1, 6), st.integers(1, 6))
ORACLES = {
    "concat": Oracle(maps(), lambda a, _: Apply(lambda *x: depth_concat(*x, dim=a.get("dim", 1)))),
    "fft2": Oracle(
        one(values(), s_=lengths, norm_=st.sampled_from(["backward", "ortho", "forward"])),
        lambda a, _: Apply(lambda x: spectrum(x, **a)),
    ),
    "flip": Oracle(
        one(values(), dims=st.one_of(dims, st.lists(dims, min_size=1, max_size=3).map(tuple))),
        lambda a, _: Apply(
            lambda x: torch.flip(with_axes(x), [a["dims"]] if isinstance(a["dims"], int) else a["dims"])
        ),
    ),
}


@pytest.mark.parametrize("name", ORACLES)
@given(data=st.data())
def test_shapes_are_torchs_and_what_torch_refuses_is_refused(name: str, data: st.DataObject) -> None:
    attributes, operands = data.draw(ORACLES[name].cases)
    op = OPS[name].model_validate(attributes)
    wanted = torch_result(ORACLES[name], attributes, operands)
    assert accepts(op, operands) == (wanted is not None)
    if wanted is not None:
        assert [as_ints(kind) for kind in outputs(op, operands)] == [tuple(value.shape) for value in wanted]
        assert [f"torch.{kind.dtype}" for kind in outputs(op, operands)] == [str(value.dtype) for value in wanted]


@pytest.mark.parametrize("name", ORACLES)
@given(data=st.data())
def test_free_sizes_come_to_the_same_as_numbers(name: str, data: st.DataObject) -> None:
    attributes, operands = data.draw(ORACLES[name].cases)
    op = OPS[name].model_validate(attributes)
    free, sizes = data.draw(symbolic(operands))
    accepted = accepts(op, free, **sizes)
    assert accepted == accepts(op, operands)
    if accepted:
        at = [tuple(substitute(size, sizes) for size in kind.shape) for kind in outputs(op, free)]
        assert at == [kind.shape for kind in outputs(op, operands)]


CASES: list[tuple[Op, tuple[Tensor, ...]]] = [
    (Concat(center=True), (IMAGE, tensor("N", 2, 3, 4), tensor("N", 1, "h", "w"))),
    (Concat(center=True), (IMAGE, IMAGE)),
    (Concat(center=True), (tensor("N", 2, 5, 8), tensor("N", 1, 8, 5), tensor("N", 3, 1, 1))),
    (Concat(center=True, dim=-1), (IMAGE, tensor("N", 6, "h", 3))),
    (Concat(center=True), (tensor("N", 2, "H", dtype="int64"), tensor("N", 2, 30, dtype="int64"))),
    (Fft2(), (IMAGE,)),
    (Fft2(s=(16, 5)), (IMAGE,)),
    (Fft2(s=(2 * H, W // 2), norm="ortho"), (IMAGE,)),
    (Fft2(norm="forward"), (tensor("H", 7),)),
    (Flip(dims=(2, -1)), (IMAGE,)),
    (Flip(dims=1), (INTEGERS,)),
    (Flip(dims=(0,)), (FLAGS,)),
]


@pytest.mark.parametrize(("op", "operands"), CASES, ids=[f"{op.name}_{n}" for n, (op, _) in enumerate(CASES)])
@pytest.mark.parametrize("opset", [LOWEST_OPSET, 20, NEWEST_OPSET_OF_ORT])
def test_all_of_an_op_equals_torch_in_both_backends(op: Op, operands: tuple[Tensor, ...], opset: int) -> None:
    """The numbers of `interpreter` are plain sums and copies; one ONNX file serves two sizes."""
    sketch = Sketch(**{f"input_{number}": operand for number, operand in enumerate(operands)})
    first = sketch.add("op", op, *sketch.graph.inputs.values())
    graph = sketch.give(**{value.name or "output": value for value in first.node.outputs})
    model = graphc_onnx.model(graph, opset=opset)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    module = graphc_torch.module(graph)
    for sizes in SIZES:
        inputs = feeds_of(op, graph, sizes)
        known = run_in_torch(graph, random_weights(graph), inputs)
        wanted = [known[value] for value in graph.outputs.values()]
        found = module(*(torch.from_numpy(value) for value in inputs.values()))
        ours = [found] if isinstance(found, torch.Tensor) else found
        for number, (one_of_torch, one_of_onnx) in enumerate(zip(ours, session.run(None, inputs), strict=True)):
            assert_close(one_of_torch.numpy(), wanted[number])
            assert_close(one_of_onnx, wanted[number])


@pytest.mark.parametrize(
    ("op", "operands", "message"),
    [
        (Flip(dims=2), [tensor("N", 3)], "2 is not an axis of [N, 3]"),
        (Fft2(), [tensor("N")], "needs a value with at least two axes, got [N]"),
        (Concat(center=True), [IMAGE, tensor("N", 6, 3)], "have different numbers of axes"),
        (Concat(center=True), [IMAGE, tensor(3, 6, 3, 3)], "along axis 0 the operands have N and 3"),
    ],
)
def test_what_is_refused_says_why(op: Op, operands: list[Tensor], message: str) -> None:
    said = next(need.message for need in op.requires(*operands) if need.condition is not True)
    assert message in said


@pytest.mark.parametrize(("name", "attributes"), [("flip", {}), ("flip", {"dims": ()}), ("fft2", {"s": 3})])
def test_wrong_attributes_are_refused(name: str, attributes: Attributes) -> None:
    with pytest.raises(ValueError, match="validation error"):
        OPS[name].model_validate(attributes)
