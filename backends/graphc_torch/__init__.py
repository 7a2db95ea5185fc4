"""Backend: PyTorch. Readable source, and the module that it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphc.graph import Graph

if TYPE_CHECKING:
    from torch import nn

SUFFIXES = {".py": "PyTorch source"}

__all__ = ["SUFFIXES", "module", "source", "write"]


def source(graph: Graph) -> str:
    """One Python file that needs nothing but torch.

    Raises:
        graphc.diagnostics.SpecError: an op has no lowering here.
    """
    from graphc_torch.writer import source as source_of

    return source_of(graph)


def module(graph: Graph, seed: int = 0) -> nn.Module:
    """The live module: the source, loaded, with the initial values of the seed.

    Raises:
        graphc.diagnostics.SpecError: an op has no lowering here.
    """
    from graphc_torch.live import load

    return load(graph, seed)


def write(graph: Graph, path: Path, **options: Any) -> None:
    """Writes the source to `path`."""
    path.write_text(source(graph), encoding="utf-8", newline="\n")
