"""Names in the generated source: those of the spec, but where Python or the file already has one."""

from __future__ import annotations

RESERVED = frozenset(
    (
        *("self", "torch", "nn", "functional", "Tensor", "OrderedDict", "center_crop", "x"),
        *("l", "I", "O"),
        *("super", "zip", "reversed", "range", "max", "min", "len", "int", "float", "bool", "str", "tuple"),
    )
)
"""What the generated code itself uses, and what looks like a number; `x` is the value that flows."""

SEQUENTIAL = frozenset(("append", "extend", "insert", "pop"))
"""What an `nn.Sequential` has beyond a module: a part of it can't be called so."""


def plain(name: str) -> str:
    """A name of the spec as a variable or argument; two names stay two."""
    return f"{name}_" if name.rstrip("_") in RESERVED else name
