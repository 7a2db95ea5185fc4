"""What a scalar means: a number, a constant, a text, or an expression."""

from __future__ import annotations

import re
from functools import lru_cache

from graphc.diagnostics import Diagnostic, SpecError
from graphc.expr import Literalish, Name
from graphc.parse import ExpressionError, parse
from graphc.source import Scalar
from graphc.spec import Formula

_INTEGER = re.compile(r"[-+]?[0-9][0-9_]*")
_FLOAT = re.compile(r"[-+]?[0-9][0-9_]*(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_LONGEST = 20
_CONSTANTS: dict[str, Literalish] = {"true": True, "false": False, "null": None, "none": None, "~": None, "": None}


@lru_cache(maxsize=1 << 12)
def plain(scalar: Scalar) -> Literalish:
    """What a scalar means by itself: YAML 1.2's numbers and constants, else its text."""
    text = scalar.text
    if scalar.quoted or len(text) > _LONGEST:
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        return int(text.replace("_", ""))
    return float(text.replace("_", "")) if _FLOAT.fullmatch(text) else text


@lru_cache(maxsize=1 << 12)
def formula(scalar: Scalar) -> Formula:
    """The expression that a scalar is; `$(…)` and `$name` mean the same as without the `$`.

    Raises:
        SpecError: it is none.
    """
    offset = 1 if scalar.text.startswith("$") else 0
    try:
        return Formula(parse(scalar.text[offset:]), scalar, offset)
    except ExpressionError as error:
        span = scalar.part(offset + error.start, offset + error.end)
        raise SpecError([Diagnostic("E301", error.message, span, hint=error.hint)]) from error


def is_name(written: Formula) -> str | None:
    """The name that an expression is, where it is nothing more."""
    return written.expression.id if isinstance(written.expression, Name) else None
