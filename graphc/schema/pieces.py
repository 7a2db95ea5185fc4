"""Small pieces of JSON Schema, and the definitions that say what texts, names, numbers and shapes are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from keyword import kwlist
from typing import Any, TypeAlias, get_args

from graphc.reader.names import MODULE_NAMES, refusal
from graphc.reader.pieces import LARGEST
from graphc.tensor import DType

Json: TypeAlias = dict[str, Any]

WORDS = (*kwlist, *MODULE_NAMES, "x", "none", "true", "false", "null", "self")
SCALAR = ["string", "number", "boolean"]
LABEL = "^[^\\x00-@\\[-`{-\\x7f][^\\x00-/:-@\\[-^`{-\\x7f]*$"
"""Letters, digits and _, beginning with a letter. All beyond ASCII counts as one: editors' \\w knows only ASCII."""


def ref(name: str) -> Json:
    """The definition of that name."""
    return {"$ref": f"#/$defs/{name}"}


def either(*schemas: Json) -> Json:
    return {"anyOf": list(schemas)}


def one_of(values: Iterable[str]) -> Json:
    return {"enum": list(values)}


def array(items: Json) -> Json:
    return {"type": "array", "items": items}


def record(fields: Mapping[str, Json], required: Iterable[str] = ()) -> Json:
    """A mapping with fixed keys."""
    return {
        "type": "object",
        "properties": dict(fields),
        "required": list(required),
        "additionalProperties": False,
    }


def table(values: Json, known: Iterable[str] = ()) -> Json:
    """A mapping whose keys are new names; those already known are offered."""
    return {
        "type": "object",
        "properties": dict.fromkeys(known, values),
        "propertyNames": ref("name"),
        "additionalProperties": values,
    }


def described(description: str, schema: Json) -> Json:
    """The schema with a line that editors show."""
    return {"description": description, **schema} if description else schema


def whole(least: int, most: int = LARGEST) -> Json:
    """A whole number; `1_000` is a number to graphc, and a text to YAML."""
    digits = {"type": "string", "pattern": "^[0-9]+(_[0-9]*)+$"}
    return either({"type": "integer", "minimum": least, "maximum": most}, digits)


TEXT: Json = {"type": [*SCALAR, "null"]}
EXPRESSION: Json = {"type": SCALAR}
NUMBER: Json = either({"type": "number", "minimum": 0}, {"type": "string", "pattern": "^[0-9]+(_[0-9]*)+([.e].*)?$"})


def pieces() -> dict[str, Json]:
    """The definitions that are the same in every schema."""
    refused = sorted({word for word in WORDS if refusal(word)})
    return {
        "name": described(
            "Letters, digits and _; no word of Python's, no name that every torch module has.",
            {"type": "string", "pattern": LABEL, "not": one_of(refused)},
        ),
        "text": described("A text.", TEXT),
        "expression": described("An expression: numbers, names, operators, calls, paths.", EXPRESSION),
        "size": described("A number, a name or an expression.", {"type": ["string", "integer"]}),
        "shape": described("A list of sizes.", array(ref("size"))),
        "dtype": one_of(get_args(DType)),
    }
