"""Names that are given and never used.

They are looked for in the text, as a name that one variant alone leaves unread is no mistake.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from graphc.diagnostics import Diagnostic
from graphc.source import Mapping, Scalar, Sequence, Tree

_WORD = re.compile(r"[^\W\d]\w*")
_DECLARED = {"dims": "the free size", "params": "the parameter"}
"""The groups of a block or a file whose names something should use."""
_APART = ("blocks", "variants")
"""What neither uses a file's names nor declares them."""
_INSIDE = re.compile(r"\.\s*([^\W\d]\w*)")
"""A name that is read inside another one: `unit.scale`."""


def read_inside(tree: Tree) -> set[str]:
    """The names that some text reads inside another name."""
    own = _INSIDE.findall(tree.text) if isinstance(tree, Scalar) else ()
    return {*own, *(name for inner in _inner(tree) for name in read_inside(inner))}


def unused(tree: Mapping, elsewhere: Collection[str]) -> Iterator[Diagnostic]:
    """What a block, or a file apart from its blocks, declares and nothing in it mentions, nor reads `elsewhere`.

    An unread `let` is an error, as it is most often a misspelt name; the others are warnings.
    """
    parts = [value for key, value in tree.values.items() if key not in _APART]
    words = {word for part in parts for word in _words(part)} | {*elsewhere}
    for name in (name for part in parts for name in _lets(part)):
        if name.text not in words:
            yield Diagnostic("E307", f"nothing reads `{name.text}`", name.span)
    for group, what in _DECLARED.items():
        declared = tree.values.get(group)
        for name in declared.keys.values() if isinstance(declared, Mapping) else ():
            if name.text not in words:
                yield Diagnostic("W102", f"nothing uses {what} `{name.text}`", name.span, severity="warning")


def _words(tree: Tree) -> Iterator[str]:
    """Every word in a text, and in a key that is a parameter: `$norm`."""
    texts = [tree.text] if isinstance(tree, Scalar) else [key for key in _keys(tree) if "$" in key]
    for text in texts:
        yield from _WORD.findall(text)
    for inner in _inner(tree):
        yield from _words(inner)


def _lets(tree: Tree) -> Iterator[Scalar]:
    """Every name that a `let` gives."""
    let = tree.values.get("let") if isinstance(tree, Mapping) else None
    if isinstance(let, Mapping):
        yield from let.keys.values()
    for inner in _inner(tree):
        yield from _lets(inner)


def _keys(tree: Tree) -> list[str]:
    return list(tree.keys) if isinstance(tree, Mapping) else []


def _inner(tree: Tree) -> list[Tree]:
    if isinstance(tree, Mapping):
        return list(tree.values.values())
    return tree.items if isinstance(tree, Sequence) else []
