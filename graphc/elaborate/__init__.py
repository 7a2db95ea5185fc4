"""Spec → graph: parameters, loops, conditions and blocks are expanded, and each op is checked as it is made."""

from __future__ import annotations

from graphc.diagnostics import Diagnostic, SpecError
from graphc.elaborate.build import all_files
from graphc.elaborate.root import Root
from graphc.elaborate.things import Failed, Stopped
from graphc.graph import Graph
from graphc.settings import NO_SETTINGS, Settings
from graphc.spec import Spec

__all__ = ["elaborate", "elaborate_partly"]


def elaborate(spec: Spec, standard: Spec, variant: str | None = None, settings: Settings = NO_SETTINGS) -> Graph:
    """The graph of a spec, in a variant (None: the default one) and with settings.

    `standard` has the blocks that are always in scope. Under settings the graph has no expectations.

    Raises:
        SpecError: the spec is wrong; all that was found.
    """
    graph, found = elaborate_partly(spec, standard, variant, settings)
    if found or graph is None:
        raise SpecError(found)
    return graph


def elaborate_partly(
    spec: Spec, standard: Spec, variant: str | None = None, settings: Settings = NO_SETTINGS
) -> tuple[Graph | None, list[Diagnostic]]:
    """The graph of those steps that are in order, and all that is wrong; None where there is not even a part of it."""
    root = Root(spec, standard, variant if variant is not None else spec.default, settings)
    try:
        graph = root.graph()
    except (Failed, Stopped):
        graph = None
    return graph, [*all_wrong(spec), *root.build.found.values()]


def all_wrong(spec: Spec) -> list[Diagnostic]:
    """What is wrong with the form of a file, and of those that it uses."""
    return list(dict.fromkeys(found for file in all_files(spec) for found in file.wrong))
