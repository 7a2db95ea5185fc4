"""Names in the generated source: those of the spec, but where Python or the file already has one."""

from __future__ import annotations

import ast
from collections.abc import Collection
from importlib.resources import files

HELPERS_SOURCES = [(files("graphc_torch") / name).read_text("utf-8") for name in ("helpers.py", "region_helpers.py")]
"""The functions and modules that a file gets where it calls them."""
HELPERS = {
    item.name: ast.get_source_segment(source, item) or ""
    for source in HELPERS_SOURCES
    for item in ast.parse(source).body
    if isinstance(item, ast.FunctionDef | ast.ClassDef)
}
"""Each by its name."""

RESERVED = frozenset(
    (
        *HELPERS,
        *("self", "torch", "nn", "functional", "Tensor", "OrderedDict", "x"),
        *("l", "I", "O"),
        *("super", "zip", "reversed", "range", "max", "min", "len", "int", "float", "bool", "str", "tuple"),
    )
)
"""What the generated code itself uses, and what looks like a number; `x` is the value that flows."""

SEQUENTIAL = frozenset(("append", "extend", "insert", "pop"))
"""What an `nn.Sequential` has beyond a module: a part of it can't be called so."""


def with_needed(names: Collection[str]) -> set[str]:
    """Helpers, and those that they call."""
    found, waiting = set(names), list(names)
    while waiting:
        words = {node.id for node in ast.walk(ast.parse(HELPERS.get(waiting.pop(), ""))) if isinstance(node, ast.Name)}
        new = (words & HELPERS.keys()) - found
        found |= new
        waiting += new
    return found


def plain(name: str) -> str:
    """A name of the spec as a variable or argument; two names stay two."""
    return f"{name}_" if name.rstrip("_") in RESERVED else name
