"""Names in the generated source: those of the spec, but where Python or the file already has one."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping
from importlib.resources import files


def _functions(*names: str) -> dict[str, str]:
    """The functions and classes of files of this package, each as it stands there, by its name."""
    sources = [(files("graphc_torch") / name).read_text("utf-8") for name in names]
    return {
        item.name: ast.get_source_segment(source, item) or ""
        for source in sources
        for item in ast.parse(source).body
        if isinstance(item, ast.FunctionDef | ast.ClassDef)
    }


HELPERS = _functions("helpers.py", "region_helpers.py")
"""The functions and modules that a file gets where it calls them."""
TORCHVISION_HELPERS = HELPERS | _functions("torchvision_helpers.py")
"""The same for a file that may call torchvision's compiled ops."""

RESERVED = frozenset(
    (
        *TORCHVISION_HELPERS,
        *("self", "torch", "torchvision", "nn", "functional", "Tensor", "OrderedDict", "x"),
        *("l", "I", "O"),
        *("super", "zip", "reversed", "range", "max", "min", "len", "int", "float", "bool", "str", "tuple"),
    )
)
"""What the generated code itself uses, and what looks like a number; `x` is the value that flows."""

SEQUENTIAL = frozenset(("append", "extend", "insert", "pop"))
"""What an `nn.Sequential` has beyond a module: a part of it can't be called so."""


def with_needed(names: Collection[str], helpers: Mapping[str, str]) -> set[str]:
    """Helpers, and those that they call."""
    found, waiting = set(names), list(names)
    while waiting:
        words = {node.id for node in ast.walk(ast.parse(helpers.get(waiting.pop(), ""))) if isinstance(node, ast.Name)}
        new = (words & helpers.keys()) - found
        found |= new
        waiting += new
    return found


def plain(name: str) -> str:
    """A name of the spec as a variable or argument; two names stay two."""
    return f"{name}_" if name.rstrip("_") in RESERVED else name
