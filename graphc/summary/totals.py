"""What a graph comes to as a whole."""

from __future__ import annotations

from dataclasses import dataclass

from graphc import cost
from graphc.cost.examples import Examples
from graphc.cost.footprint import Memory
from graphc.graph import Graph


@dataclass(frozen=True, slots=True)
class Totals:
    """The counts of `graphc.cost`, for the example sizes.

    `params` and `macs` are the main graph's; `training_params` has also those that exist in training alone, of which
    and of all others `frozen` are not trained. `macs` is None where some ops, `uncounted`, have no rule, `flops` where
    some are `unworked`. `bytes` are those of the main graph's weights, buffers included, `memory` those of its values.
    """

    params: int
    training_params: int
    frozen: int
    buffers: int
    bytes: int
    macs: int | None
    uncounted: tuple[str, ...]
    flops: int | None
    unworked: tuple[str, ...]
    memory: Memory

    @property
    def trainable(self) -> int:
        return self.training_params - self.frozen


def totals_of(graph: Graph) -> Totals:
    """A graph's totals."""
    count = Examples(graph.examples()).count
    macs, flops, memory = cost.macs(graph), cost.flops(graph), cost.memory(graph)
    return Totals(
        params=count(cost.parameters(graph)),
        training_params=count(cost.training_parameters(graph)),
        frozen=count(cost.frozen_parameters(graph)),
        buffers=count(cost.buffers(graph)),
        bytes=memory.weights,
        macs=None if macs is None else count(macs),
        uncounted=cost.uncounted(graph),
        flops=None if flops is None else count(flops),
        unworked=cost.unworked(graph),
        memory=memory,
    )
