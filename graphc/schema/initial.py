"""`init`: which distributions a spec can give to weights."""

from __future__ import annotations

from graphc.distributions import DISTRIBUTIONS
from graphc.ops import OPS
from graphc.schema.calls import Call, call_of_class
from graphc.schema.pieces import Json, described, either, one_of, record, ref


def initial() -> dict[str, Json]:
    """The definitions of initial values, by op or path."""
    calls = {name: call_of_class(kind) for name, kind in DISTRIBUTIONS.items()}
    by_weight = {
        "type": "object",
        "propertyNames": {"not": one_of(calls)},
        "additionalProperties": ref("distribution"),
        "minProperties": 1,
    }
    return {
        "init": described(
            "Initial values, by op or path; those of each `weight`, or by the weights' names.",
            {
                "type": "object",
                "properties": dict.fromkeys(OPS, ref("initial")),
                "additionalProperties": ref("initial"),
            },
        ),
        "initial": either(ref("distribution"), by_weight),
        "distribution": _distribution(calls),
    }


def _distribution(calls: dict[str, Call]) -> Json:
    """A number, the name of a distribution, or one with its arguments."""
    bare = [described(call.doc, {"const": name}) for name, call in calls.items() if call.bare]
    named = {**record({name: call.complete for name, call in calls.items()}), "minProperties": 1, "maxProperties": 1}
    return either({"type": ["number", "string"]}, *bare, named)
