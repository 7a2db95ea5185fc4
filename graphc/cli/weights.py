"""`--weights`: the file that gives a graph its weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING

from graphc.backends import Backend, BackendError
from graphc.cli.graphs import is_spec
from graphc.diagnostics import SpecError, listed

if TYPE_CHECKING:
    from graphc.graph import Graph
    from graphc.initial import Array


@dataclass(frozen=True, slots=True)
class Given:
    """A file of weights for the spec at an address."""

    file: Path
    address: str

    def weights(self, graph: Graph) -> Mapping[str, Array]:
        """The weights in the file.

        Raises:
            graphc.diagnostics.SpecError: it can't be read, or doesn't fit the graph.
        """
        from graphc.checkpoint import read_weights

        try:
            return read_weights(graph, self.file, said="--weights")
        except SpecError as error:
            raise self._with_hint(error) from error

    def _with_hint(self, error: SpecError) -> SpecError:
        """The error, and to which variant of the spec the file fits instead."""
        if any(found.code != "E702" for found in error.diagnostics):
            return error
        fits = None if self.address == "-" else next(self._fitting(), None)
        return SpecError(replace(found, hint=f"it fits {fits}") if fits else found for found in error.diagnostics)

    def _fitting(self) -> Iterator[str]:
        """The variants of the spec that the file fits."""
        from graphc import library
        from graphc.checkpoint import read_weights
        from graphc.elaborate import elaborate

        if not is_spec(self.address):
            return
        spec, _ = library.load(self.address)
        for variant in spec.variants:
            with suppress(SpecError):
                read_weights(elaborate(spec, library.standard(), variant), self.file)
                yield f"{spec.name}:{variant}"


def require_use(chosen: Mapping[str, Backend]) -> None:
    """Something that is written must have weights in it.

    Raises:
        BackendError: nothing has.
    """
    if not any("weights" in signature(backend.write).parameters for backend in chosen.values()):
        suffixes = listed(list(chosen))
        raise BackendError(f"--weights is for files with weights in them, which {suffixes} has not")
