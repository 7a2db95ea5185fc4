"""One row of the table of ops: how random cases are drawn, how torch does them, settled cases, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from graphc.tensor import Tensor
from optable.case import Attributes, Case, Oracle


@dataclass(frozen=True)
class Refusal:
    """Operands that an op refuses with these attributes, and what a spec is told: the beginning, or a piece of it."""

    attributes: Attributes
    operands: Sequence[Tensor]
    message: str
    code: str = "E501"


@dataclass(frozen=True)
class Wrong:
    """Attributes that an op never takes, and what a spec is told; nothing where no spec can write them."""

    attributes: Attributes
    message: str
    code: str = "E404"


@dataclass(frozen=True)
class Row:
    """An op: the oracle, cases with free sizes that are worth a line each, and what must be refused."""

    oracle: Oracle
    settled: Sequence[Case] = ()
    refused: Sequence[Refusal] = ()
    wrong: Sequence[Wrong] = ()


def on(operands: tuple[Tensor, ...], *attributes: Attributes) -> list[Case]:
    """Cases with the same operands."""
    return [(given, operands) for given in attributes]


def each(attributes: Attributes, *operands: tuple[Tensor, ...]) -> list[Case]:
    """Cases with the same attributes."""
    return [(attributes, given) for given in operands]
