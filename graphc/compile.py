"""The way through, in one place: source → spec → elaborate → check."""

from __future__ import annotations

from graphc import library
from graphc.check import require
from graphc.diagnostics import Diagnostic
from graphc.elaborate import elaborate
from graphc.graph import Graph


def compile(address: str) -> Graph:
    """The checked graph of the spec at an address: `unet`, `resnet:resnet18`, `specs/unet.yaml`.

    Raises:
        graphc.diagnostics.SpecError: something is wrong with it; all that was found.
    """
    return compile_with_warnings(address)[0]


def compile_with_warnings(address: str) -> tuple[Graph, list[Diagnostic]]:
    """The checked graph, and what is not wrong but worth a look."""
    spec, variant = library.load(address)
    graph = elaborate(spec, library.standard(), variant)
    return graph, require(graph)
