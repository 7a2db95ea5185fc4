"""Weights as a file of the safetensors format, by the keys of the module's state dict."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from graphc.graph import Graph
from graphc.initial import initial_values
from graphc_torch.given import given


def save(graph: Graph, path: Path, weights: Mapping[str, object] | None) -> None:
    """Writes the weights given, or else the initial values.

    Raises:
        ValueError: weights are given, and one is missing or has another shape.
    """
    from safetensors.numpy import save_file

    save_file(dict(initial_values(graph) if weights is None else given(graph, weights)), path)
