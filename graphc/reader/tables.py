"""`weights`: tables from the network's own paths to the names that its weights have in somebody else's files.

    stage.{s}.unit.{u}.residual.conv{k}.bn: layer{s + 1}.{u}.bn{k}
    hidden.{i}.linear: {reshape: "pre_logits.fc{i + 1}"}
    layer.{i}.q: {transpose: {split: "h.{i}.attn", index: 0, of: 3, dim: -1}}
    none: [position_ids]

The left side matches whole parts of a path; what lies behind it in the path is added to the right side.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import MISSING, fields

from graphc.checkpoint.origins import NOTHING, OPERATIONS, Concat, Origin, Reshape
from graphc.diagnostics import listed
from graphc.parse import ExpressionError, parse
from graphc.reader.names import refusal
from graphc.reader.pieces import Pieces
from graphc.source import Mapping, Scalar, Sequence, Tree
from graphc.spec import Formula, Operation, Renaming, Segment, Template

_SEGMENT = re.compile(r"([^{}]*)(?:\{\s*([^{},\s]+)\s*(?:,\s*([^{},\s]+)\s*)?\}([^{}]*))?")
_HOLE = re.compile(r"\{([^{}]*)\}")


def read_tables(to: Pieces, tree: Tree | None) -> dict[str, tuple[Renaming, ...]]:
    """Each table by its name; rules that are wrong are reported and left out."""
    known: dict[int, tuple[Renaming, ...]] = {}  # a table that an alias names again is one

    def table(key: Scalar, value: Tree) -> tuple[Renaming, ...]:
        if id(value) not in known:
            known[id(value)] = tuple(_table(to, key, value))
        return known[id(value)]

    return to.names(tree, table, "weights", "weights: {torchvision: {stem: conv1}}")


def _table(to: Pieces, name: Scalar, tree: Tree) -> Iterator[Renaming]:
    for key, value in to.pairs(tree, f"the table {name.text}", hint="stem: conv1"):
        before = len(to.found)
        rule = _rule(to, key, value)
        if len(to.found) == before:
            yield rule


def _rule(to: Pieces, key: Scalar, tree: Tree) -> Renaming:
    if key.text == NOTHING:
        return Renaming(key, (), tuple(_several(to, tree, f"what is of `{NOTHING}`", "none: [position_ids]")))
    return Renaming(key, tuple(_path(to, key)), tuple(_tensor(to, tree)))


def _tensor(to: Pieces, tree: Tree) -> Iterator[Template | Operation]:
    """A name of the file, or an operation that gives a tensor."""
    if not isinstance(tree, Mapping):
        yield from _name(to, tree)
        return
    chosen = [word for word in OPERATIONS if word in tree.keys]
    if len(chosen) == 1:
        yield _operation(to, chosen[0], tree)
    else:
        message = f"a name, or one of {listed(list(OPERATIONS))} with names, is needed here"
        to.report("E207", message, tree.span, "{transpose: fc.weight, dims: [1, 0]}", lost=False)


def _operation(to: Pieces, word: str, tree: Mapping) -> Operation:
    """An operation with what it is done with, and its options."""
    known = options(OPERATIONS[word])
    found = dict(tree.values)
    operands = tuple(_operands(to, word, found.pop(word)))
    given: dict[str, Formula | tuple[Formula, ...]] = {}
    for option, value in found.items():
        if option not in known:
            instead = f"it has {listed(list(known))}" if known else "it has none"
            to.report("E202", f"`{word}` has no option `{option}`", tree.keys[option].span, instead, lost=False)
        elif isinstance(value, Sequence):
            given[option] = to.formulas(value, option)
        else:
            formula = to.formula(value, option)
            given |= {option: formula} if formula else {}
    for option, required in known.items():
        if required and option not in given:
            to.report("E203", f"`{word}` needs `{option}`", tree.span, f"{option}: 0", lost=False)
    return Operation(word, operands, given)


def _operands(to: Pieces, word: str, tree: Tree) -> Iterator[Template | Operation]:
    """The tensors that an operation is done with: `concat` has several."""
    trees = [tree]
    if word == Concat.word:
        trees = to.items(tree, word, "concat: [q, k, v]")
        if not trees:
            to.report("E203", f"`{word}` needs names", tree.span, "concat: [q, k, v]", lost=False)
    for item in trees:
        if isinstance(item, Mapping) and Reshape.word in item.keys:
            hint = f"{word} what is no `{Reshape.word}`, or put the `{Reshape.word}` around it"
            message = f"`{Reshape.word}` gives the weight's shape, so it can't stand in `{word}`"
            to.report("E207", message, item.keys[Reshape.word].span, hint, lost=False)
        else:
            yield from _tensor(to, item)


def options(kind: type[Origin]) -> dict[str, bool]:
    """The options of an operation, and whether each is required."""
    return {option.name: option.default is MISSING for option in fields(kind) if option.name != "operands"}


def _several(to: Pieces, tree: Tree, what: str, hint: str) -> Iterator[Template]:
    """A list of names of the file."""
    trees = to.items(tree, what, hint)
    if isinstance(tree, Sequence) and not trees:
        to.report("E203", f"{what} needs names", tree.span, hint, lost=False)
    for item in trees:
        yield from _name(to, item)


def _name(to: Pieces, tree: Tree) -> Iterator[Template]:
    name = to.kind(tree, Scalar, "a name of the file")
    if name is not None and not name.text:
        to.report("E203", "a name of the file is needed here", name.span, "stem: conv1", lost=False)
    elif name is not None:
        yield Template(tuple(_parts(to, name)), name)


def _parts(to: Pieces, name: Scalar) -> Iterator[str | Formula]:
    """The texts of a name and the expressions between them."""
    end = 0
    for hole in _HOLE.finditer(name.text):
        yield _literal(to, name, end, hole.start())
        yield from _formula(to, name, *hole.span(1))
        end = hole.end()
    yield _literal(to, name, end, len(name.text))


def _literal(to: Pieces, name: Scalar, start: int, end: int) -> str:
    text = name.text[start:end]
    for sign in re.finditer(r"[{}]", text):
        at = start + sign.start()
        to.report("E301", f"`{sign[0]}` has no other half", name.part(at, at + 1), "layer{i + 1}", lost=False)
    return text


def _formula(to: Pieces, name: Scalar, start: int, end: int) -> Iterator[Formula]:
    try:
        yield Formula(parse(name.text[start:end]), name, start)
    except ExpressionError as error:
        to.report("E301", error.message, name.part(start + error.start, start + error.end), error.hint, lost=False)


def _path(to: Pieces, key: Scalar) -> Iterator[Segment]:
    """The parts of the path on the left side of a rule."""
    given: set[str] = set()
    start = 0
    for text in key.text.split("."):
        match = _SEGMENT.fullmatch(text)
        if match is None or not text:
            hint = "stage.{s}.conv: between two dots a text, with one {name} in it at most"
            to.report("E207", f"`{text}` is no part of a path", key.part(start, start + len(text)), hint, lost=False)
        else:
            names = [name for name in match.group(2, 3) if name]
            _new_names(to, key, names, given)
            yield Segment(*(part or "" for part in match.groups()))
        start += len(text) + 1


def _new_names(to: Pieces, key: Scalar, names: list[str], given: set[str]) -> None:
    """Each name is one that an expression can read, and given once."""
    for name in names:
        why = refusal(name)
        if why:
            to.report("E205", why[0], key.span, why[1], lost=False)
        elif name in given:
            to.report("E205", f"`{name}` is given twice", key.span, lost=False)
        given.add(name)
