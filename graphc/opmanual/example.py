"""The step that shows an op: as it stands in a spec, and as the graph that comes of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import chain, repeat

from graphc.graph import Graph
from graphc.ops import Op

SIZES = {"N": 2, "C": 8, "L": 24, "T": 12, "S": 10, "K": 6, "D": 16, "R": 5, "H": 24, "W": 24}
"""The sizes at which an example is shown."""
LETTERS = "abcdefgh"
_FREE = re.compile(r"\b[A-Z]\b")


@cache
def graph_of(op: type[Op]) -> Graph:
    """The graph of the example, whose last step is the op.

    Raises:
        graphc.diagnostics.SpecError: the example is none that the op takes.
    """
    from graphc import library
    from graphc.compiler import compile_spec

    return compile_spec(library.parse(spec_of(op), "<example>"))[0]


def spec_of(op: type[Op]) -> str:
    """The example as a whole spec."""
    inputs = ", ".join(f"{name}: {_written(kind)}" for name, kind in operands_of(op).items())
    free = dict.fromkeys(_FREE.findall(inputs))
    dims = [f"dims: {{{', '.join(f'{name}: {SIZES[name]}' for name in free)}}}"] if free else []
    given = f"inputs: {{{inputs}}}" if inputs else "inputs: []"
    return "\n".join(["graphc: 1", "name: example", *dims, given, "graph:", *_indented(step_of(op)), ""])


def step_of(op: type[Op]) -> str:
    """The step alone."""
    names = list(operands_of(op))
    if len(names) < 2:
        return f"- {op.name}: {op.example}" if op.example else f"- {op.name}"
    return f"- {op.name}: {op.example}".rstrip() + f"\n  from: [{', '.join(names)}]"


def operands_of(op: type[Op]) -> Mapping[str, str]:
    """The inputs of the example by name, each with its type."""
    names = list(_names(op))
    return dict(zip(names, chain(op.operands, repeat(op.operands[-1])), strict=False))


def _names(op: type[Op]) -> Iterator[str]:
    """A name for each operand of the example; optional ones only where their types are given."""
    for number, slot in enumerate(op.slots()):
        if slot.variadic:
            yield from LETTERS[: max(2, len(op.operands) - number)]
        elif not slot.optional or number < len(op.operands):
            yield slot.name


def _written(kind: str) -> str:
    """A type as `inputs` has it."""
    dtype, _, shape = kind.partition("[")
    return f"{{shape: [{shape}, dtype: {dtype.strip()}}}" if dtype else kind


def _indented(text: str) -> Iterator[str]:
    return (f"  {line}" for line in text.splitlines())
