"""Steps: a name alone, or one op with its arguments and keys beside it; their operands and loops."""

from __future__ import annotations

from graphc.schema.pieces import Json, array, described, either, one_of, record, ref, table, whole
from graphc.schema.scope import Scope

KEYS: dict[str, Json] = {
    "id": described("The step's name.", ref("name")),
    "from": ref("from"),
    "when": described(
        "A condition on parameters and fixed sizes; where false the step is an identity.", ref("expression")
    ),
    "repeat": described(
        "So many copies in a row, each with its own weights; a copy's first input is the copy before.",
        either(whole(0), {"type": "string"}),
    ),
    "for": ref("for"),
    "scan": ref("scan"),
    "next": described("What each state is in the next round of `scan`.", table(ref("expression"))),
    "doc": described("A line for diagram and docs.", ref("text")),
}
"""What may stand beside the op of a step."""
LET_KEYS = ("doc",)
SHARED = "A shared module."


def steps(scope: Scope) -> dict[str, Json]:
    """The definitions of steps whose names are those of a scope."""
    return {
        **{f"call.{name}": call.complete for name, call in scope.calls.items()},
        **{f"argument.{name}": call.partial for name, call in scope.calls.items() if not call.bare},
        "graph": described("A list of steps; each takes the value of the one before.", array(ref("step"))),
        "step": either(_bare(scope), ref("keyed_step")),
        "keyed_step": _keyed(scope),
        "step_argument": described("An op or a block, perhaps with arguments.", _argument(scope)),
        "operand": either(ref("expression"), ref("keyed_step"), array(ref("step"))),
        "from": described(
            "The operands: an expression, a list, or a mapping by input name or label. Without it: the step before.",
            either(
                ref("expression"),
                {**array(ref("operand")), "minItems": 1},
                {**table(ref("operand")), "minProperties": 1},
            ),
        ),
        "for": described("A copy for each element of lists of equal length.", {**table(_LOOP), "minProperties": 1}),
        "scan": described("A recurrence along an axis; `next` says how its state goes on.", _SCAN),
    }


_LOOP = either({"type": "string"}, array(ref("expression")))
_SCAN = record(
    {
        "over": described("The axis.", {"type": ["integer", "string"]}),
        "state": described("Each state's shape or first value.", table(either(ref("shape"), ref("expression")))),
        "reverse": described("Whether the last slice comes first.", {"type": ["boolean", "string"]}),
    },
    ["over", "state"],
)


def _bare(scope: Scope) -> Json:
    """A step that is a name alone: one that needs no argument."""
    bare = {name: call.doc for name, call in scope.calls.items() if call.bare}
    others = [name for name, call in scope.calls.items() if not call.bare]
    return _names(scope, bare | dict.fromkeys(scope.shared, SHARED), ["do", "let", *others])


def _names(scope: Scope, known: dict[str, str], refused: list[str]) -> Json:
    """A text that is one of the names, which have their docs; where there may be others, none of the `refused`."""
    offered = [described(doc, {"const": name}) for name, doc in known.items()]
    unknown = {"type": "string", "pattern": scope.others, "not": one_of(refused)}
    return either(*offered, *([unknown] if scope.others else []))


def _keyed(scope: Scope) -> Json:
    """A step as a mapping: one op, `do` or `let`, and keys beside it."""
    own = {
        "do": described("Several steps, to put a key on all of them.", ref("graph")),
        "let": described("Names for values and numbers; the flow goes on as before.", table(ref("operand"))),
        **{name: ref(f"call.{name}") for name in scope.calls},
        **dict.fromkeys(scope.shared, described(SHARED, {"type": ["null", "object"], "maxProperties": 0})),
    }
    return {
        **record({**own, **KEYS}),
        **_strangers(scope),
        "oneOf": _one_op(scope, list(own)),
        "dependentRequired": {"scan": ["next"], "next": ["scan"]},
        "if": {"required": ["let"]},
        "then": {"propertyNames": one_of(["let", *LET_KEYS])},
    }


def _one_op(scope: Scope, own: list[str]) -> list[Json]:
    """For each op that only it is there; where there may be unknown ones, also that only such are there."""
    unknown: Json = {"not": {"propertyNames": one_of([*own, *KEYS])}}
    return [{"required": [name]} for name in own] + ([unknown] if scope.others else [])


def _strangers(scope: Scope) -> Json:
    """What may stand behind names that can't be known: anything."""
    return {"patternProperties": {scope.others: True}} if scope.others else {}


def _argument(scope: Scope) -> Json:
    """A step as an argument: its own arguments may be given later."""
    docs = {name: call.doc for name, call in scope.calls.items()} | dict.fromkeys(scope.shared, SHARED)
    behind = {name: ref(f"call.{name}" if call.bare else f"argument.{name}") for name, call in scope.calls.items()}
    return either(
        _names(scope, docs, []), {**record(behind), **_strangers(scope), "minProperties": 1, "maxProperties": 1}
    )
