"""Runs a graph value by value with torch.nn.functional: what both backends are compared with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any, TypeAlias

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from graphc.axes import readings
from graphc.dims import Dim, substitute
from graphc.graph import Graph, Value, WeightValue
from graphc.initial import initial_values
from graphc.ops import Op, index
from graphc.ops.activation import (
    Abs,
    Clamp,
    Detach,
    Dropout,
    Dropout2d,
    Elu,
    Exp,
    Float,
    Gelu,
    Hardsigmoid,
    Hardswish,
    Identity,
    LeakyRelu,
    Log,
    LogSoftmax,
    Mish,
    Relu,
    Relu6,
    Sigmoid,
    Silu,
    Softmax,
    Softplus,
    Sqrt,
    StochasticDepth,
    Tanh,
)
from graphc.ops.arithmetic import Add, Divide, FloorDivide, Matmul, Multiply, Negative, Pow, Remainder, Subtract
from graphc.ops.compare import Eq, Ge, Gt, Le, Lt, Ne, Where
from graphc.ops.conv import Conv2d, ConvTranspose2d
from graphc.ops.embedding import Embedding, Learned
from graphc.ops.join import CenterCrop, Concat
from graphc.ops.linear import Linear
from graphc.ops.loss import (
    BinaryCrossEntropy,
    BinaryCrossEntropyWithLogits,
    CrossEntropy,
    HuberLoss,
    KlDiv,
    L1Loss,
    MseLoss,
    NllLoss,
    SmoothL1Loss,
)
from graphc.ops.norm import BatchNorm, FrozenBatchNorm, GroupNorm, InstanceNorm, LayerNorm, LocalResponseNorm, RMSNorm
from graphc.ops.pool import AdaptiveAvgPool2d, AdaptiveMaxPool2d, AvgPool2d, MaxPool2d
from graphc.ops.rearrange import Rearrange
from graphc.ops.reduce import Amax, Amin, Argmax, Mean, Sum
from graphc.ops.resize import Interpolate, Pad, PixelShuffle, PixelUnshuffle
from graphc.ops.shape import Expand, Flatten, Permute, Reshape, Squeeze, Stack, Transpose, Unsqueeze
from graphc.ops.source import Arange, Full, NormalLike, Ones, OnesLike, Zeros, ZerosLike
from graphc.tensor import Constant, Tensor
from rearranging import rearranged

Array: TypeAlias = NDArray[Any]
Sizes: TypeAlias = Mapping[str, int]
Weights: TypeAlias = Mapping[str, torch.Tensor]
Reference: TypeAlias = Callable[..., torch.Tensor | tuple[torch.Tensor, ...]]


def concrete(kind: Tensor, sizes: Sizes) -> tuple[int, ...]:
    shape = [substitute(size, sizes) for size in kind.shape]
    return tuple(size for size in shape if isinstance(size, int))


def feeds(graph: Graph, sizes: Sizes, seed: int = 0) -> dict[str, Array]:
    generator = np.random.default_rng(seed)
    kinds = {name: value.type for name, value in graph.inputs.items()}
    drawn = {name: 3 * generator.standard_normal(concrete(kind, sizes)) for name, kind in kinds.items()}
    return {name: np.asarray(values, kinds[name].dtype) for name, values in drawn.items()}


def random_weights(graph: Graph, seed: int = 0) -> dict[str, Array]:
    """Weights that all matter: what begins as 0 or 1 for all channels is another number for each."""
    generator = np.random.default_rng(seed)
    weights = dict(graph.weights())
    constant = {path for path, weight in weights.items() if isinstance(weight.initial, Constant)}
    other = {path: generator.uniform(0.5, 1.5, concrete(Tensor(weights[path].shape), {})) for path in sorted(constant)}
    return dict(initial_values(graph, seed)) | {path: value.astype(np.float32) for path, value in other.items()}


def conv2d(op: Conv2d, w: Weights, x: torch.Tensor) -> torch.Tensor:
    return F.conv2d(x, w["weight"], w.get("bias"), op.stride, op.padding, op.dilation, op.groups)


def conv_transpose2d(op: ConvTranspose2d, w: Weights, x: torch.Tensor) -> torch.Tensor:
    window = op.stride, op.padding, op.output_padding, op.groups, op.dilation
    return F.conv_transpose2d(x, w["weight"], w.get("bias"), *window)


def max_pool2d(op: MaxPool2d, w: Weights, x: torch.Tensor) -> torch.Tensor:
    return F.max_pool2d(x, op.kernel_size, op.stride, op.padding, op.dilation, op.ceil_mode)


def batch_norm(op: BatchNorm, w: Weights, x: torch.Tensor) -> torch.Tensor:
    running = w.get("running_mean"), w.get("running_var")
    return F.batch_norm(x, *running, w.get("weight"), w.get("bias"), not op.track_running_stats, eps=op.eps)


def center_crop(op: CenterCrop, w: Weights, x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    for axis in range(2, x.ndim):
        wanted = target.shape[axis]
        x = x.narrow(axis, (x.shape[axis] - wanted) // 2, wanted)
    return x


def instance_norm(op: InstanceNorm, w: Weights, x: torch.Tensor) -> torch.Tensor:
    running = w.get("running_mean"), w.get("running_var")
    return F.instance_norm(x, *running, w.get("weight"), w.get("bias"), not op.track_running_stats, eps=op.eps)


def class_weight(op: CrossEntropy | NllLoss) -> torch.Tensor | None:
    return None if op.weight is None else torch.tensor(op.weight)


def cross_entropy(op: CrossEntropy, w: Weights, x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    weight, smoothing = class_weight(op), op.label_smoothing
    return F.cross_entropy(
        x, target, weight, ignore_index=op.ignore_index, reduction=op.reduction, label_smoothing=smoothing
    )


def kl_div(op: KlDiv, w: Weights, x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """torch warns of the mean over all elements."""
    reduction = "none" if op.reduction == "mean" else op.reduction
    found = F.kl_div(x, target, reduction=reduction, log_target=op.log_target)
    return found.mean() if op.reduction == "mean" else found


REFERENCES: dict[type[Op], Reference] = {
    Abs: lambda op, w, x: torch.abs(x),
    AdaptiveAvgPool2d: lambda op, w, x: F.adaptive_avg_pool2d(x, op.output_size),
    AdaptiveMaxPool2d: lambda op, w, x: F.adaptive_max_pool2d(x, op.output_size),
    Add: lambda op, w, *inputs: reduce(torch.add, inputs),
    Amax: lambda op, w, x: torch.amax(x, () if op.dim is None else op.dim, op.keepdim),
    Amin: lambda op, w, x: torch.amin(x, () if op.dim is None else op.dim, op.keepdim),
    Arange: lambda op, w: torch.arange(op.start, op.end, op.step),
    Argmax: lambda op, w, x: torch.argmax(x, -1 if op.dim is None else op.dim, op.keepdim),
    AvgPool2d: lambda op, w, x: F.avg_pool2d(
        x, op.kernel_size, op.stride, op.padding, op.ceil_mode, op.count_include_pad
    ),
    BatchNorm: batch_norm,
    BinaryCrossEntropy: lambda op, w, x, y: F.binary_cross_entropy(x, y, reduction=op.reduction),
    BinaryCrossEntropyWithLogits: lambda op, w, x, y: F.binary_cross_entropy_with_logits(x, y, reduction=op.reduction),
    CenterCrop: center_crop,
    index.Chunk: lambda op, w, x: torch.chunk(x, op.chunks, op.dim),
    Clamp: lambda op, w, x: torch.clamp(x, op.min, op.max),
    Concat: lambda op, w, *inputs: torch.cat(inputs, op.dim),
    index.Constant: lambda op, w: torch.tensor(op.value),
    Conv2d: conv2d,
    ConvTranspose2d: conv_transpose2d,
    CrossEntropy: cross_entropy,
    Detach: lambda op, w, x: x.detach(),
    Divide: lambda op, w, x, y: torch.div(x, y),
    Dropout: lambda op, w, x: F.dropout(x, op.p, training=False),
    Dropout2d: lambda op, w, x: F.dropout2d(x, op.p, training=False),
    Elu: lambda op, w, x: F.elu(x, op.alpha),
    Embedding: lambda op, w, x: F.embedding(x, w["weight"], op.padding_idx),
    Eq: lambda op, w, x, y: torch.eq(x, y),
    Exp: lambda op, w, x: torch.exp(x),
    Expand: lambda op, w, x: x.expand(op.shape),
    Flatten: lambda op, w, x: torch.flatten(x, op.start_dim, op.end_dim),
    Float: lambda op, w, x: x.float(),
    FloorDivide: lambda op, w, x, y: torch.floor_divide(x, y),
    FrozenBatchNorm: lambda op, w, x: F.batch_norm(
        x, w["running_mean"], w["running_var"], w["weight"], w["bias"], eps=op.eps
    ),
    Full: lambda op, w: torch.full(op.shape, op.fill_value),
    Ge: lambda op, w, x, y: torch.ge(x, y),
    Gelu: lambda op, w, x: F.gelu(x, approximate=op.approximate),
    index.Getitem: lambda op, w, x: x[tuple(slice(*part) if isinstance(part, tuple) else part for part in op.index)],
    GroupNorm: lambda op, w, x: F.group_norm(x, op.num_groups, w.get("weight"), w.get("bias"), op.eps),
    Gt: lambda op, w, x, y: torch.gt(x, y),
    Hardsigmoid: lambda op, w, x: F.hardsigmoid(x),
    Hardswish: lambda op, w, x: F.hardswish(x),
    HuberLoss: lambda op, w, x, y: F.huber_loss(x, y, op.reduction, op.delta),
    Identity: lambda op, w, x: x,
    index.IndexSelect: lambda op, w, x, i: x[(slice(None),) * (op.dim % x.dim()) + (i,)],
    InstanceNorm: instance_norm,
    Interpolate: lambda op, w, x, like=None: F.interpolate(
        x, op.size if like is None else like.shape[2:], op.scale_factor, op.mode, op.align_corners
    ),
    KlDiv: kl_div,
    L1Loss: lambda op, w, x, y: F.l1_loss(x, y, reduction=op.reduction),
    LayerNorm: lambda op, w, x: F.layer_norm(x, x.shape[-op.dims :], w.get("weight"), w.get("bias"), op.eps),
    Le: lambda op, w, x, y: torch.le(x, y),
    LeakyRelu: lambda op, w, x: F.leaky_relu(x, op.negative_slope),
    Linear: lambda op, w, x: F.linear(x, w["weight"], w.get("bias")),
    LocalResponseNorm: lambda op, w, x: F.local_response_norm(x, op.size, op.alpha, op.beta, op.k),
    Log: lambda op, w, x: torch.log(x),
    LogSoftmax: lambda op, w, x: F.log_softmax(x, -1 if op.dim is None else op.dim),
    Lt: lambda op, w, x, y: torch.lt(x, y),
    Matmul: lambda op, w, x, y: torch.matmul(x, y),
    MaxPool2d: max_pool2d,
    Mean: lambda op, w, x: torch.mean(x, op.dim, op.keepdim),
    Mish: lambda op, w, x: F.mish(x),
    MseLoss: lambda op, w, x, y: F.mse_loss(x, y, reduction=op.reduction),
    Multiply: lambda op, w, *inputs: reduce(torch.mul, inputs),
    Ne: lambda op, w, x, y: torch.ne(x, y),
    Negative: lambda op, w, x: torch.neg(x),
    NllLoss: lambda op, w, x, y: F.nll_loss(
        x, y, class_weight(op), ignore_index=op.ignore_index, reduction=op.reduction
    ),
    NormalLike: lambda op, w, x: torch.randn_like(x),
    Ones: lambda op, w: torch.ones(op.shape, dtype=getattr(torch, op.dtype)),
    OnesLike: lambda op, w, x: torch.ones_like(x),
    Pad: lambda op, w, x: F.pad(x, op.pad, op.mode, op.value if op.mode == "constant" else None),
    Permute: lambda op, w, x: torch.permute(x, op.dims),
    PixelShuffle: lambda op, w, x: F.pixel_shuffle(x, op.upscale_factor),
    PixelUnshuffle: lambda op, w, x: F.pixel_unshuffle(x, op.downscale_factor),
    Learned: lambda op, w: w["weight"],
    Pow: lambda op, w, x, y: torch.pow(x, y),
    RMSNorm: lambda op, w, x: F.rms_norm(x, x.shape[-op.dims :], w.get("weight"), op.eps),
    Rearrange: lambda op, w, x: rearranged(x, op.pattern, **op.sizes),
    Relu: lambda op, w, x: F.relu(x),
    Relu6: lambda op, w, x: F.relu6(x),
    Remainder: lambda op, w, x, y: torch.remainder(x, y),
    Reshape: lambda op, w, x: torch.reshape(x, op.shape),
    index.Roll: lambda op, w, x: torch.roll(x, op.shifts, op.dims),
    Sigmoid: lambda op, w, x: torch.sigmoid(x),
    Silu: lambda op, w, x: F.silu(x),
    SmoothL1Loss: lambda op, w, x, y: F.smooth_l1_loss(x, y, reduction=op.reduction, beta=op.beta),
    Softmax: lambda op, w, x: F.softmax(x, -1 if op.dim is None else op.dim),
    Softplus: lambda op, w, x: F.softplus(x, op.beta, op.threshold),
    index.Split: lambda op, w, x: torch.split(x, op.split_size, op.dim),
    Sqrt: lambda op, w, x: torch.sqrt(x),
    Squeeze: lambda op, w, x: torch.squeeze(x, op.dim),
    Stack: lambda op, w, *inputs: torch.stack(inputs, op.dim),
    StochasticDepth: lambda op, w, x: x,
    Subtract: lambda op, w, x, y: torch.sub(x, y),
    Sum: lambda op, w, x: torch.sum(x, op.dim, op.keepdim),
    Tanh: lambda op, w, x: torch.tanh(x),
    Transpose: lambda op, w, x: torch.transpose(x, op.dim0, op.dim1),
    Unsqueeze: lambda op, w, x: torch.unsqueeze(x, op.dim),
    Where: lambda op, w, condition, x, y: torch.where(condition, x, y),
    Zeros: lambda op, w: torch.zeros(op.shape, dtype=getattr(torch, op.dtype)),
    ZerosLike: lambda op, w, x: torch.zeros_like(x),
}


WRITTEN_BY_PATH: dict[type[Op], Reference] = {WeightValue: lambda op, w: w[op.of]}
"""What a spec has without its being an op there."""


def labelled(op: CrossEntropy | NllLoss, scores: Array, target: Array) -> Sequence[Array]:
    """Labels that there are, or probabilities."""
    return scores, target % scores.shape[min(1, scores.ndim - 1)] if target.dtype == np.int64 else part(target)


def part(values: Array) -> Array:
    """Numbers between 0 and 1, both included."""
    return np.asarray(np.clip(0.5 + values / 6, 0, 1), values.dtype)


def divided(op: Op, x: Array, y: Array) -> Sequence[Array]:
    """Integers can't be divided by 0."""
    return x, np.where(y == 0, 1, y).astype(y.dtype)


DOMAINS: dict[type[Op], Callable[..., Sequence[Array]]] = {
    BinaryCrossEntropy: lambda op, x, y: (part(x), part(y)),
    CrossEntropy: labelled,
    Embedding: lambda op, x: (x % op.num_embeddings,),
    FloorDivide: divided,
    index.IndexSelect: lambda op, x, i: (x, i % x.shape[op.dim]),
    KlDiv: lambda op, x, y: (x, y if op.log_target else part(y)),
    Log: lambda op, x: (np.abs(x) + 1,),
    NllLoss: labelled,
    Remainder: divided,
    Sqrt: lambda op, x: (np.abs(x),),
}
"""Operands that torch takes, or that give numbers, made of any; an op that is not here takes any itself."""


def feeds_of(op: Op, graph: Graph, sizes: Sizes) -> dict[str, Array]:
    """What to feed a graph of one op, whose operands are the inputs."""
    drawn = feeds(graph, sizes)
    suited = DOMAINS[type(op)](op, *drawn.values()) if type(op) in DOMAINS else drawn.values()
    return dict(zip(drawn, map(np.asarray, suited), strict=True))


def shown(graph: Graph, inputs: Mapping[str, Array]) -> Sizes:
    """The free sizes that inputs have."""
    names = {value: name for name, value in graph.inputs.items()}
    return {
        size: (inputs[names[reading.value]].shape[reading.axis] - reading.plus) // reading.factor
        for size, reading in readings(names).items()
    }


def op_at(op: Op, sizes: Sizes) -> Op:
    """An op with numbers for the free sizes among its attributes."""
    return op.model_copy(update={name: at_sizes(attribute, sizes) for name, attribute in op})


def at_sizes(thing: object, sizes: Sizes) -> object:
    """An attribute with numbers for its free sizes."""
    if isinstance(thing, tuple):
        return tuple(at_sizes(item, sizes) for item in thing)
    return substitute(thing, sizes) if isinstance(thing, Dim) else thing


def run_in_torch(graph: Graph, weights: Mapping[str, Array], inputs: Mapping[str, Array]) -> dict[Value, Array]:
    """Every value of the graph, computed with torch.nn.functional; random ones are those that torch draws next."""
    values = {value: torch.from_numpy(inputs[name]) for name, value in graph.inputs.items()}
    sizes = shown(graph, inputs)
    with torch.random.fork_rng(devices=[]):
        for node in graph.nodes:
            paths = {name: f"{node.home}.{name}" for name in node.weights()}
            own = {name: torch.from_numpy(weights[path]) for name, path in paths.items() if path in weights}
            arguments = [None if value is None else values[value] for value in node.arguments]
            found = (REFERENCES | WRITTEN_BY_PATH)[type(node.op)](op_at(node.op, sizes), own, *arguments)
            results = (found,) if isinstance(found, torch.Tensor) else found
            values.update(zip(node.outputs, results, strict=True))
    return {value: result.numpy() for value, result in values.items()}
