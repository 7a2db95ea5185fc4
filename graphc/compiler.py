"""The way through, in one place: source → spec → elaborate → check."""

from __future__ import annotations

from graphc import library
from graphc.check import require
from graphc.diagnostics import Diagnostic
from graphc.elaborate import elaborate
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
