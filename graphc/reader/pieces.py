"""Reads pieces of a tree; what is wrong is collected, and the reading goes on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import TypeVar

from graphc.diagnostics import Diagnostic, Source, Span, SpecError, did_you_mean
from graphc.expr import Broken
from graphc.reader.names import refusal
from graphc.reader.scalars import formula, plain
from graphc.source import KINDS, Mapping, Scalar, Sequence, Tree, kind_of
from graphc.spec import Formula

LARGEST = 1_000_000_000

_CONTAINED = frozenset(("E204", "E205", "E206", "E207", "E301"))
"""What leaves no name undefined."""
_EMPTY = Mapping(Span("", 1, 1, 1, Source("", "")))
_T = TypeVar("_T")


class Pieces:
    """The reading of one file: `found` is what is wrong with it so far, `unused` the names that nothing reads.

    `inside` are the names that the file reads inside others.
    Where a step or an expression is wrong, a broken one stands in its place, and all that reads it is silent. `lost`
    says that more is missing than that: names that others may read.
    """

    def __init__(self, file: str) -> None:
        self.file = file
        self.found: list[Diagnostic] = []
        self.unused: list[Diagnostic] = []
        self.inside: set[str] = set()
        self.lost = False

    def report(self, code: str, message: str, span: Span, hint: str = "", *, lost: bool | None = None) -> None:
        """Notes what is wrong; `lost` says whether names are missing now (None: as is usual for the code)."""
        self.found.append(Diagnostic(code, message, span, hint=hint))
        self.lost |= code not in _CONTAINED if lost is None else lost

    def kind(self, tree: Tree | None, wanted: type[_T], what: str, hint: str = "") -> _T | None:
        """The tree where it is of that kind, else a report."""
        if tree is None or isinstance(tree, wanted):
            return tree
        self.report("E201", f"{what} must be {KINDS[wanted]}, not {kind_of(tree)}", tree.span, hint)
        return None

    def pairs(
        self, tree: Tree | None, what: str, known: Collection[str] | None = None, hint: str = ""
    ) -> Iterator[tuple[Scalar, Tree]]:
        """The keys of a mapping with their values; with `known`, other keys are reported and left out."""
        mapping = self.kind(tree, Mapping, what, hint) or _EMPTY
        for text, key in mapping.keys.items():
            if known is None or text in known:
                yield key, mapping.values[text]
            else:
                instead = did_you_mean(text, known, f"known are {', '.join(known)}")
                self.report("E202", f"unknown key `{text}` of {what}", key.span, instead)

    def fields(self, tree: Tree | None, what: str, known: Collection[str]) -> dict[str, Tree]:
        """The values of a mapping with fixed keys."""
        return {key.text: value for key, value in self.pairs(tree, what, known)}

    def items(self, tree: Tree | None, what: str, hint: str = "") -> list[Tree]:
        sequence = self.kind(tree, Sequence, what, hint)
        return sequence.items if sequence else []

    def text(self, tree: Tree | None, what: str) -> str:
        scalar = self.kind(tree, Scalar, what)
        return scalar.text if scalar else ""

    def number(self, tree: Tree | None, what: str, least: int, most: int = LARGEST) -> int | None:
        """A whole number; None where there is none or it is reported."""
        scalar = self.kind(tree, Scalar, what)
        if scalar is None:
            return None
        value = plain(scalar)
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        limit = f"from {least} to {most}"
        self.report("E207", f"{what} must be a whole number {limit}, not `{scalar.text}`", scalar.span)
        return None

    def formula(self, tree: Tree | None, what: str) -> Formula | None:
        """An expression; None where there is nothing, a broken one where it is wrong."""
        if tree is None:
            return None
        if not isinstance(tree, Scalar):
            self.report("E201", f"{what} must be a text, not {kind_of(tree)}", tree.span, lost=False)
            return broken(tree.span)
        try:
            return formula(tree)
        except SpecError as error:
            self.found += error.diagnostics
            return broken(tree.span)

    def formulas(self, tree: Tree | None, what: str) -> tuple[Formula, ...]:
        """The expressions of a list."""
        if tree is not None and not isinstance(tree, Sequence):
            self.report("E201", f"{what} must be a list, not {kind_of(tree)}", tree.span, lost=False)
            return (broken(tree.span),)
        formulas = (self.formula(item, what) for item in self.items(tree, what))
        return tuple(written for written in formulas if written)

    def names(
        self, tree: Tree | None, read: Callable[[Scalar, Tree], _T | None], what: str, hint: str = ""
    ) -> dict[str, _T]:
        """A mapping whose keys are new names."""
        result = {}
        for key, value in self.pairs(tree, what, hint=hint):
            self.new_name(key)
            piece = read(key, value)
            if piece is not None:
                result[key.text] = piece
        return result

    def new_name(self, key: Scalar) -> None:
        why = refusal(key.text)
        if why:
            message, hint = why
            self.report("E205", message, key.span, hint)

    def distinct(self, *groups: tuple[str, Tree | None]) -> None:
        """The keys of several mappings are one namespace."""
        taken: dict[str, str] = {}
        for what, tree in groups:
            for text, key in tree.keys.items() if isinstance(tree, Mapping) else ():
                if text in taken:
                    self.report("E205", f"`{text}` is already the name of {taken[text]}", key.span, lost=True)
                taken.setdefault(text, what)


def broken(span: Span) -> Formula:
    """What stands for an expression that is wrong and reported."""
    return Formula(Broken(0, 0), Scalar("", span, exact=False))
