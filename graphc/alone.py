"""A block as a spec of its own: what a person looks at when only that block matters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from graphc.demands import Rule
from graphc.graph import FreeSize
from graphc.reader.scalars import is_name
from graphc.spec import Block, Pattern, Spec

EXAMPLE = 64
"""The size of an axis of which the file says nothing."""


def alone(spec: Spec, name: str) -> Spec:
    """A spec whose main graph is a block of another one.

    The sizes of its inputs are free, with the file's own example where it has a size of that name. An input that
    may be absent is.

    Raises:
        ValueError: the block doesn't say what it takes.
    """
    block = spec.blocks[name]
    inputs = _declared(block)
    names = dict.fromkeys(n for pattern in inputs.values() for n in _names(pattern) if n not in block.params)
    sizes = {n: spec.sizes.get(n) or FreeSize(n, EXAMPLE, Rule(), frozenset(), block.span) for n in names}
    return replace(
        spec,
        name=name,
        title="",
        paper=None,
        main=block,
        variants={},
        default=None,
        sizes={n: replace(size, rule=Rule(), promises=frozenset()) for n, size in sizes.items()},
        expect={},
        training=None,
        sampling=None,
        init=None,
        weights={},
        unused=(),
    )


def _declared(block: Block) -> dict[str, Pattern]:
    """The inputs of a block, all of them values of a known number of axes."""
    if block.inputs is None:
        raise ValueError(f"`{block.name}` can't stand alone: it doesn't say what it takes")
    for pattern in block.inputs.values():
        if pattern.rest or pattern.kind == "list":
            raise ValueError(f"`{block.name}` can't stand alone: the shape of `{pattern.name}` is open")
    return block.inputs


def _names(pattern: Pattern) -> Iterator[str]:
    return filter(None, map(is_name, pattern.sizes))
