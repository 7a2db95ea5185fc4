"""Arithmetic on values."""

from __future__ import annotations

from graphc.ops.arithmetic import Add, Divide, FloorDivide, Matmul, Multiply, Negative, Pow, Remainder, Subtract
from graphc.tensor import Tensor
from graphc_torch.layer import Call, Layer, lower


@lower.register
def _(op: Add, *inputs: Tensor) -> Layer:
    return Layer(function=Call("+", style="operator"))


@lower.register
def _(op: Divide, input: Tensor, other: Tensor) -> Layer:
    return Layer(function=Call("/", style="operator"))


@lower.register
def _(op: FloorDivide, input: Tensor, other: Tensor) -> Layer:
    return Layer(function=Call("//", style="operator"))


@lower.register
def _(op: Matmul, input: Tensor, other: Tensor) -> Layer:
    return Layer(function=Call("@", style="operator"))


@lower.register
def _(op: Multiply, *inputs: Tensor) -> Layer:
    return Layer(function=Call("*", style="operator"))


@lower.register
def _(op: Negative, input: Tensor) -> Layer:
    return Layer(function=Call("-", style="operator"))


@lower.register
def _(op: Pow, input: Tensor, other: Tensor) -> Layer:
    return Layer(function=Call("**", style="operator"))


@lower.register
def _(op: Remainder, input: Tensor, other: Tensor) -> Layer:
    return Layer(function=Call("%", style="operator"))


@lower.register
def _(op: Subtract, input: Tensor, other: Tensor) -> Layer:
    return Layer(function=Call("-", style="operator"))
