"""The attributes of an op: what each takes, its default, and what the class says below it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from inspect import getsource
from itertools import pairwise
from textwrap import dedent
from typing import Any, TypeAlias

from graphc.ops import Op

Json: TypeAlias = Mapping[str, Any]
_WORDS = {"integer": "integer", "number": "number", "boolean": "true or false", "null": "none"}
_BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
_SEVERAL = {"integer": "integers", "number": "numbers", "size": "sizes"}
WIDEST = 1 << 62
"""A bound beyond it is that of 64 bits, and says nothing."""


def types(op: type[Op]) -> dict[str, str]:
    """What each attribute takes, in words: "integer ≥ 1, or a list of integers ≥ 1"."""
    return {name: _choices(schema) for name, schema in op.model_json_schema()["properties"].items()}


def meanings(op: type[Op]) -> dict[str, str]:
    """What is said of each attribute, in the docstring below it: in the class, or in one that it derives from."""
    found: dict[str, str] = {}
    for base in reversed(op.__mro__):
        if issubclass(base, Op):
            found |= _below_fields(base)
    return {name: found[name] for name in op.model_fields if name in found}


@cache
def _below_fields(kind: type) -> Mapping[str, str]:
    """The texts below the fields of one class; none where its source is not at hand."""
    try:
        (definition,) = ast.parse(dedent(getsource(kind))).body
    except (OSError, TypeError, SyntaxError):
        return {}
    assert isinstance(definition, ast.ClassDef)
    return dict(_texts(definition.body))


def _texts(body: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    for field, below in pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            text = below.value if isinstance(below, ast.Expr) else None
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                yield field.target.id, " ".join(text.value.split())


def _choices(schema: Json) -> str:
    """What a JSON Schema lets pass, in words."""
    choices = dict.fromkeys(_choice(choice) for choice in schema.get("anyOf", [schema]))
    return ", ".join(list(choices)[:-1]) + ", or " * (len(choices) > 1) + list(choices)[-1]


def _choice(schema: Json) -> str:
    if "enum" in schema or "const" in schema:
        return " or ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return _list(schema)
    if "anyOf" in schema:
        return _choices(schema)
    if schema.get("type") == "string":
        return "size" if schema.get("description") == "an expression" else "text"
    said = _WORDS.get(schema.get("type", ""), "anything")
    bounds = (f"{sign} {schema[key]:g}" for key, sign in _BOUNDS.items() if abs(schema.get(key, WIDEST)) < WIDEST)
    return " ".join([said, " and ".join(bounds)]).rstrip()


def _list(schema: Json) -> str:
    """A list of what, or of how many."""
    if "prefixItems" in schema:
        return f"[{'; '.join(map(_choices, schema['prefixItems']))}]"
    inside = schema.get("items", {})
    if any("prefixItems" in choice for choice in inside.get("anyOf", ())):
        return f"list, each {_choices(inside)}"
    items = _choices(inside).replace(", or ", " or ")
    for one, several in _SEVERAL.items():
        items = items.replace(one, several)
    return f"list of {items}"
