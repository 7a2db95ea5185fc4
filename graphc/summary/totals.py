"""What a graph comes to as a whole."""

from __future__ import annotations

from dataclasses import dataclass

from graphc import cost
from graphc.dims import Size, substitute
from graphc.graph import Graph

BYTES = {"float32": 4, "int64": 8, "bool": 1}


@dataclass(frozen=True, slots=True)
class Totals:
    """The counts of `graphc.cost`, for the example sizes.

    `params` and `macs` are the main graph's; `training_params` has also those that exist in training alone, of which
    and of all others `frozen` are not trained. `macs` is None where some ops, `uncounted`, have no rule. `bytes` are
    those of the main graph's weights, buffers included.
    """

    params: int
    training_params: int
    frozen: int
    buffers: int
    bytes: int
    macs: int | None
    uncounted: tuple[str, ...]

    @property
    def trainable(self) -> int:
        return self.training_params - self.frozen


def totals_of(graph: Graph) -> Totals:
    """A graph's totals."""
    examples = graph.examples()

    def count(size: Size) -> int:
        return int(str(substitute(size, examples)))

    macs = cost.macs(graph)
    weights = [weight for _, weight in graph.weights()]
    return Totals(
        params=count(cost.parameters(graph)),
        training_params=count(cost.training_parameters(graph)),
        frozen=count(cost.frozen_parameters(graph)),
        buffers=sum(count(weight.count) for weight in weights if weight.buffer),
        bytes=sum(count(weight.count) * BYTES[weight.dtype] for weight in weights),
        macs=None if macs is None else count(macs),
        uncounted=tuple(sorted({node.op.name for node in graph.nodes if node.macs() is None})),
    )
