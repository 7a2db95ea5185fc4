"""How edits that hang together are told as one: under the largest part, with what it reads and gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from graphc.diagnostics import listed
from graphc.diff import words
from graphc.diff.connected import exchanged, is_lone_input, nodes_of
from graphc.diff.found import Found
from graphc.diff.matching import Matching
from graphc.diff.sentences import Wheres
from graphc.diff.side import Piece, Side
from graphc.graph import Node, Scope

MOST_NAMES = 4
LEAST_WORD = 3
"""Letters of a word that says what a block is: a `mask_head` is a head."""
PLURAL = {"loss": "losses", "output": "outputs"}


@dataclass(frozen=True)
class Whole:
    """Edits that hang together. `key` says which of them are the same edit at several places."""

    matching: Matching
    wheres: Wheres
    group: Sequence[Found]
    key: Callable[[Found], object]

    @cached_property
    def is_new(self) -> bool:
        """Whether something was added, rather than taken away."""
        kinds = {edit.kind for edit in self.group}
        return "added" in kinds or ("removed" not in kinds and not self._inputs(is_new=True))

    @property
    def kind(self) -> str:
        """What is told of it, as an edit's kind."""
        return "input" if self._swapped else "added" if self.is_new else "removed"

    @property
    def brief(self) -> str:
        """What it is and what it is for."""
        more = [f"{'for' if self.is_new else 'without'} {self._gives}"] if self._gives else []
        return ", ".join([self._opening, *more])

    @property
    def text(self) -> str:
        """The edit in words."""
        new = [] if self._swapped else self._inputs(is_new=self.is_new)
        parts = [
            ", with ".join(filter(None, (self._opening, self._others))),
            f"{'reads' if self.is_new else 'read'} {self._reads}" if self._reads else "",
            f"{'takes' if self.is_new else 'took'} {_inputs(new)}" if new else "",
            f"{'gives' if self.is_new else 'gave'} {self._gives}" if self._gives else "",
        ]
        size = f" ({self._size})" if self._parts else ""
        return "; ".join(filter(None, parts)) + size

    @property
    def _side(self) -> Side:
        return self.matching.right if self.is_new else self.matching.left

    def _pieces(self, edit: Found) -> tuple[Piece, ...]:
        return edit.right if self.is_new else edit.left

    @cached_property
    def _parts(self) -> list[Found]:
        return [edit for edit in self.group if edit.kind == ("added" if self.is_new else "removed")]

    @cached_property
    def _lead(self) -> list[Found]:
        """The largest of the parts, at all places where it is."""
        groups: dict[object, list[Found]] = {}
        for edit in self._parts:
            groups.setdefault(self.key(edit), []).append(edit)
        return max(groups.values(), key=self._weight, default=[])

    def _weight(self, edits: Sequence[Found]) -> tuple[int, int]:
        nodes = [node for edit in edits for node in nodes_of(self._pieces(edit))]
        return self._params(nodes), len(nodes)

    def _params(self, nodes: Iterable[Node]) -> int:
        """The elements of all weights that nodes own, each once."""
        owned = {f"{node.home}.{name}": it.count for node in nodes for name, it in node.weights().items()}
        return sum(count for count in owned.values() if isinstance(count, int))

    @property
    def _own(self) -> list[Node]:
        """The nodes of all parts whose weights are theirs alone."""
        nodes = {node for edit in self._parts for node in nodes_of(self._pieces(edit))}
        return [node for node in nodes if self._side.owner(node) in nodes]

    @property
    def _size(self) -> str:
        count = sum(1 for edit in self._parts for _ in nodes_of(self._pieces(edit)))
        params = self._params(self._own)
        ops = f"{count} {'op' if count == 1 else 'ops'}"
        return f"{ops}, {words.count(params)} parameters" if params else ops

    @property
    def _opening(self) -> str:
        return self._of_inputs(self._swapped) if self._swapped else self._of_parts()

    def _of_inputs(self, inputs: Sequence[str]) -> str:
        """What is said of inputs that are computed now, or were before."""
        by = f"by {self._name}" if self._lead else f"from {listed(self._instead)}"
        computed = "learnt" if self._params(self._own) else "computed"
        is_one = len(inputs) == 1
        if self.is_new:
            return f"{listed(inputs)}, {'an input' if is_one else 'inputs'} before, {_are(is_one)} {computed} now: {by}"
        return f"{listed(inputs)}, {computed} before {by}, {_are(is_one)} now {'an input' if is_one else 'inputs'}"

    def _of_parts(self) -> str:
        tell = self.wheres.after if self.is_new else self.wheres.before
        where, count = tell([_around(self._pieces(edit)[0]) for edit in self._lead])
        inside = f" {'in' if self.is_new else 'from'} {where}" if "`" in where else ""
        sort = self._sort()
        if sort:
            return f"one more {sort}{inside}: {self._name}" if self.is_new else f"one {sort} less{inside}: {self._name}"
        return f"{self._name} {'added' if self.is_new else 'removed'}{inside}{count}"

    @property
    def _name(self) -> str:
        return words.pieces([self._pieces(edit) for edit in self._lead])

    def _sort(self) -> str:
        """What the largest part is one more of, if most weights are its own: its label, or the last word of that."""
        pieces = [piece for edit in self._lead for piece in self._pieces(edit)]
        label = pieces[0].label if len(pieces) == 1 and isinstance(pieces[0], Scope) else ""
        mine = self._params(nodes_of(pieces))
        if not mine or 2 * mine < self._params(self._own):
            return ""
        other = self.matching.left if self.is_new else self.matching.right
        labels = {scope.label for scope in other.scopes() if scope.kind == "block"}
        if label in labels:
            return f"`{label}`"
        sort = label.rpartition("_")[2]
        is_sort = sort != label and len(sort) >= LEAST_WORD and sort in {each.rpartition("_")[2] for each in labels}
        return sort if is_sort else ""

    @cached_property
    def _others(self) -> str:
        """The other parts, by their names, those with the most steps first."""
        rest = {self.key(edit): self._pieces(edit) for edit in self._parts if edit not in self._lead}
        ranked = sorted(rest.values(), key=lambda pieces: -sum(1 for _ in nodes_of(pieces)))
        return _few(list(dict.fromkeys(words.named(pieces[0]) for pieces in ranked)), "other parts")

    @cached_property
    def _reads(self) -> str:
        """What the parts read of the network around them; of parts at several places that says where they stand."""
        if len(self._lead) > 1:
            return ""
        inside = {node for edit in self._parts for node in nodes_of(self._pieces(edit))}
        read = {
            _item(value.node, node): None
            for node in sorted(inside, key=lambda it: self._side.position[it])
            for value in node.operands
            if value.node not in inside and not self._is_lone(value.node)
        }
        return _few([f"`{name}`" for name in read], "other values")

    def _is_lone(self, node: Node) -> bool:
        return node.op.name == "input" and node not in self.matching.back and node not in self.matching.there

    @cached_property
    def _gives(self) -> str:
        """The outputs and losses."""
        found: dict[str, list[str]] = {}
        for end in (edit.end for edit in self.group if edit.end):
            found.setdefault(end.kind, []).append(f"`{end.name}`")
        told = [f"{PLURAL[kind] if len(names) > 1 else kind} {_few(names, 'others')}" for kind, names in found.items()]
        return listed(told) if told else ""

    def _inputs(self, *, is_new: bool) -> list[str]:
        """The inputs that came, or those that went."""
        lone = [edit for edit in self.group if is_lone_input(edit) and bool(edit.right) == is_new]
        return [f"`{edit.name}`" for edit in lone]

    @cached_property
    def _swapped(self) -> list[str]:
        """The inputs that something else stands for now, or that stand for something else."""
        pairs = [pair for edit in self.group for pair in exchanged(self.matching, edit)]
        read = {value.node.path for pair in pairs for value in pair if self._is_lone(value.node)}
        return [name for name in self._inputs(is_new=not self.is_new) if name.strip("`") in read]

    @property
    def _instead(self) -> list[str]:
        """What is read in place of inputs where nothing was added for that."""
        pairs = [pair for edit in self.group for pair in exchanged(self.matching, edit)]
        values = [value for pair in pairs for value in pair if not self._is_lone(value.node)]
        return list(dict.fromkeys(f"`{value.path}`" for value in values))


def _item(node: Node, reader: Node) -> str:
    """The path of the outermost piece around a node that the reader is not in."""
    if node.op.name == "input":
        return node.path
    around = set(_scopes(reader))
    piece: Piece = node
    for scope in _scopes(node):
        if scope in around or scope.parent is None:
            break
        piece = scope
    return piece.path


def _scopes(node: Node) -> Iterator[Scope]:
    """The scopes around a node, the innermost first."""
    scope: Scope | None = node.scope
    while scope is not None:
        yield scope
        scope = scope.parent


def _around(piece: Piece) -> Piece:
    around = piece.scope if isinstance(piece, Node) else piece.parent
    return around if around is not None else piece


def _few(names: Sequence[str], others: str) -> str:
    more = len(names) - MOST_NAMES
    told = [*names[: MOST_NAMES - 1], f"{more + 1} {others}"] if more > 0 else names
    return listed(told) if names else ""


def _inputs(names: Sequence[str]) -> str:
    return f"the input{'s' if len(names) > 1 else ''} {listed(names)}"


def _are(is_one: bool) -> str:
    return "is" if is_one else "are"
