"""graphc: a compiler for neural-network architectures.

`graphc.compile("resnet50")` gives a `graphc.Graph`; what it can become are its methods. To import this is cheap: what a
name stands for is imported when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = ["Graph", "SpecError", "SpecWarning", "__version__", "compile"]

__version__ = "0.1.0"

if TYPE_CHECKING:
    from graphc.api import SpecWarning, compile
    from graphc.diagnostics import SpecError
    from graphc.graph import Graph
else:
    _PLACES = {
        "Graph": "graphc.graph",
        "SpecError": "graphc.diagnostics",
        "SpecWarning": "graphc.api",
        "compile": "graphc.api",
    }

    def __getattr__(name: str) -> object:
        """A public name, from where it is defined (PEP 562)."""
        if name not in _PLACES:
            raise AttributeError(f"module `graphc` has no attribute `{name}`")
        from importlib import import_module

        globals()[name] = getattr(import_module(_PLACES[name]), name)
        return globals()[name]

    def __dir__() -> list[str]:
        return sorted(__all__)
