"""Arithmetic, comparisons and choices."""

from __future__ import annotations

from graphc.graph import Value
from graphc.ops import Op, arithmetic, choice, compare
from graphc_onnx.reader.entries import Known, Stored, UnreadError
from graphc_onnx.reader.entries import known as known_of
from graphc_onnx.reader.site import Site, reads

TWO: dict[str, type[Op]] = {
    "Add": arithmetic.Add,
    "And": choice.LogicalAnd,
    "Equal": compare.Eq,
    "Greater": compare.Gt,
    "GreaterOrEqual": compare.Ge,
    "Less": compare.Lt,
    "LessOrEqual": compare.Le,
    "Mul": arithmetic.Multiply,
    "Or": choice.LogicalOr,
    "Pow": arithmetic.Pow,
    "Sub": arithmetic.Subtract,
    "Xor": choice.LogicalXor,
}
"""Operators of two operands that are an op of ours."""
SEVERAL: dict[str, type[Op]] = {"Max": choice.Maximum, "Min": choice.Minimum, "Sum": arithmetic.Add}


@reads(*TWO)
def binary(site: Site) -> Value:
    return site.give(TWO[site.operator](), *_operands(site))


@reads("Div")
def divide(site: Site) -> Value:
    """Of whole numbers ONNX drops the fraction, which is the floor where none is negative: not known here."""
    if site.type(0).dtype != "float32":
        raise UnreadError("Div: of whole numbers")
    return site.give(arithmetic.Divide(), *_operands(site))


@reads(*SEVERAL)
def several(site: Site) -> Value:
    if len(site.inputs) == 1:
        return site.value(0)
    return site.give(SEVERAL[site.operator](), *(site.entry(index) for index in range(len(site.inputs))))


@reads("Where")
def where(site: Site) -> Value:
    return site.give(compare.Where(), *(site.value(index) for index in range(3)))


def _operands(site: Site) -> tuple[Value | Known | Stored, Value | Known | Stored]:
    """The operands; one that is a single number stays one, which only adds no axes."""
    left, right = site.entry(0), site.entry(1)
    ranks = [len(each.type.shape) for each in (left, right) if isinstance(each, Value)]
    for each in (left, right):
        found = None if isinstance(each, Value) else known_of(each)
        if found is not None and found.array.size == 1 and found.array.ndim > max(ranks, default=0):
            raise UnreadError(f"{site.operator}: a number adds axes")
    return left, right
