"""What a picture says of an op or a block, in few words: `3×3, 64, stride 2`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import reduce

from graphc.graph import Graph, Node, Paper, Scope
from graphc.words import arguments, attributes, unnumbered
from graphc_graphviz.style import family

LONGEST_DIGEST = 6
PASSING = frozenset({"activation", "norm"})
"""Kinds of op that a digest leaves out."""


def op_words(nodes: Sequence[Node]) -> str:
    """The op's name, where the step's own does not say it, and the attributes that differ from their defaults.

    Where several equal copies are drawn as one, a number that goes from copy to copy is told as `0.1…0.2`.
    """
    first = nodes[0]
    own = "" if unnumbered(_last_name(first.path)) == first.op.name else first.op.name
    return f"{own} {', '.join(_ranged([attributes(node) for node in nodes]))}".strip()


def block_words(scopes: Sequence[Scope]) -> str:
    """As `op_words`, of blocks: the numbers that the caller gave them."""
    first = scopes[0]
    silent = first.kind != "block" or unnumbered(_last_name(first.path)) == first.label
    words = [word for word in _ranged([arguments(scope) for scope in scopes]) if word != "0"]
    return f"{'' if silent else first.label} {', '.join(words)}".strip()


def digest(scope: Scope) -> tuple[str, ...]:
    """What a closed `do` is made of, a line for each kind of step: `bottleneck 128 ×4`."""
    found: dict[str, list[tuple[str, ...]]] = {}
    for label, words in _steps(scope):
        found.setdefault(label, []).append(words)
    lines = [_line(label, words) for label, words in found.items()]
    return (*lines[:LONGEST_DIGEST], "…") if len(lines) > LONGEST_DIGEST else tuple(lines)


def title(graph: Graph) -> str:
    """The title, and the variant's name where the title does not say it."""
    said = "".join(filter(str.isalnum, graph.title.lower()))
    parts = (graph.title, "" if said == graph.name.lower() else graph.name)
    return " · ".join(filter(None, parts))


def reference(paper: Paper) -> str:
    """A paper as a list of references has it."""
    year = str(paper.year) if paper.year else ""
    arxiv = f"arXiv:{paper.arxiv}" if paper.arxiv else ""
    return ", ".join(filter(None, (paper.authors, paper.title, year, arxiv)))


def quantity(number: int) -> str:
    """A count with three digits: `25.6M`."""
    for power, unit in ((12, "T"), (9, "G"), (6, "M"), (3, "k")):
        if number >= 10**power:
            digits = f"{number / 10**power:.3g}"
            return f"{float(digits):g}{unit}"
    return str(number)


def _last_name(path: str) -> str:
    """The last name in a path that is not a copy's number."""
    return next((name for name in reversed(path.split(".")) if not name.isdigit()), "")


def _ranged(told: Sequence[Sequence[str]]) -> Sequence[str]:
    """The words of the first copy; where the last has another number, from the one to the other."""
    first, last = told[0], told[-1]
    return [_between(*pair) for pair in zip(first, last, strict=True)] if len(first) == len(last) else first


def _between(first: str, last: str) -> str:
    pieces, others = first.split(), last.split()
    if len(pieces) != len(others):
        return first
    return " ".join(a if a == b else f"{a}…{b}" for a, b in zip(pieces, others, strict=True))


def _steps(scope: Scope) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The steps of a scope and of all `do`, branches and copies in it: what each is, and its words."""
    for item in scope.items:
        match item:
            case Scope(kind="block") if any(item.nodes()):
                yield item.label, arguments(item)
            case Scope():
                yield from _steps(item)
            case Node() if not item.inline and family(item.op) not in PASSING:
                yield item.op.name, attributes(item)


def _line(label: str, words: Iterable[tuple[str, ...]]) -> str:
    """A kind of step, the words that all of them have, and how many they are."""
    each = list(words)
    common = reduce(lambda left, right: tuple(word for word in left if word in right), each)
    if common[:1] != each[0][:1]:
        common = tuple(word for word in common if " " not in word)  # what is named tells little without the main one
    count = f" ×{len(each)}" if len(each) > 1 else ""
    return f"{label} {', '.join(common)}".strip() + count
