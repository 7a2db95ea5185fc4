"""The lowering of every op, one short function each."""

from __future__ import annotations

from graphc.ops.activation import Dropout, Identity, Relu
from graphc.ops.conv import Conv2d, ConvTranspose2d
from graphc.ops.join import Add, CenterCrop, Concat
from graphc.ops.linear import Linear
from graphc.ops.norm import BatchNorm
from graphc.ops.pool import AdaptiveAvgPool2d, MaxPool2d
from graphc.ops.shape import Flatten
from graphc.tensor import Tensor
from graphc_torch.layer import Argument, Call, Layer, inferred, keywords, lower, positional


@lower.register
def _(op: AdaptiveAvgPool2d, input: Tensor) -> Layer:
    arguments = (positional(op, "output_size"),)
    return Layer(Call("nn.AdaptiveAvgPool2d", arguments), Call("functional.adaptive_avg_pool2d", arguments))


@lower.register
def _(op: Add, *inputs: Tensor) -> Layer:
    return Layer(function=Call("+", style="operator"))


@lower.register
def _(op: BatchNorm, input: Tensor) -> Layer:
    module = {2: "nn.BatchNorm1d", 3: "nn.BatchNorm1d", 4: "nn.BatchNorm2d", 5: "nn.BatchNorm3d"}[input.rank]
    arguments = keywords(op, "eps", "momentum", "affine", "track_running_stats")
    return Layer(Call(module, (inferred("num_features", input.channels), *arguments)))


@lower.register
def _(op: CenterCrop, input: Tensor, target: Tensor) -> Layer:
    return Layer(function=Call("center_crop"), helper=True)


@lower.register
def _(op: Concat, *inputs: Tensor) -> Layer:
    return Layer(function=Call("torch.cat", (Argument("dim", op.dim, attribute="dim"),), style="list"))


@lower.register
def _(op: Conv2d, input: Tensor) -> Layer:
    arguments = keywords(op, "kernel_size", "stride", "padding", "dilation", "groups", "bias")
    return Layer(
        Call("nn.Conv2d", (inferred("in_channels", input.channels), positional(op, "out_channels"), *arguments))
    )


@lower.register
def _(op: ConvTranspose2d, input: Tensor) -> Layer:
    arguments = keywords(op, "kernel_size", "stride", "padding", "output_padding", "groups", "bias", "dilation")
    channels = (inferred("in_channels", input.channels), positional(op, "out_channels"))
    return Layer(Call("nn.ConvTranspose2d", (*channels, *arguments)))


@lower.register
def _(op: Dropout, input: Tensor) -> Layer:
    return Layer(Call("nn.Dropout", keywords(op, "p")))


@lower.register
def _(op: Flatten, input: Tensor) -> Layer:
    function = (positional(op, "start_dim"), Argument("end_dim", op.end_dim, -1, attribute="end_dim"))
    return Layer(Call("nn.Flatten", keywords(op, "start_dim", "end_dim")), Call("torch.flatten", function))


@lower.register
def _(op: Identity, input: Tensor) -> Layer:
    return Layer()


@lower.register
def _(op: Linear, input: Tensor) -> Layer:
    features = (inferred("in_features", input.shape[-1]), positional(op, "out_features"))
    return Layer(Call("nn.Linear", (*features, *keywords(op, "bias"))))


@lower.register
def _(op: MaxPool2d, input: Tensor) -> Layer:
    arguments = keywords(op, "kernel_size", "stride", "padding", "dilation", "ceil_mode")
    return Layer(Call("nn.MaxPool2d", arguments), Call("functional.max_pool2d", arguments))


@lower.register
def _(op: Relu, input: Tensor) -> Layer:
    return Layer(Call("nn.ReLU"), Call("functional.relu"))
