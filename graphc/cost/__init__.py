"""What a graph costs, from the graph alone: docs/costs.md has each definition."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from graphc.cost.counts import buffers, frozen_parameters, macs, parameters, training_parameters, uncounted

if TYPE_CHECKING:
    from graphc.cost.field import AxisField, Field, fields, receptive_field
    from graphc.cost.footprint import Memory, activations, memory
    from graphc.cost.operations import flops, flops_of, unworked

__all__ = [
    "AxisField",
    "Field",
    "Memory",
    "activations",
    "buffers",
    "fields",
    "flops",
    "flops_of",
    "frozen_parameters",
    "macs",
    "memory",
    "parameters",
    "receptive_field",
    "training_parameters",
    "uncounted",
    "unworked",
]

_LATER = {
    "field": ("AxisField", "Field", "fields", "receptive_field"),
    "footprint": ("Memory", "activations", "memory"),
    "operations": ("flops", "flops_of", "unworked"),
}
"""What is imported when it is asked for: `graphc check` needs the counts alone."""


def __getattr__(name: str) -> object:
    for module, names in _LATER.items():
        if name in names:
            return getattr(import_module(f"graphc.cost.{module}"), name)
    raise AttributeError(f"module `graphc.cost` has no `{name}`")
