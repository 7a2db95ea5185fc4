"""`weights`: what each weight of the network is in somebody else's files, by the rules of the spec's tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from graphc.checkpoint.origins import NOTHING, Origin, Piece, Table, is_below
from graphc.dims import Dim
from graphc.elaborate.build import Build
from graphc.elaborate.fitting import Matched, fitting
from graphc.elaborate.frame import Frame, Level
from graphc.elaborate.renaming import Renamer
from graphc.elaborate.things import Failed, Thing
from graphc.elaborate.weights import Branches, leaves
from graphc.graph import Scope
from graphc.source import Scalar, Sequence, Tree
from graphc.spec import Renaming

_COUNTED = re.compile(r"_\d+$")
_WORD = re.compile(r"\w+")
_WEIGHTS = frozenset(("weight", "bias", "running_mean", "running_var", "num_batches_tracked"))
"""Names of weights: the only parts of a path that no spec has in it."""


@dataclass(frozen=True, slots=True)
class Tables:
    """Reads tables in the frame of the file; `tree` are the parts of all weights' paths.

    `alone` says that the file has no other variants, and no settings that make it another network.
    """

    build: Build
    frame: Frame
    tree: Branches
    alone: bool

    def read(self, tables: Mapping[str, tuple[Renaming, ...]]) -> dict[str, Mapping[str, Origin]]:
        """What each weight is, by table and path; of what no rule fits there is nothing."""
        build = self.build
        nodes, demands = build.nodes, build.demands
        build.nodes, build.demands = [], []  # an expression that makes values leaves the graph as it is
        try:
            renamer = Renamer(build, self.outer())
            made = {rules: _Reading(self, renamer).table(rules) for rules in dict.fromkeys(tables.values())}
            return {name: made[rules] for name, rules in tables.items()}
        finally:
            build.nodes, build.demands = nodes, demands

    def outer(self) -> Frame:
        """The names of the file that the right side of a rule sees: numbers, texts and lists."""
        scope = Scope("weights", "", "root", "", "", self.frame.level.scope.span)
        plain = {name: thing for name, thing in self.frame.names.items() if _is_plain(thing)}
        return Frame(self.frame.block, Level(scope), names=plain)

    def can_fit(self, rule: Renaming) -> bool:
        """Whether a rule that fits nothing may yet fit in another variant: all its names occur somewhere."""
        if self.alone:
            return False
        words = words_of(self.build)
        texts = [part.before for part in rule.path if not part.name]
        return all(_COUNTED.sub("", text) in words or text.isdigit() for text in texts)


@dataclass(slots=True)
class _Reading:
    """One table on its way: what each path is, and for which paths each tensor is taken, whole or in parts."""

    tables: Tables
    renamer: Renamer
    found: dict[str, tuple[Origin, str]] = field(default_factory=dict)
    taken: dict[str, dict[Piece, str]] = field(default_factory=dict)

    def table(self, rules: Iterable[Renaming]) -> Table:
        """Each rule in turn takes what those before it have left."""
        build = self.tables.build
        nothing: list[Renaming] = []
        for rule in rules:
            if not rule.path:
                nothing.append(rule)
            elif not self.fits(rule) and rule.key.span.file == build.file and not self.tables.can_fit(rule):
                hint = "the left side is a path of this network, or the beginning of one"
                build.report("E308", f"no weight is at `{rule.key.text}`", rule.key.span, hint)
        for rule in nothing:
            with suppress(Failed):
                self.ignore(rule)
        return Table(self.found)

    def ignore(self, rule: Renaming) -> None:
        """Notes tensors that no weight is, which must be true."""
        origin = self.renamer.origin(rule, {})
        for taken, pieces in self.taken.items():
            place = next((place for place in origin.names if is_below(taken, [place])), None)
            if place is not None:
                message = f"`{next(iter(pieces.values()))}` is `{taken}`, and `{place}` is said to be of no weight"
                self.tables.build.fail("E309", message, rule.key.span)
        self.found[NOTHING] = origin, ""

    def fits(self, rule: Renaming) -> bool:
        """Whether there are weights for a rule; what they are is noted."""
        fits = False
        for matched, path, branch in fitting(rule.path, self.tables.tree):
            left = [leaf for leaf in leaves(path, branch) if leaf not in self.found]
            self.tables.build.spend(1 + len(left), rule.key.span)
            fits |= bool(left)
            with suppress(Failed):
                self.take(rule, matched, path, left)
        return fits

    def take(self, rule: Renaming, matched: Matched, path: str, left: list[str]) -> None:
        """Says of the weights at or below a path what they are."""
        if not left:
            return
        origin = self.renamer.origin(rule, matched)
        for leaf in left:
            rest = leaf[len(path) :]
            self.found[leaf] = origin, rest
            for name, piece in origin.pieces():
                self.require_free(rule, leaf, f"{name}{rest}", piece)

    def require_free(self, rule: Renaming, leaf: str, name: str, piece: Piece) -> None:
        """Each tensor, or each piece of one, is one weight."""
        taken = self.taken.setdefault(name, {})
        other = next((path for its, path in taken.items() if its[: len(piece)] == piece[: len(its)]), None)
        if other:
            message = f"`{leaf}` and `{other}` are both `{name}`"
            self.tables.build.fail("E309", message, rule.key.span, "give each a name of its own, or use `split`")
        taken[piece] = leaf


def _is_plain(thing: Thing) -> bool:
    """Whether something is a number, a text, a size, or a list of such."""
    if isinstance(thing, list):
        return all(map(_is_plain, thing))
    return thing is None or isinstance(thing, (int, float, str, Dim))


def words_of(build: Build) -> frozenset[str]:
    """All names that the paths of weights are made of, in whatever variant."""
    trees = (tree for file in build.files.values() for key, tree in file.tree.values.items() if key != "weights")
    return _WEIGHTS.union(*map(_words, trees))


def _words(tree: Tree) -> set[str]:
    """The words of a tree, in its keys too."""
    match tree:
        case Scalar(text):
            return set(_WORD.findall(text))
        case Sequence(items):
            return set().union(*map(_words, items))
    return set(_WORD.findall(" ".join(tree.keys))).union(*map(_words, tree.values.values()))
