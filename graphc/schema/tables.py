"""`weights`: tables from our paths to the names in somebody else's files."""

from __future__ import annotations

from dataclasses import fields

from graphc.checkpoint.origins import NOTHING, OPERATIONS, Concat, Origin, Reshape
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
        "properties": {NOTHING: {**array(ref("tensor")), "minItems": 1}},
        "additionalProperties": ref("renaming"),
    }
    what = "Tables by whose files they are for: the path of weights, and what they are called there."
    return {
        "weights": described(what, table(rules)),
        "tensor": described("A name in the file, with {expression} in it.", {"type": ["string", "number"]}),
        "stored": either(ref("tensor"), *(_operation(kind) for kind in OPERATIONS.values() if kind is not Reshape)),
        "renaming": either(ref("stored"), _operation(Reshape)),
    }


def _operation(kind: type[Origin]) -> Json:
    """One of the operations, with its options."""
    required = options(kind)
    operands = {**array(ref("stored")), "minItems": 1} if kind is Concat else ref("stored")
    several = either(array(ref("expression")), {"type": "string"})
    given = {option.name: ref("expression") if option.type == "int" else several for option in fields(kind)[1:]}
    needed = [kind.word, *(name for name, is_required in required.items() if is_required)]
    return described(WHAT[kind.word], record({kind.word: operands, **given}, needed))
