"""Every op against torch, ONNX Runtime and the spec language, from its row in `optable`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from inspect import Parameter, signature
from itertools import product
from math import prod

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from onnxruntime.capi.onnxruntime_pybind11_state import NotImplemented as WithoutKernelError
from pydantic import ValidationError
from torch import nn
from torch.nn import functional

import graphc.ops
import graphc_onnx
import graphc_onnx.lowerings
import graphc_torch.layer
import graphc_torch.lowerings
import optable
from graphc.backends import lowering
from graphc.demands import Relation
from graphc.diagnostics import SpecError
from graphc.dims import symbols
from graphc.graph import Graph, Value
from graphc.opmanual.example import graph_of as example_of
from graphc.ops import OPS, Op
from graphc.ops.norm import GroupNorm
from graphc.ops.patches import MaxUnpool2d
from graphc.ops.places import Scatter, TopK
from graphc.ops.pool import MaxPool1d, MaxPool2d, MaxPool3d
from graphc.ops.source import NormalLike
from graphc.tensor import Tensor
from graphc_onnx.assemble import LOWEST_OPSET
from graphc_torch.layer import Call, layer_of
from interpreter import REFERENCES, Array, concrete, feeds_of, random_weights, run_in_torch
from optable import CASES, ROWS
from optable.case import as_ints
from optable.checks import (
    accepts,
    assert_cost_is_half_of_torchs_flops,
    assert_free_sizes_come_to_the_same,
    assert_types_are_torchs,
    assert_weights_are_torchs,
    symbolic,
    torch_result,
)
from optable.operands import SIZES
from optable.row import Refusal, Wrong
from optable.running import (
    arrays,
    assert_close,
    assert_shapes_agree,
    graph_of,
    in_torch,
    names,
    session,
)
from optable.written import operands_of_example, said

NEWEST_OPSET_OF_ORT = 26
RANDOM = {"normal_like"}
"""Ops that give other numbers each time."""
UNWRITTEN = (
    "it pools no whole numbers",
    "output_padding exceeds stride - 1 + padding",
)
"""What ONNX has no form for, as it is said."""
WITHOUT_KERNEL = {"roi_align": 22, "roi_pool": 22}
"""Ops for whose operator ONNX Runtime has no kernel from this opset on; a lower one is the default."""
PACKAGES = {"functional": functional, "nn": nn, "torch": torch}
every_op = pytest.mark.parametrize("name", ROWS)
op_cases = pytest.mark.parametrize(("op", "operands"), CASES, ids=names(CASES))


# --- the table is whole


def test_every_op_has_a_row_in_its_family() -> None:
    ours = {family.__name__.rpartition(".")[2]: sorted(graphc.ops.ops_of([family])) for family in graphc.ops.FAMILIES}
    assert {family.__name__.rpartition(".")[2]: list(family.ROWS) for family in optable.FAMILIES} == ours
    assert sorted(ROWS) == sorted(OPS)


def test_every_op_has_a_reference_and_a_settled_case() -> None:
    assert set(REFERENCES) == {OPS[name] for name in ROWS}
    assert {type(op) for op, _ in CASES} | {NormalLike} == set(REFERENCES)


@every_op
def test_every_op_has_what_it_refuses(name: str) -> None:
    """Operands where it requires something of them, attributes where it has some."""
    assert bool(ROWS[name].refused) == (OPS[name].requires is not Op.requires)
    assert bool(ROWS[name].wrong) or not OPS[name].model_fields


@every_op
def test_both_backends_lower_it_or_say_why_not(name: str) -> None:
    told = {}
    for backend, lowers in lowering().items():
        try:
            told[backend] = lowers(example_of(OPS[name]))
        except SpecError as error:
            told[backend] = error.diagnostics[0].message
    assert sorted(told) == ["onnx", "torch"]
    assert all(told.values())


@every_op
@pytest.mark.parametrize(
    ("dispatch", "beside"),
    [(graphc_torch.layer.lower.dispatch, 1), (graphc_onnx.lowerings.lower.dispatch, 2)],
    ids=["torch", "onnx"],
)
def test_lowerings_take_the_operands_of_infer(
    name: str, dispatch: Callable[[type], Callable[..., object]], beside: int
) -> None:
    """By their names, or all as `*operands`; no type checker sees a lowering with too few."""
    found = list(signature(dispatch(OPS[name])).parameters.values())[beside:]
    if [parameter.kind for parameter in found] == [Parameter.VAR_POSITIONAL]:
        return
    taken = [(p.name, p.kind is Parameter.VAR_POSITIONAL) for p in found]
    assert taken == [(slot.name, slot.variadic) for slot in OPS[name].slots()]
    needed = [p.name for p in found if p.default is Parameter.empty and p.kind is not Parameter.VAR_POSITIONAL]
    assert set(needed) <= {slot.name for slot in OPS[name].slots() if not slot.optional}


# --- random cases


@every_op
@given(data=st.data())
def test_what_torch_takes_and_gives_is_taken_and_given(name: str, data: st.DataObject) -> None:
    """Also its weights and costs; and what torch refuses is refused."""
    oracle = ROWS[name].oracle
    attributes, operands = data.draw(oracle.cases)
    op = OPS[name].model_validate(attributes)
    wanted = torch_result(oracle, attributes, operands)
    assert accepts(op, operands) == (wanted is not None)
    assert_free_sizes_come_to_the_same(op, operands, *data.draw(symbolic(operands)))
    if wanted is not None:
        module = oracle.module(attributes, operands)
        assert_types_are_torchs(op, operands, wanted)
        assert_weights_are_torchs(op, operands, module)
        assert_cost_is_half_of_torchs_flops(op, operands, module)


@every_op
@given(data=st.data())
@settings(max_examples=10)
def test_both_backends_give_the_values_of_torch(name: str, data: st.DataObject) -> None:
    """All outputs, from random weights: shapes and element types are the same, numbers nearly."""
    attributes, operands = data.draw(ROWS[name].oracle.cases.filter(lambda case: taken(name, case)))
    op = OPS[name].model_validate(attributes)
    graph = graph_of(op, *operands, whole=True)
    weights, fed = random_weights(graph), feeds_of(op, graph, {})
    inputs = {name: fed[name].astype(value.type.dtype) for name, value in graph.inputs.items()}
    values = run_in_torch(graph, weights, inputs)
    wanted = [values[value] for value in graph.outputs.values()]
    (written,) = in_torch(graph, weights, inputs)
    for ours in (written, *in_onnx_where_it_can_be(graph, weights, inputs)):
        for value, array, expected in zip(graph.outputs.values(), ours, wanted, strict=True):
            assert (array.shape, str(array.dtype)) == (concrete(value.type, {}, array.shape), value.type.dtype)
            if name not in RANDOM and not is_one_of_several(op, value, operands):
                assert_close(array, expected, nan=True)


def is_one_of_several(op: Op, value: Value, operands: Sequence[Tensor]) -> bool:
    """Whether an output says where an element is, and equal elements are likely: PyTorch doesn't say which it takes."""
    return isinstance(op, TopK) and value.name == "indices" and operands[0].dtype == "int64"


def in_onnx_where_it_can_be(
    graph: Graph, weights: dict[str, Array], inputs: dict[str, Array]
) -> Iterator[Sequence[Array]]:
    """What ONNX Runtime gives; nothing where ONNX has no form for it, for one of the reasons that are known."""
    try:
        model = graphc_onnx.model(graph, weights=weights)
    except SpecError as error:
        said_why = error.diagnostics[0].message
        if not said_why.endswith(UNWRITTEN):
            raise
        return
    yield session(model).run(None, inputs)


def taken(name: str, case: tuple[dict[str, object], Sequence[Tensor]]) -> bool:
    """Whether the op takes a drawn case, and its values are told by the operands."""
    attributes, operands = case
    op = OPS[name].model_validate(attributes)
    return accepts(op, operands) and (type(op) not in SOUND or SOUND[type(op)](op, *operands))


SOUND: dict[type[Op], Callable[..., bool]] = {
    GroupNorm: lambda op, x: prod(as_ints(x)[1:]) > op.num_groups,
    MaxUnpool2d: lambda op, x, *more: prod(as_ints(x)[2:]) <= prod(as_ints(op.infer(x, *more))[2:]),
    **dict.fromkeys((MaxPool1d, MaxPool2d, MaxPool3d), lambda op, x: not (is_spread(op.dilation) and op.padding)),
    Scatter: lambda op, index, source: as_ints(index)[0] <= as_ints(op.infer(index, source))[0],
}
"""Where the values are more than rounding or chance: of a single number in a group nothing is left but rounding; a
window with gaps may see padding alone, whose largest element is -∞ in PyTorch and the least float32 in ONNX Runtime;
of two numbers that go to one place one stays."""


def is_spread(dilation: int | tuple[int, ...]) -> bool:
    """Whether a window has gaps."""
    return dilation != 1 if isinstance(dilation, int) else set(dilation) != {1}


# --- settled cases


@op_cases
def test_onnx_equals_torch_at_two_sizes_from_one_file(op: Op, operands: tuple[Tensor, ...]) -> None:
    graph = graph_of(op, *operands)
    weights = random_weights(graph)
    model = graphc_onnx.model(graph, weights=weights)
    run = session(model).run
    for sizes in SIZES:
        inputs = feeds_of(op, graph, sizes)
        (ours,) = run(None, inputs)
        assert_close(ours, run_in_torch(graph, weights, inputs)[graph.outputs["output"]])
        assert ours.shape == concrete(graph.outputs["output"].type, sizes, ours.shape)
        assert_shapes_agree(graph, model, sizes)


@op_cases
@pytest.mark.parametrize("opset", [LOWEST_OPSET, NEWEST_OPSET_OF_ORT])
def test_onnx_runs_in_every_opset(op: Op, operands: tuple[Tensor, ...], opset: int) -> None:
    graph = graph_of(op, *operands)
    model = graphc_onnx.model(graph, opset=opset)
    assert model.opset_import[0].version >= opset
    if opset >= WITHOUT_KERNEL.get(op.name, opset + 1):
        with pytest.raises(WithoutKernelError, match="Could not find an implementation"):
            session(model)
        return
    session(model).run(None, feeds_of(op, graph, SIZES[0]))


@op_cases
def test_the_written_module_equals_torch(op: Op, operands: tuple[Tensor, ...]) -> None:
    graph = graph_of(op, *operands)
    weights, inputs = random_weights(graph), [feeds_of(op, graph, sizes) for sizes in SIZES]
    for given_, (found,) in zip(inputs, in_torch(graph, weights, *inputs), strict=True):
        assert_close(found, run_in_torch(graph, weights, given_)[graph.outputs["output"]])


@op_cases
def test_module_and_function_are_the_same(op: Op, operands: tuple[Tensor, ...]) -> None:
    graph = graph_of(op, *operands)
    layer = layer_of(graph.nodes[0])
    if layer.module is None or layer.function is None:
        return
    (value,) = arrays(feeds_of(op, graph, SIZES[0])).values()
    for ours, theirs in zip(results(layer.module, value), results(layer.function, value), strict=True):
        assert_close(ours.numpy(), theirs.numpy())


def results(call: Call, operand: torch.Tensor) -> Sequence[torch.Tensor]:
    """What a module or a function makes of a value."""
    package, _, name = call.name.partition(".")
    target = getattr(PACKAGES[package], name)
    given_ = [argument.value for argument in call.arguments if argument.positional]
    named = {argument.name: argument.value for argument in call.arguments if not argument.positional}
    is_module = isinstance(target, type)
    found = target(*given_, **named)(operand) if is_module else target(operand, *given_, **named)
    return [found] if isinstance(found, torch.Tensor) else list(found)


# --- what is refused, and what a spec is told

REFUSALS = [pytest.param(name, case, id=f"{name}-{case.message}") for name in ROWS for case in ROWS[name].refused]
WRONG = [pytest.param(name, case, id=f"{name}-{case.attributes}") for name in ROWS for case in ROWS[name].wrong]


@pytest.mark.parametrize(("name", "case"), REFUSALS)
def test_operands_that_are_refused_are_told_why(name: str, case: Refusal) -> None:
    """One of free sizes where it does not hold: a demand on one size, which is then the example's, has it in a note."""
    op = OPS[name].model_validate(case.attributes)
    first = next(requirement for requirement in op.requires(*case.operands) if requirement.condition is not True)
    assert case.message in first.message
    sizes = failing(first.condition) if isinstance(first.condition, Relation) else {}
    (found,) = (told for told in said(name, case.attributes, case.operands, sizes) if told.severity == "error")
    assert found.code == case.code
    told = [found.message] if case.code == "E501" else [note.message for note in found.notes]
    assert any(f"{name}: {first.message}" in line for line in told)


def failing(condition: Relation) -> dict[str, int]:
    """Small sizes at which a relation does not hold."""
    free = sorted(symbols(condition.left) | symbols(condition.right))
    tried = (dict(zip(free, sizes, strict=True)) for sizes in product(range(1, 9), repeat=len(free)))
    return next(sizes for sizes in tried if not condition.holds(sizes))


@pytest.mark.parametrize(("name", "case"), WRONG)
def test_wrong_attributes_are_told(name: str, case: Wrong) -> None:
    with pytest.raises(ValidationError):
        OPS[name].model_validate(case.attributes)
    if case.message:
        told = said(name, case.attributes, operands_of_example(OPS[name]))
        assert any(found.code == case.code and found.message.startswith(case.message) for found in told)
