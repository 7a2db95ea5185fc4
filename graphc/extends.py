"""`extends`: what a file says on top of another one, merged as trees before either is read.

Mappings merge key by key, a block is replaced whole, lists of steps are appended. What describes a publication or one
of its figures is not inherited: it would be false of the new file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from graphc.source import Mapping, Sequence, Tree

Merge: TypeAlias = Callable[[Tree, Tree], Tree]

OWN = ("name", "title", "paper", "extends", "variants", "default", "expect")
"""The keys that a file does not inherit."""


def merged(base: Tree, own: Tree) -> Tree:
    """The tree of a file that extends `base`; what is of another form is left for the reader to refuse."""
    if not isinstance(base, Mapping) or not isinstance(own, Mapping):
        return own
    inherited = Mapping(base.span, dict(base.keys), dict(base.values))
    for key in OWN:
        inherited.keys.pop(key, None)
        inherited.values.pop(key, None)
    found = _keys(inherited, own, lambda key: _MERGES.get(key, _replaced))
    return Mapping(own.span, found.keys, found.values)


def _keys(base: Mapping, own: Mapping, merge: Callable[[str], Merge]) -> Mapping:
    """Both mappings in one; what both have is merged as its key asks."""
    keys, values = {**base.keys, **own.keys}, dict(base.values)
    for key, value in own.values.items():
        values[key] = merge(key)(values[key], value) if key in values else value
    return Mapping(own.span, keys, values)


def _replaced(_: Tree, own: Tree) -> Tree:
    return own


def _appended(base: Tree, own: Tree) -> Tree:
    if isinstance(base, Sequence) and isinstance(own, Sequence):
        return Sequence([*base.items, *own.items], own.span)
    return own


def _by_key(base: Tree, own: Tree) -> Tree:
    if isinstance(base, Mapping) and isinstance(own, Mapping):
        return _keys(base, own, lambda _: _replaced)
    return own


def _tables(base: Tree, own: Tree) -> Tree:
    """Tables merge rule by rule."""
    if isinstance(base, Mapping) and isinstance(own, Mapping):
        return _keys(base, own, lambda _: _by_key)
    return own


def _part(base: Tree, own: Tree) -> Tree:
    """Training and sampling merge as the file around them."""
    if isinstance(base, Mapping) and isinstance(own, Mapping):
        return _keys(base, own, lambda key: _MERGES.get(key, _replaced))
    return own


_MERGES: dict[str, Merge] = {
    "blocks": _by_key,
    "dims": _by_key,
    "frozen": _appended,
    "graph": _appended,
    "init": _by_key,
    "inputs": _by_key,
    "losses": _by_key,
    "outputs": _by_key,
    "params": _by_key,
    "sampling": _part,
    "shared": _by_key,
    "training": _part,
    "use": _by_key,
    "weights": _tables,
}
"""How the values of a key that both files have come together; others are replaced."""
