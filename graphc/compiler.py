"""The way through, in one place: source → spec → elaborate → check."""

from __future__ import annotations

from graphc import library
from graphc.check import require
from graphc.diagnostics import Diagnostic, SpecError
from graphc.elaborate import elaborate, elaborate_partly
from graphc.graph import Graph
from graphc.settings import NO_SETTINGS, Settings
from graphc.spec import Spec


def compile(address: str, settings: Settings = NO_SETTINGS) -> Graph:
    """The checked graph of the spec at an address: `unet`, `resnet:resnet18`, `specs/unet.yaml`.

    What the spec expects holds for it as it is: under settings expectations are not checked.

    Raises:
        graphc.diagnostics.SpecError: something is wrong with it; all that was found.
    """
    return compile_with_warnings(address, settings)[0]


def compile_with_warnings(address: str, settings: Settings = NO_SETTINGS) -> tuple[Graph, list[Diagnostic]]:
    """The checked graph, and what is not wrong but worth a look."""
    return compile_spec(*library.load(address), settings)


def compile_spec(
    spec: Spec, variant: str | None = None, settings: Settings = NO_SETTINGS
) -> tuple[Graph, list[Diagnostic]]:
    """The same of a spec that was read already."""
    graph = elaborate(spec, library.standard(), variant, settings)
    return graph, require(graph)


def compile_partly(address: str, settings: Settings = NO_SETTINGS) -> tuple[Graph | None, bool, list[Diagnostic]]:
    """The graph as far as it is in order, whether that is all of it, and all that is wrong or worth a look.

    The graph is None where there is no part of it.

    Raises:
        SpecError: the address leads to no spec, or its form is so wrong that nothing can be elaborated.
    """
    spec, variant = library.load(address)
    graph, found = elaborate_partly(spec, library.standard(), variant, settings)
    if graph is None or found:
        return graph, False, found
    try:
        return graph, True, require(graph)
    except SpecError as error:
        return graph, True, list(error.diagnostics)
