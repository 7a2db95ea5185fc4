"""What a case of an op is, and how torch does it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from hypothesis import strategies as st
from torch import nn

from graphc.tensor import Tensor

Attributes: TypeAlias = dict[str, Any]


Case: TypeAlias = tuple[Attributes, Sequence[Tensor]]


Result: TypeAlias = torch.Tensor | tuple[torch.Tensor, ...]


REFUSALS = (RuntimeError, ValueError, IndexError, NotImplementedError)


@dataclass(frozen=True)
class Oracle:
    """How torch does an op: random attributes and operands, and the module that attributes and operands make."""

    cases: st.SearchStrategy[Case]
    module: Callable[[Attributes, Sequence[Tensor]], nn.Module]


def as_ints(tensor: Tensor) -> tuple[int, ...]:
    assert all(isinstance(size, int) for size in tensor.shape)
    return tuple(int(str(size)) for size in tensor.shape)
