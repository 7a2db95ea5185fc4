"""The graph that an address on the command line leads to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graphc.diagnostics import Diagnostic
    from graphc.graph import Graph
    from graphc.settings import Settings


def is_spec(address: str) -> bool:
    """Whether an address is that of a spec; otherwise it is a saved graph's, or a model's.

    Backends say what they read; they aren't loaded for what is a spec in any case.
    """
    suffix = Path(address).suffix.lower()
    return not suffix or suffix.startswith((".yaml", ".yml"))


def compiled(address: str, set_: Sequence[str] | None, size: Sequence[str] | None) -> Graph:
    """The checked graph at an address; what is worth a look is shown.

    Raises:
        SpecError: there is none, or something is wrong with it.
    """
    from graphc.cli.progress import Progress
    from graphc.cli.terminal import findings
    from graphc.settings import read_settings

    with Progress() as progress:
        progress.tell(f"compiling {address}")
        graph, warnings = _graph(address, read_settings(set_ or (), size or ()))
    findings(warnings)
    return graph


def compiled_partly(address: str, settings: Settings) -> tuple[Graph | None, bool, list[Diagnostic]]:
    """The graph as far as it is in order, whether that is all of it, and what is wrong or worth a look.

    Raises:
        SpecError: there is no part of it.
    """
    from graphc.cli.progress import Progress
    from graphc.compiler import compile_partly

    with Progress() as progress:
        progress.tell(f"compiling {address}")
        if is_spec(address):
            return compile_partly(address, settings)
        graph, found = _graph(address, settings)
    return graph, True, found


def _graph(address: str, settings: Settings) -> tuple[Graph, list[Diagnostic]]:
    if is_spec(address):
        from graphc.compiler import compile_with_warnings

        return compile_with_warnings(address, settings)
    from graphc.sources import graph_of

    return graph_of(address, settings)
