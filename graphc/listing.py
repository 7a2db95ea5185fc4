"""The specs that there are, with their variants and what each comes to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from graphc import library
from graphc.diagnostics import Diagnostic, SpecError

if TYPE_CHECKING:
    from graphc.graph import Graph, Value
    from graphc.spec import Spec


@dataclass(frozen=True, slots=True)
class Listed:
    """A spec as it was found: `address` leads to it, `variants` are those meant, None where it has none.

    One that can't be read has only what is wrong with it.
    """

    address: str
    spec: Spec | None
    variants: tuple[str | None, ...] = (None,)
    wrong: tuple[Diagnostic, ...] = ()

    @property
    def heading(self) -> str:
        """Its title, and that of its paper with the year."""
        if self.spec is None:
            return ""
        paper = self.spec.paper
        if paper is None:
            return self.spec.title
        title = paper.title if paper.title.startswith(self.spec.title) else f"{self.spec.title}: {paper.title}"
        return f"{title} ({paper.year})" if paper.year else title


@dataclass(frozen=True, slots=True)
class Entry:
    """What a variant comes to at its example sizes; `macs` is None where an op has no rule.

    `wrong` has the errors of one that does not come to anything.
    """

    address: str
    variant: str | None = None
    params: int = 0
    macs: int | None = None
    inputs: tuple[tuple[str, tuple[int, ...]], ...] = ()
    outputs: tuple[tuple[str, tuple[int, ...]], ...] = ()
    wrong: tuple[Diagnostic, ...] = ()

    def data(self) -> dict[str, object]:
        """All of it, as JSON can have it; shapes are at the example sizes."""
        return {
            "address": self.address,
            "variant": self.variant,
            "params": None if self.wrong else self.params,
            "macs": self.macs,
            "inputs": {name: list(shape) for name, shape in self.inputs},
            "outputs": {name: list(shape) for name, shape in self.outputs},
            "wrong": [f"{each.span}: {each.code}: {each.message}" for each in self.wrong],
        }


def found(places: Iterable[str]) -> Iterator[Listed]:
    """The specs at some addresses, in folders those in the files below; without any, those that come with graphc.

    In a folder only what names itself a spec is one: blocks alone, and what other programs read, are left out.
    """
    for place in list(places) or library.names():
        if Path(place).is_dir():
            files = sorted(path for end in ("yaml", "yml") for path in Path(place).rglob(f"*.{end}"))
            yield from (_read(str(path)) for path in files if _is_spec(path))
        else:
            yield _read(place)


def entry(listed: Listed, variant: str | None) -> Entry:
    """What a variant of a spec comes to."""
    from graphc.compiler import compile_spec

    address = f"{listed.address}:{variant}" if variant else listed.address
    if listed.spec is None:
        return Entry(address, variant, wrong=listed.wrong)
    try:
        graph, _ = compile_spec(listed.spec, variant)
    except SpecError as error:
        return Entry(address, variant, wrong=tuple(error.diagnostics))
    return _entry(address, variant, graph)


def _entry(address: str, variant: str | None, graph: Graph) -> Entry:
    from graphc.cost import macs, parameters
    from graphc.dims import Size, substitute

    examples = graph.examples()

    def number(size: Size) -> int:
        return int(str(substitute(size, examples)))

    def shapes(values: dict[str, Value]) -> tuple[tuple[str, tuple[int, ...]], ...]:
        return tuple((name, tuple(map(number, value.type.shape))) for name, value in values.items())

    cost = macs(graph)
    return Entry(
        address,
        variant,
        number(parameters(graph)),
        None if cost is None else number(cost),
        shapes(graph.inputs),
        shapes(graph.outputs),
    )


def _read(address: str) -> Listed:
    try:
        spec, variant = library.load(address)
    except SpecError as error:
        return Listed(address, None, wrong=tuple(error.diagnostics))
    if variant is None:
        return Listed(address, spec, tuple(spec.variants) or (None,))
    return Listed(spec.name if address == variant else address.removesuffix(f":{variant}"), spec, (variant,))


def _is_spec(path: Path) -> bool:
    """Whether a file begins as a spec does, and has a graph: a key of the file's own, at the start of a line."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return False
    keys = {line.partition(":")[0] for line in lines if line[:1].isalpha()}
    return "graphc" in keys and bool(keys & {"graph", "extends"})
