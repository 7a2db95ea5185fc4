"""`weights`: tables from our paths to the names in somebody else's files."""

from __future__ import annotations

from dataclasses import fields

from graphc.checkpoint.origins import OPERATIONS, Origin
from graphc.reader.tables import options
from graphc.schema.pieces import Json, array, described, either, record, ref, table

WHAT = {
    "concat": "Several tensors of the file, one behind the other.",
    "reshape": "A tensor of the file in the shape of the weight.",
    "split": "A piece of a tensor of the file.",
    "transpose": "A tensor of the file with its axes in another order.",
}


def tables() -> dict[str, Json]:
    """The definitions of tables and their rules."""
    rules = {
        "type": "object",
        "propertyNames": {"pattern": "^[^.]+(\\.[^.]+)*$"},
        "additionalProperties": ref("renaming"),
    }
    what = "Tables by whose files they are for: the path of weights, and what they are called there."
    return {
        "weights": described(what, table(rules)),
        "tensor": described("A name in the file, with {expression} in it.", {"type": ["string", "number"]}),
        "renaming": either(ref("tensor"), *map(_operation, OPERATIONS.values())),
    }


def _operation(kind: type[Origin]) -> Json:
    """One of the operations, with its options."""
    required = options(kind)
    names = {**array(ref("tensor")), "minItems": 1} if kind.word == "concat" else ref("tensor")
    several = either(array(ref("expression")), {"type": "string"})
    given = {option.name: ref("expression") if option.type == "int" else several for option in fields(kind)[1:]}
    needed = [kind.word, *(name for name, is_required in required.items() if is_required)]
    return described(WHAT[kind.word], record({kind.word: names, **given}, needed))
