"""Training and sampling: what is written beside the main graph."""

from __future__ import annotations

from graphc.reader.blocks import read_inputs, read_shared, require_whole
from graphc.reader.pieces import Pieces
from graphc.reader.steps import read_steps
from graphc.source import Mapping, Scalar, Tree
from graphc.spec import Formula, Objective, Part

TRAINING_KEYS = ("inputs", "shared", "graph", "losses", "frozen")
SAMPLING_KEYS = ("inputs", "shared", "graph", "outputs")


def read_training(to: Pieces, tree: Tree | None) -> Part | None:
    """What exists only in training, and its losses."""
    part = _part(to, tree, "training", TRAINING_KEYS)
    losses = part and list(part.losses.values())
    if losses and len({loss.trains is None for loss in losses}) > 1:
        silent = next(loss for loss in losses if loss.trains is None)
        message = "either every loss says what it `trains`, or none does and their sum is the loss"
        to.report("E203", message, silent.name.span, f"{silent.name.text}: {{loss: …, trains: […]}}")
    return part


def read_sampling(to: Pieces, tree: Tree | None) -> Part | None:
    """How new things are drawn from the model."""
    return _part(to, tree, "sampling", SAMPLING_KEYS)


def _part(to: Pieces, tree: Tree | None, what: str, keys: tuple[str, ...]) -> Part | None:
    if tree is None or to.kind(tree, Mapping, what) is None:
        return None
    fields = to.fields(tree, what, keys)
    to.distinct(("an input", fields.get("inputs")), ("a shared module", fields.get("shared")))
    inputs = read_inputs(to, fields.get("inputs"))
    require_whole(to, inputs)
    return Part(
        span=tree.span,
        inputs=inputs,
        shared=read_shared(to, fields.get("shared")),
        graph=read_steps(to, fields.get("graph"), "graph"),
        outputs=to.names(fields.get("outputs"), lambda _, value: to.formula(value, "an output"), "outputs"),
        losses=to.names(fields.get("losses"), lambda key, value: _objective(to, key, value), "losses"),
        frozen=to.formulas(fields.get("frozen"), "frozen"),
    )


def _objective(to: Pieces, name: Scalar, tree: Tree) -> Objective | None:
    """An expression, or a mapping that also says what the loss trains."""
    if not isinstance(tree, Mapping):
        loss = to.formula(tree, f"the loss {name.text}")
        return Objective(name, loss) if loss else None
    fields = to.fields(tree, f"the loss {name.text}", ("loss", "trains"))
    for key in ("loss", "trains"):
        if key not in fields:
            to.report("E203", f"the loss {name.text} needs `{key}`", name.span, "{loss: …, trains: [generator]}")
    loss = to.formula(fields.get("loss"), f"the loss {name.text}")
    trains: tuple[Formula, ...] = to.formulas(fields.get("trains"), "trains")
    if "trains" in fields and not trains:
        to.report(
            "E207", f"the loss {name.text} trains nothing", fields["trains"].span, "trains: [generator]", lost=False
        )
    return Objective(name, loss, trains) if loss else None
