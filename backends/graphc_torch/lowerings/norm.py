"""Normalisation."""

from __future__ import annotations

from graphc.ops.norm import (
    BatchNorm,
    FrozenBatchNorm,
    GroupNorm,
    InstanceNorm,
    LayerNorm,
    LocalResponseNorm,
    OverLastAxes,
    RMSNorm,
)
from graphc.tensor import Tensor
from graphc_torch.layer import Argument, Call, Layer, inferred, keywords, lower, positional


@lower.register
def _(op: BatchNorm, input: Tensor) -> Layer:
    module = {2: "nn.BatchNorm1d", 3: "nn.BatchNorm1d", 4: "nn.BatchNorm2d", 5: "nn.BatchNorm3d"}[input.rank]
    arguments = keywords(op, "eps", "momentum", "affine", "track_running_stats")
    return Layer(Call(module, (inferred("num_features", input.channels), *arguments)))


@lower.register
def _(op: FrozenBatchNorm, input: Tensor) -> Layer:
    arguments = (inferred("num_features", input.channels), *keywords(op, "eps"))
    return Layer(Call("FrozenBatchNorm2d", arguments), helper=True)


@lower.register
def _(op: GroupNorm, input: Tensor) -> Layer:
    sizes = (positional(op, "num_groups"), inferred("num_channels", input.channels))
    return Layer(Call("nn.GroupNorm", (*sizes, *keywords(op, "eps", "affine"))))


@lower.register
def _(op: InstanceNorm, input: Tensor) -> Layer:
    arguments = keywords(op, "eps", "momentum", "affine", "track_running_stats")
    return Layer(Call(f"nn.InstanceNorm{input.rank - 2}d", (inferred("num_features", input.channels), *arguments)))


@lower.register
def _(op: LayerNorm, input: Tensor) -> Layer:
    return Layer(Call("nn.LayerNorm", (normalized(op, input), *keywords(op, "eps", "elementwise_affine", "bias"))))


@lower.register
def _(op: LocalResponseNorm, input: Tensor) -> Layer:
    arguments = (positional(op, "size"), *keywords(op, "alpha", "beta", "k"))
    return Layer(Call("nn.LocalResponseNorm", arguments), Call("functional.local_response_norm", arguments))


@lower.register
def _(op: RMSNorm, input: Tensor) -> Layer:
    return Layer(Call("nn.RMSNorm", (normalized(op, input), *keywords(op, "eps", "elementwise_affine"))))


def normalized(op: OverLastAxes, input: Tensor) -> Argument:
    """The sizes of the last axes, one alone as a number."""
    shape = op.normalized_shape(input)
    return inferred("normalized_shape", shape[0] if len(shape) == 1 else shape)
