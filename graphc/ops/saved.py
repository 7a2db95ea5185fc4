"""What autograd keeps of an op for the backward pass, weights not counted."""

from __future__ import annotations

from dataclasses import dataclass

from graphc.dims import Size


@dataclass(frozen=True, slots=True)
class Saved:
    """Which operands and outputs are kept as they are, and how many bytes beside them.

    `operands` are the numbers of those that are kept. With `factors` each is where another one takes part in the
    training: the gradient of a product is the other factor.
    """

    operands: tuple[int, ...] = ()
    factors: bool = False
    outputs: bool = False
    extra: Size = 0


NOTHING = Saved()
INPUT = Saved((0,))
OUTPUT = Saved(outputs=True)
FACTORS = Saved(factors=True)
