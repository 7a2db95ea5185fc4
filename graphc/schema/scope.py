"""The names that a spec may use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from re import escape

from graphc.ops import OPS
from graphc.schema.calls import ARGUMENTS, PARAMETER, PLACED, Call, call_of_class, kind_of
from graphc.schema.pieces import Json
from graphc.schema.written import Written, entries, standard, table, written
from graphc.source import Mapping, Tree

ANYTHING = "^\\S+$"
"""Matches every name."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What steps may be called, and what the file declares; `others` matches the names that can't be known.

    `shared` are the modules that are used by their names; one may be called as the block that it is made of.
    `settings` is what may be given for each parameter of the file. None stands for what is not known.
    """

    calls: dict[str, Call]
    others: str | None = None
    shared: tuple[str, ...] = ()
    title: str = "A graphc spec"
    dims: tuple[str, ...] = ()
    variants: tuple[str, ...] | None = None
    settings: dict[str, Json] | None = None
    outputs: tuple[str, ...] | None = None


def any_scope() -> Scope:
    """What every spec may use."""
    return Scope({**{name: call_of_class(op) for name, op in OPS.items()}, **standard().blocks()}, others=ANYTHING)


def scope_of(address: str) -> Scope:
    """What the spec at an address may use; where its form is wrong, what can be read of it.

    Raises:
        SpecError: there is no such spec, or it is not YAML.
    """
    file, used = written(address)
    if not isinstance(file.tree, Mapping):
        return any_scope()
    unread = [f"^{escape(name)}(\\.|$)" for name, other in used.items() if other is None or not other.whole]
    return Scope(
        calls=any_scope().calls | file.blocks() | dict(_of_used(used)) | dict(_of_parameters(file)),
        others=("|".join(unread) or None) if file.whole else ANYTHING,
        shared=tuple(name for scope in _scopes(file) for name in table(scope, "shared")),
        title=f"The graphc spec {file.text('name')}".rstrip(),
        dims=tuple(file.table("dims")),
        variants=tuple(file.table("variants")),
        settings=_settings(file) if file.whole else None,
        outputs=(tuple(file.table("outputs")) or None) if file.whole else None,
    )


def _settings(file: Written) -> dict[str, Json]:
    """What may be given for each parameter of the file."""
    return {name: ARGUMENTS[kind_of(tree, file.is_step)] for name, tree in file.table("params").items()}


def _of_used(used: dict[str, Written | None]) -> Iterator[tuple[str, Call]]:
    """The files that a file uses, each with its variants and blocks."""
    for name, file in used.items():
        if file is not None:
            variants = file.table("variants")
            yield name, file.call(file.text("default") or next(iter(variants), ""))
            yield from ((f"{name}.{variant}", file.call(variant)) for variant in variants)
            yield from ((f"{name}.{block}", call) for block, call in file.blocks().items())


def _of_parameters(file: Written) -> Iterator[tuple[str, Call]]:
    """The parameters that can be steps, of the file and of its blocks."""
    for scope in _scopes(file):
        params = table(scope, "params").items()
        yield from ((f"${name}", PARAMETER) for name, tree in params if kind_of(tree, file.is_step) in PLACED)


def _scopes(file: Written) -> Iterator[Tree]:
    """What may declare parameters and shared modules."""
    yield file.tree
    yield from file.table("blocks").values()
    yield from (tree for key, tree in entries(file.tree).items() if key in ("training", "sampling"))
