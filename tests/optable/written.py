"""An op with its operands as a spec, and what graphc says of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from graphc import dims, library
from graphc.compiler import compile_spec
from graphc.diagnostics import Diagnostic, SpecError
from graphc.dims import Dim
from graphc.opmanual.example import graph_of
from graphc.ops import Op
from graphc.tensor import Tensor
from optable.case import Attributes

HEAD = "graphc: 1\nname: table\n"
LARGE = 36
"""The example of a free size whose example does not matter."""


def spec(name: str, attributes: Attributes, operands: Sequence[Tensor], sizes: Mapping[str, int]) -> str:
    """A spec of one step; its free sizes have these examples, or large ones."""
    free = dict.fromkeys(symbol for operand in operands for size in operand.shape for symbol in symbols(size))
    free |= dict.fromkeys(symbol for value in attributes.values() for symbol in symbols(value))
    inputs = {f"input_{place}": operand for place, operand in enumerate(operands)}
    given = {key: f"{{shape: [{', '.join(map(str, k.shape))}], dtype: {k.dtype}}}" for key, k in inputs.items()}
    given |= {f"size_{name}": f"[{name}]" for name in free if not operands}
    examples = "dims: {" + ", ".join(f"{name}: {sizes.get(name, LARGE)}" for name in free) + "}\n" if free else ""
    step = "{" + ", ".join(f"{key}: {yaml(value)}" for key, value in attributes.items()) + "}"
    source = f"    from: [{', '.join(inputs)}]\n" if inputs else ""
    lines = "{" + ", ".join(f"{key}: {kind}" for key, kind in given.items()) + "}" if given else "[]"
    return f"{HEAD}{examples}inputs: {lines}\ngraph:\n  - {name}: {step}\n{source}"


def symbols(thing: object) -> set[str]:
    """The free sizes in a size, or in an attribute."""
    if isinstance(thing, tuple):
        return set().union(*map(symbols, thing))
    return dims.symbols(thing) if isinstance(thing, Dim) else set()


def yaml(value: object) -> str:
    """An attribute as a spec has it."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(yaml, value))}]"
    if value is None:
        return "none"
    return str(value) if isinstance(value, (Dim, float)) and not isinstance(value, bool) else json.dumps(value)


def said(
    name: str, attributes: Attributes, operands: Sequence[Tensor], sizes: Mapping[str, int] = MappingProxyType({})
) -> list[Diagnostic]:
    """All that is wrong with a spec of one step."""
    try:
        compile_spec(library.parse(spec(name, attributes, operands, sizes), "<table>"))
    except SpecError as error:
        return list(error.diagnostics)
    return []


def operands_of_example(op: type[Op]) -> list[Tensor]:
    """What an op takes in the manual."""
    return [kind for kind in graph_of(op).nodes[-1].inputs if kind is not None]
