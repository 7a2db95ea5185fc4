"""Comparison of values, and the choice that it decides."""

from __future__ import annotations

from graphc.ops.compare import Eq, Ge, Gt, Le, Lt, Ne, Where
from graphc.tensor import Tensor
from graphc_torch.layer import Call, Layer, lower


@lower.register
def _(op: Eq, input: Tensor, other: Tensor) -> Layer:
    return Layer(function=Call("==", style="operator"))


@lower.register
def _(op: Ge, input: Tensor, other: Tensor) -> Layer:
    return Layer(function=Call(">=", style="operator"))


@lower.register
def _(op: Gt, input: Tensor, other: Tensor) -> Layer:
    return Layer(function=Call(">", style="operator"))


@lower.register
def _(op: Le, input: Tensor, other: Tensor) -> Layer:
    return Layer(function=Call("<=", style="operator"))


@lower.register
def _(op: Lt, input: Tensor, other: Tensor) -> Layer:
    return Layer(function=Call("<", style="operator"))


@lower.register
def _(op: Ne, input: Tensor, other: Tensor) -> Layer:
    return Layer(function=Call("!=", style="operator"))


@lower.register
def _(op: Where, condition: Tensor, input: Tensor, other: Tensor) -> Layer:
    return Layer(function=Call("torch.where", numbers=(1, 2)))
