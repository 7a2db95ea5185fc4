"""Steps and their operands."""

from __future__ import annotations

from graphc.diagnostics import Span, did_you_mean, listed
from graphc.reader.pieces import Pieces
from graphc.source import Mapping, Scalar, Sequence, Tree, kind_of
from graphc.spec import Branch, Formula, Loops, Named, Operand, Step

STEP_KEYS = ("id", "from", "for", "repeat", "when", "doc", "scan", "next")
_LET_KEYS = ("doc",)
_LIST = "a graph is a list: each step begins with `- `"


def read_steps(to: Pieces, tree: Tree | None, what: str) -> tuple[Step, ...]:
    """The steps of a list."""
    if tree is not None and not isinstance(tree, Sequence):
        to.report("E201", f"{what} must be a list, not {kind_of(tree)}", tree.span, _LIST, lost=False)
        return (_broken(tree.span),)
    return tuple(_step(to, item) for item in to.items(tree, what))


def _operand(to: Pieces, tree: Tree) -> Operand | None:
    """An expression, a list of steps or one step."""
    if isinstance(tree, Scalar):
        return to.formula(tree, "an operand")
    if isinstance(tree, Sequence):
        return Branch(read_steps(to, tree, "a branch"), tree.span)
    return _step(to, tree)


def _step(to: Pieces, tree: Tree) -> Step:
    """A step; a broken one where it is wrong, with the names that it gives."""
    if isinstance(tree, Scalar):
        return _bare_step(to, tree)
    if isinstance(tree, Sequence):
        to.report("E201", "a step must be a mapping, not a list", tree.span, lost=False)
        return _broken(tree.span)
    mapping = tree
    own = [key for key in mapping.keys.values() if key.text not in STEP_KEYS]
    if len(own) == 1:
        return _let(to, own[0], mapping) if own[0].text == "let" else _keyed(to, own[0], mapping)
    to.report("E204", *_no_single_op(own, mapping))
    name = mapping.values.get("id")
    return _broken(mapping.span, name if isinstance(name, Scalar) else None)


def _broken(span: Span, name: Scalar | None = None) -> Step:
    """What stands for a step that is wrong and reported."""
    return Step(span, id=name, broken=True)


def _bare_step(to: Pieces, scalar: Scalar) -> Step:
    if scalar.text in ("", "do", "let"):
        hint = f"- {scalar.text}: …" if scalar.text else ""
        to.report("E204", "a step needs an op, a block, `do` with steps or `let` with names", scalar.span, hint)
        return _broken(scalar.span)
    return Step(scalar.span, scalar.text)


def _let(to: Pieces, op: Scalar, mapping: Mapping) -> Step:
    for key in mapping.keys.values():
        if key is not op and key.text not in _LET_KEYS:
            to.report("E202", f"`let` takes no `{key.text}`", key.span, "names are given inside: - let: {name: x}")
    return Step(
        op.span, op.text, lets=_named(to, mapping.values[op.text], "let", "- let: {name: x}"), keys=mapping.keys
    )


def _keyed(to: Pieces, op: Scalar, mapping: Mapping) -> Step:
    values, argument = mapping.values, mapping.values[op.text]
    if "next" in values and "scan" not in values:
        to.report("E203", "`next` needs `scan` beside it", mapping.keys["next"].span, lost=False)
    id_ = to.kind(values.get("id"), Scalar, "id")
    if id_:
        to.new_name(id_)
    return Step(
        span=op.span,
        name=op.text,
        arguments=argument,
        body=read_steps(to, argument, "do") if op.text == "do" else None,
        id=id_,
        source=_sources(to, values.get("from")),
        when=to.formula(values.get("when"), "when"),
        repeat=to.formula(values.get("repeat"), "repeat"),
        loops=_loops(to, mapping),
        keys=mapping.keys,
        doc=to.text(values.get("doc"), "doc"),
    )


def _sources(to: Pieces, tree: Tree | None) -> Formula | tuple[Operand, ...] | Named | None:
    if (isinstance(tree, Sequence) and not tree.items) or (isinstance(tree, Mapping) and not tree.keys):
        to.report("E203", "`from` needs an operand", tree.span, "from: x", lost=False)
    if tree is None or isinstance(tree, Scalar):
        return to.formula(tree, "from")
    if isinstance(tree, Sequence):
        operands = [_operand(to, item) for item in tree.items]
        return tuple(operand for operand in operands if operand)
    return _named(to, tree, "from")


def _named(to: Pieces, tree: Tree, what: str, hint: str = "") -> Named:
    operands: dict[str, Operand] = to.names(tree, lambda _, value: _operand(to, value), what, hint)
    return Named(operands, tree.keys if isinstance(tree, Mapping) else {})


def _loops(to: Pieces, mapping: Mapping) -> Loops | None:
    tree = mapping.values.get("for")
    if tree is None:
        return None
    before = len(to.found)
    loops: Loops = to.names(tree, lambda _, value: _loop(to, value), "for", "for: {i: range(3)}")
    if not loops and len(to.found) == before:
        to.report("E203", "`for` needs a name and a list", mapping.keys["for"].span, "for: {i: range(3)}")
    return loops


def _loop(to: Pieces, tree: Tree) -> Formula | tuple[Formula, ...] | None:
    return to.formulas(tree, "for") if isinstance(tree, Sequence) else to.formula(tree, "for")


def _no_single_op(own: list[Scalar], mapping: Mapping) -> tuple[str, Span, str]:
    """Message, place and hint for a step without an op, or with several."""
    if not own:
        return "a step needs an op, a block, `do` or `let`", mapping.span, ""
    first, *rest = own
    wrong = next((key for key in reversed(own) if did_you_mean(key.text, STEP_KEYS)), rest[0])
    value = mapping.values[first.text]
    instead = f"`- {first.text}` and `- {rest[0].text}` are two steps"
    if isinstance(value, Scalar) and value.is_empty:
        instead = f"what belongs to `{first.text}` stands two spaces deeper, or in {{}}"
    hint = did_you_mean(wrong.text, STEP_KEYS, instead)
    return f"a step has one op, this one has {listed([f'`{key.text}`' for key in own])}", wrong.span, hint
