"""How torch does ops that are alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from hypothesis import strategies as st
from torch import nn

from graphc.tensor import Tensor
from optable.case import Attributes, Oracle, Result, as_ints
from optable.drawing import one, pairs, two, values


class Apply(nn.Module):
    """A function as a module."""

    def __init__(self, function: Callable[..., Result]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *operands: torch.Tensor) -> Result:
        return self.function(*operands)


def in_features(operands: Sequence[Tensor], axis: int) -> int:
    """The size that sets the number of weights."""
    shape = as_ints(operands[0])
    if not -len(shape) <= axis < len(shape):
        raise ValueError(f"no axis {axis} in {shape}")
    return shape[axis]


def operator(function: Callable[..., torch.Tensor], *, ones: bool = False) -> Oracle:
    """A function of two values; `ones` where nothing can be divided by the zeros that all others are."""
    second = torch.ones_like if ones else torch.zeros_like
    return Oracle(two(pairs()), lambda a, _: Apply(lambda x, y: function(x, second(y))))


def pointwise(function: Callable[..., Result], **attributes: st.SearchStrategy[Any]) -> Oracle:
    """A function of one value."""
    return Oracle(one(values(), **attributes), lambda a, _: Apply(lambda x: function(x, **a)))


def with_class_axis(attributes: Attributes, x: torch.Tensor) -> Attributes:
    """torch's own choice of the axis is another, and it gives a single number an axis 0."""
    if x.dim() == 0 or (x.dim() > 2 and "dim" not in attributes):
        raise IndexError("no axis is given")
    return {"dim": -1} | attributes


def of_reals(x: torch.Tensor) -> torch.Tensor:
    if x.dtype != torch.float32:
        raise ValueError("no real numbers")
    return x


def of_rank_4(x: torch.Tensor) -> torch.Tensor:
    """torch takes other ranks too, with a warning."""
    if x.dim() != 4:
        raise ValueError("no image")
    return x


def made(function: Callable[..., torch.Tensor], **attributes: st.SearchStrategy[Any]) -> Oracle:
    """A function that takes no value."""
    drawn = one(st.just(Tensor(())), **attributes).map(lambda case: (case[0], ()))
    return Oracle(drawn, lambda a, _: Apply(lambda: function(**a)))


def layer(name: str, axes: int) -> Callable[..., nn.Module]:
    """The module of torch for so many axes."""
    found: Callable[..., nn.Module] = getattr(nn, f"{name}{axes}d")
    return found


def batched(axes: int, operands: Sequence[Tensor], module: nn.Module) -> nn.Module:
    """torch takes a value without a batch too."""
    if operands[0].rank != axes + 2:
        raise ValueError("axes")
    return module


def of_numbers(x: torch.Tensor) -> torch.Tensor:
    if x.dtype == torch.bool:
        raise ValueError("no numbers")
    return x


def with_axes(x: torch.Tensor) -> torch.Tensor:
    """torch gives a single number an axis 0."""
    if x.dim() == 0:
        raise IndexError("no axis")
    return x


def whole(x: torch.Tensor) -> torch.Tensor:
    if x.dtype != torch.int64:
        raise IndexError("no whole numbers")
    return x
