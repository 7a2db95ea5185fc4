"""Runs a graph value by value with torch.nn.functional: what both backends are compared with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any, TypeAlias, cast

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from graphc.axes import readings
from graphc.dims import Dim, product, substitute
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
    Log2,
    LogSoftmax,
    Long,
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
from graphc.ops.attention import Attention, CausalMask
from graphc.ops.choice import LogicalAnd, LogicalNot, LogicalOr, LogicalXor, MaskedFill, Maximum, Minimum
from graphc.ops.compare import Eq, Ge, Gt, Le, Lt, Ne, Where
from graphc.ops.conv import (
    Conv1d,
    Conv2d,
    Conv3d,
    Convolution,
    ConvTranspose1d,
    ConvTranspose2d,
    ConvTranspose3d,
    TransposedConvolution,
)
from graphc.ops.embedding import Embedding, Learned
from graphc.ops.fourier import Fft2, Flip
from graphc.ops.functions import (
    Ceil,
    Cos,
    Erf,
    Floor,
    Hardtanh,
    Logsigmoid,
    Prelu,
    Reciprocal,
    Round,
    Rsqrt,
    Selu,
    Sign,
    Sin,
    Softsign,
)
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
from graphc.ops.masked import MaskedConv2d
from graphc.ops.norm import BatchNorm, FrozenBatchNorm, GroupNorm, InstanceNorm, LayerNorm, LocalResponseNorm, RMSNorm
from graphc.ops.patches import Fold, MaxUnpool2d, Unfold
from graphc.ops.places import Argsort, Gather, OneHot, Pick, Scatter, Sort, Take, TopK
from graphc.ops.pool import (
    AdaptiveAvgPool1d,
    AdaptiveAvgPool2d,
    AdaptiveAvgPool3d,
    AdaptiveMaxPool1d,
    AdaptiveMaxPool2d,
    AdaptiveMaxPool3d,
    AdaptivePool,
    AvgPool,
    AvgPool1d,
    AvgPool2d,
    AvgPool3d,
    MaxPool,
    MaxPool1d,
    MaxPool2d,
    MaxPool3d,
)
from graphc.ops.position import SinePosition2d, Sinusoid
from graphc.ops.rearrange import Rearrange
from graphc.ops.reduce import Amax, Amin, Argmax, Mean, Sum
from graphc.ops.region import RoiAlign, RoiPool
from graphc.ops.repeat import RepeatInterleave, Tile, Tril, Triu, Unflatten
from graphc.ops.resize import Interpolate, Pad, PixelShuffle, PixelUnshuffle
from graphc.ops.selection import Nms, Nonzero
from graphc.ops.shape import Expand, Flatten, Permute, Reshape, Squeeze, Stack, Transpose, Unsqueeze
from graphc.ops.source import Arange, Full, Given, NormalLike, Ones, OnesLike, Zeros, ZerosLike
from graphc.ops.statistic import CosineSimilarity, Cumsum, Normalize, Prod, Std, Var
from graphc.tensor import Constant, Tensor
from oracle import torchvision
from rearranging import rearranged

Array: TypeAlias = NDArray[Any]
Sizes: TypeAlias = Mapping[str, int]
Weights: TypeAlias = Mapping[str, torch.Tensor]
Reference: TypeAlias = Callable[..., torch.Tensor | tuple[torch.Tensor, ...]]


def concrete(kind: Tensor, sizes: Sizes, found: Sequence[int] = ()) -> tuple[int, ...]:
    """The shape at sizes; where only the data knows one, that of an array that was `found`."""
    shape = [substitute(size, sizes) for size in kind.shape]
    return tuple(size if isinstance(size, int) else found[axis] for axis, size in enumerate(shape))


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


def function_of(op: Op) -> Callable[..., torch.Tensor]:
    """The function with the op's name."""
    return cast("Callable[..., torch.Tensor]", getattr(F, op.name))


def convolution(op: Convolution, w: Weights, x: torch.Tensor, weight: torch.Tensor | None = None) -> torch.Tensor:
    used = w["weight"] if weight is None else weight
    return function_of(op)(x, used, w.get("bias"), op.stride, op.padding, op.dilation, op.groups)


def transposed_convolution(op: TransposedConvolution, w: Weights, x: torch.Tensor) -> torch.Tensor:
    window = op.stride, op.padding, op.output_padding, op.groups, op.dilation
    return function_of(op)(x, w["weight"], w.get("bias"), *window)


def max_pool(op: MaxPool, w: Weights, x: torch.Tensor) -> torch.Tensor:
    window = op.kernel_size, op.stride, op.padding, op.dilation
    return function_of(op)(x, *window, ceil_mode=op.ceil_mode, return_indices=op.return_indices)


def avg_pool(op: AvgPool, w: Weights, x: torch.Tensor) -> torch.Tensor:
    return function_of(op)(x, op.kernel_size, op.stride, op.padding, op.ceil_mode, op.count_include_pad)


def adaptive_pool(op: AdaptivePool, w: Weights, x: torch.Tensor) -> torch.Tensor:
    return function_of(op)(x, op.output_size)


def batch_norm(op: BatchNorm, w: Weights, x: torch.Tensor) -> torch.Tensor:
    running = w.get("running_mean"), w.get("running_var")
    return F.batch_norm(x, *running, w.get("weight"), w.get("bias"), not op.track_running_stats, eps=op.eps)


def concat(op: Concat, w: Weights, *inputs: torch.Tensor) -> torch.Tensor:
    """Centred ones are laid into zeros."""
    if not op.center:
        return torch.cat(inputs, op.dim)
    largest = [max(x.shape[axis] for x in inputs) for axis in range(2, inputs[0].ndim)]
    laid = []
    for x in inputs:
        sizes = [x.shape[a] if a == op.dim % x.ndim else size for a, size in enumerate(largest, start=2)]
        whole = x.new_zeros(*x.shape[:2], *sizes)
        middle = [slice((a - b) // 2, (a - b) // 2 + b) for a, b in zip(sizes, x.shape[2:], strict=True)]
        whole[(slice(None), slice(None), *middle)] = x
        laid.append(whole)
    return torch.cat(laid, op.dim)


def fft2(op: Fft2, w: Weights, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """The sum of the definition, in float64: the same numbers come from no transform."""
    height, width = (size for size in op.s or x.shape[-2:] if isinstance(size, int))
    x = F.pad(x, (0, width - x.shape[-1], 0, height - x.shape[-2])).double()
    angles = [-2 * torch.pi * torch.outer(torch.arange(n), torch.arange(n)) / n for n in (height, width)]
    rows, columns = (torch.polar(torch.ones_like(a), a).to(torch.complex128) for a in angles)
    whole = {"backward": 1, "ortho": (height * width) ** 0.5, "forward": height * width}[op.norm]
    spectrum = rows @ x.to(torch.complex128) @ columns / whole
    return spectrum.real.float(), spectrum.imag.float()


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


def attention(
    op: Attention,
    w: Weights,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None = None,
    bias: torch.Tensor | None = None,
) -> torch.Tensor:
    """Head by head, the weights written out (Vaswani et al. 2017, equation 1)."""
    heads = op.heads or 1
    scale = op.scale if op.scale is not None else (query.shape[-1] // heads) ** -0.5
    found = []
    for head, (q, k, v) in enumerate(zip(*(operand.chunk(heads, -1) for operand in (query, key, value)), strict=True)):
        scores = scale * (q @ k.mT)
        if op.is_causal:
            scores = scores.masked_fill(torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1), -torch.inf)
        for part in (of_head(op, head, part) for part in (mask, bias) if part is not None):
            scores = scores.masked_fill(~part, -torch.inf) if part.dtype == torch.bool else scores + part
        found.append(scores.softmax(-1).nan_to_num(0) @ v)
    return torch.cat(found, -1)


def of_head(op: Attention, head: int, part: torch.Tensor) -> torch.Tensor:
    """What of a mask or bias [*, heads, T, S] is for one head."""
    if op.heads is None or part.dim() < 3:
        return part
    return part[..., min(head, part.shape[-3] - 1), :, :]


def places(op: MaxUnpool2d, x: Array, indices: Array, *like: Array) -> Sequence[Array]:
    """Places in the result, of which each is given once."""
    size = product(op.infer(*(Tensor(array.shape) for array in (x, indices, *like))).space)
    assert isinstance(size, int)
    order = np.random.default_rng(0).permuted(np.tile(np.arange(size), (*x.shape[:2], 1)), axis=2)
    return x, order[..., : x.shape[2] * x.shape[3]].reshape(x.shape), *like


def distinct(op: Scatter, index: Array, source: Array) -> Sequence[Array]:
    """Each place once."""
    return np.random.default_rng(0).permutation(op.shape[0] if isinstance(op.shape[0], int) else len(index))[
        : len(index)
    ], source


def masked_convolution(op: MaskedConv2d, w: Weights, x: torch.Tensor) -> torch.Tensor:
    """Element by element, what van den Oord et al. 2016 say in 3.4: which one an output may see."""
    weight = w["weight"].clone()
    height, width = (size // 2 for size in weight.shape[2:])
    outputs, inputs = (
        [colour_of(c, n, op.colours) for c in range(n)] for n in (len(weight) // op.parts, len(weight[0]))
    )
    for o, i, row, column in np.ndindex(*weight.shape):
        mine, other = outputs[o % len(outputs)], inputs[i]
        before = (row, column) < (height, width)
        here = (row, column) == (height, width) and (other < mine or (op.mask == "B" and other == mine))
        weight[o, i, row, column] *= before or here
    return F.conv2d(x, weight, w.get("bias"), op.stride, op.padding, op.dilation)


def colour_of(channel: int, channels: int, colours: int) -> int:
    """The colour of a channel, where each colour has equally many, or one more than others."""
    return next(colour for colour in reversed(range(colours)) if channel * colours >= colour * channels)


def sinusoid(places: torch.Tensor, dim: int) -> torch.Tensor:
    """Vaswani et al. 2017, 3.5, element by element in float64."""
    angles = [[float(t) / 10000 ** (i // 2 * 2 / dim) for i in range(dim)] for t in places]
    rows = [[np.cos(a) if i % 2 else np.sin(a) for i, a in enumerate(row)] for row in angles]
    return torch.tensor(rows, dtype=torch.float32)


def positions(x: torch.Tensor, channels: int) -> torch.Tensor:
    """facebookresearch/detr, models/position_encoding.py: PositionEmbeddingSine with normalize."""
    ones = torch.ones(len(x), *x.shape[2:])
    y_embed, x_embed = ones.cumsum(1), ones.cumsum(2)
    y_embed = y_embed / (y_embed[:, -1:, :] + 1e-6) * 2 * torch.pi
    x_embed = x_embed / (x_embed[:, :, -1:] + 1e-6) * 2 * torch.pi
    number = torch.arange(channels // 2, dtype=torch.float32)
    dim_t = 10000 ** (2 * (number // 2) / (channels // 2))
    found = []
    for embed in (y_embed, x_embed):
        pos = embed[:, :, :, None] / dim_t
        found.append(torch.stack((pos[:, :, :, 0::2].sin(), pos[:, :, :, 1::2].cos()), dim=4).flatten(3))
    return torch.cat(found, dim=3).permute(0, 3, 1, 2)


def numbered(boxes: torch.Tensor, picture: torch.Tensor) -> torch.Tensor:
    """Boxes behind the number of their picture, as torchvision takes them: [R, 5]."""
    return torch.cat([picture[:, None].to(boxes.dtype), boxes], dim=1)


REFERENCES: dict[type[Op], Reference] = {
    Abs: lambda op, w, x: torch.abs(x),
    **dict.fromkeys((AdaptiveAvgPool1d, AdaptiveAvgPool2d, AdaptiveAvgPool3d), adaptive_pool),
    **dict.fromkeys((AdaptiveMaxPool1d, AdaptiveMaxPool2d, AdaptiveMaxPool3d), adaptive_pool),
    Add: lambda op, w, *inputs: reduce(torch.add, inputs),
    Amax: lambda op, w, x: torch.amax(x, () if op.dim is None else op.dim, op.keepdim),
    Amin: lambda op, w, x: torch.amin(x, () if op.dim is None else op.dim, op.keepdim),
    Arange: lambda op, w: torch.arange(op.start, op.end, op.step),
    Argmax: lambda op, w, x: torch.argmax(x, -1 if op.dim is None else op.dim, op.keepdim),
    Attention: attention,
    **dict.fromkeys((AvgPool1d, AvgPool2d, AvgPool3d), avg_pool),
    BatchNorm: batch_norm,
    BinaryCrossEntropy: lambda op, w, x, y: F.binary_cross_entropy(x, y, reduction=op.reduction),
    BinaryCrossEntropyWithLogits: lambda op, w, x, y: F.binary_cross_entropy_with_logits(x, y, reduction=op.reduction),
    CausalMask: lambda op, w: torch.ones(op.size, op.size, dtype=torch.bool).tril(),
    CenterCrop: center_crop,
    index.Chunk: lambda op, w, x: torch.chunk(x, op.chunks, op.dim),
    Clamp: lambda op, w, x: torch.clamp(x, op.min, op.max),
    Concat: concat,
    Fft2: fft2,
    Flip: lambda op, w, x: torch.flip(x, op.axes),
    index.Constant: lambda op, w: torch.tensor(op.value),
    **dict.fromkeys((Conv1d, Conv2d, Conv3d), convolution),
    **dict.fromkeys((ConvTranspose1d, ConvTranspose2d, ConvTranspose3d), transposed_convolution),
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
    Given: lambda op, w: torch.tensor(op.data),
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
    Log2: lambda op, w, x: torch.log2(x),
    Long: lambda op, w, x: x.long(),
    LogSoftmax: lambda op, w, x: F.log_softmax(x, -1 if op.dim is None else op.dim),
    Lt: lambda op, w, x, y: torch.lt(x, y),
    Matmul: lambda op, w, x, y: torch.matmul(x, y),
    **dict.fromkeys((MaxPool1d, MaxPool2d, MaxPool3d), max_pool),
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
    **{
        kind: lambda op, w, x: getattr(torch, op.name)(x)
        for kind in (Ceil, Cos, Erf, Floor, LogicalNot, Reciprocal, Round, Rsqrt, Sign, Sin)
    },
    **{kind: lambda op, w, x: function_of(op)(x) for kind in (Logsigmoid, Selu, Softsign)},
    **{
        kind: lambda op, w, x, y: getattr(torch, op.name)(x, y)
        for kind in (LogicalAnd, LogicalOr, LogicalXor, Maximum, Minimum)
    },
    Hardtanh: lambda op, w, x: F.hardtanh(x, op.min_val, op.max_val),
    MaskedFill: lambda op, w, x, mask: x.masked_fill(mask, op.value),
    Prelu: lambda op, w, x: F.prelu(x, w["weight"]),
    Argsort: lambda op, w, x: torch.argsort(x, dim=op.dim, descending=op.descending, stable=True),
    CosineSimilarity: lambda op, w, x, y: F.cosine_similarity(x, y, op.dim, op.eps),
    Cumsum: lambda op, w, x: torch.cumsum(x, op.dim),
    Fold: lambda op, w, x: F.fold(x, op.output_size, op.kernel_size, op.dilation, op.padding, op.stride),
    Gather: lambda op, w, x, i: torch.gather(x, op.dim, i),
    MaxUnpool2d: lambda op, w, x, i, like=None: F.max_unpool2d(
        x, i, op.kernel_size, op.stride, op.padding, None if like is None else like.shape[2:]
    ),
    Normalize: lambda op, w, x: F.normalize(x, op.p, op.dim, op.eps),
    OneHot: lambda op, w, x: F.one_hot(x, op.num_classes),
    Pick: lambda op, w, x, i: x[torch.arange(len(x)), i],
    Prod: lambda op, w, x: torch.prod(x) if op.dim is None else torch.prod(x, op.dim, op.keepdim),
    RepeatInterleave: lambda op, w, x: torch.repeat_interleave(x, op.repeats, op.dim),
    RoiAlign: lambda op, w, x, boxes, picture: torchvision().ops.roi_align(
        x, numbered(boxes, picture), op.grid, op.spatial_scale, op.sampling_ratio, op.aligned
    ),
    RoiPool: lambda op, w, x, boxes, picture: torchvision().ops.roi_pool(
        x, numbered(boxes, picture), op.grid, op.spatial_scale
    ),
    Scatter: lambda op, w, i, source: torch.full(op.shape, op.fill, dtype=source.dtype).index_copy(0, i, source),
    Sort: lambda op, w, x: tuple(torch.sort(x, dim=op.dim, descending=op.descending, stable=True)),
    Std: lambda op, w, x: torch.std(x, op.dim, correction=op.correction, keepdim=op.keepdim),
    Take: lambda op, w, x, i: x[torch.arange(len(x))[:, None], i],
    Tile: lambda op, w, x: torch.tile(x, op.dims),
    Nms: lambda op, w, *operands: best_of(op, *operands),
    Nonzero: lambda op, w, x: x.nonzero().squeeze(1),
    TopK: lambda op, w, x: tuple(torch.topk(x, min(op.k, x.shape[op.dim]), op.dim, op.largest)),
    Tril: lambda op, w, x: torch.tril(x, op.diagonal),
    Triu: lambda op, w, x: torch.triu(x, op.diagonal),
    Unflatten: lambda op, w, x: torch.unflatten(x, op.dim, op.sizes),
    Unfold: lambda op, w, x: F.unfold(x, op.kernel_size, op.dilation, op.padding, op.stride),
    Var: lambda op, w, x: torch.var(x, op.dim, correction=op.correction, keepdim=op.keepdim),
    MaskedConv2d: masked_convolution,
    SinePosition2d: lambda op, w, x: positions(x, op.channels),
    Sinusoid: lambda op, w: sinusoid(torch.arange(op.length), op.dim),
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
    Log2: lambda op, x: (np.abs(x) + 1,),
    NllLoss: labelled,
    Remainder: divided,
    Sqrt: lambda op, x: (np.abs(x),),
    Gather: lambda op, x, i: (x, i % x.shape[op.dim]),
    MaxUnpool2d: places,
    OneHot: lambda op, x: (x % op.num_classes,),
    Pick: lambda op, x, i: (x, i % x.shape[1]),
    Nms: lambda op, boxes, scores, *numbers: (
        np.concatenate([boxes[:, :2], boxes[:, :2] + np.abs(boxes[:, 2:])], axis=1),
        scores,
        *(number % 2 for number in numbers),
    ),
    **dict.fromkeys((RoiAlign, RoiPool), lambda op, x, boxes, picture: (x, 3 * boxes, picture % len(x))),
    Scatter: distinct,
    Take: lambda op, x, i: (x, i % x.shape[1]),
    Reciprocal: lambda op, x: (np.where(x == 0, 1, x).astype(x.dtype),),
    Rsqrt: lambda op, x: (np.abs(x) + 1,),
}
"""Operands that torch takes, or that give numbers, made of any; an op that is not here takes any itself."""


def feeds_of(op: Op, graph: Graph, sizes: Sizes) -> dict[str, Array]:
    """What to feed a graph of one op, whose operands are the inputs."""
    drawn = feeds(graph, sizes)
    suited = DOMAINS[type(op)](op, *drawn.values()) if type(op) in DOMAINS else drawn.values()
    return dict(zip(drawn, map(np.asarray, suited), strict=True))


def best_of(
    op: Nms,
    boxes: torch.Tensor,
    scores: torch.Tensor,
    picture: torch.Tensor,
    group: torch.Tensor | None = None,
) -> torch.Tensor:
    """Box by box, best first, those of each picture together; NaN is never above a threshold."""
    least = -torch.inf if op.score_threshold is None else op.score_threshold
    of = torch.stack([picture, picture if group is None else group], dim=1)
    kept: list[int] = []
    for i in scores.argsort(descending=True, stable=True).tolist():
        better = [j for j in kept if torch.equal(of[j], of[i])]
        iou = torchvision().ops.box_iou(boxes[i : i + 1], boxes[better])
        if scores[i] > least and not (iou.double() > op.iou_threshold).any():
            kept.append(i)
    pictures = [[i for i in kept if picture[i] == number] for number in range(int(picture.max()) + 1)]
    return torch.tensor([i for rows in pictures for i in rows[: op.max_per_picture]], dtype=torch.int64)


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
