"""The ONNX backend against torch, run by ONNX Runtime; ONNX's own checker and shape inference are witnesses too."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import entry_points
from inspect import Parameter, signature
from itertools import combinations, product
from pathlib import Path
from typing import get_args

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import shape_inference

import graphc
import graphc_onnx
import graphc_torch
from graphc import library
from graphc.backends import BackendError
from graphc.compiler import compile as compiled
from graphc.diagnostics import SpecError
from graphc.dims import Size, substitute, symbol
from graphc.graph import Graph, Paper, Value
from graphc.initial import initial_values
from graphc.ops import OPS, Op
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
from graphc.ops.attention import Attention, CausalMask
from graphc.ops.base import Pointwise
from graphc.ops.choice import LogicalAnd, LogicalNot, LogicalOr, LogicalXor, MaskedFill, Maximum, Minimum
from graphc.ops.compare import Eq, Ge, Gt, Le, Lt, Ne, Where
from graphc.ops.conv import Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from graphc.ops.embedding import Embedding, Learned
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
from graphc.ops.index import Chunk, Constant, Getitem, IndexSelect, Roll, Split
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
    AvgPool1d,
    AvgPool2d,
    AvgPool3d,
    MaxPool1d,
    MaxPool2d,
    MaxPool3d,
)
from graphc.ops.position import SinePosition2d, Sinusoid
from graphc.ops.rearrange import Rearrange
from graphc.ops.reduce import Amax, Amin, Argmax, Mean, Sum
from graphc.ops.repeat import RepeatInterleave, Tile, Tril, Triu, Unflatten
from graphc.ops.resize import Interpolate, Mode, Pad, PixelShuffle, PixelUnshuffle, scaled
from graphc.ops.shape import Expand, Flatten, Permute, Reshape, Squeeze, Stack, Transpose, Unsqueeze
from graphc.ops.source import Arange, Full, NormalLike, Ones, OnesLike, Zeros, ZerosLike
from graphc.ops.statistic import CosineSimilarity, Cumsum, Normalize, Prod, Std, Var
from graphc.tensor import DType, Tensor
from graphc_onnx.assemble import LOWEST_OPSET
from graphc_onnx.emitter import Emitter
from graphc_onnx.lowerings import lower
from graphc_onnx.lowerings.nearest import Axis
from interpreter import REFERENCES, Array, Sizes, concrete, feeds, feeds_of, random_weights, run_in_torch
from sketch import Sketch, graph_of, tensor

TOLERANCE = 1e-5
SIZES: list[Sizes] = [{"N": 2, "H": 13, "W": 18, "h": 8, "w": 11}, {"N": 1, "H": 21, "W": 12, "h": 20, "w": 12}]
NEWEST_OPSET_OF_ORT = 26


def session(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    onnx.checker.check_model(model, full_check=True)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def assert_close(ours: Array, wanted: Array) -> None:
    assert (ours.shape, ours.dtype) == (wanted.shape, wanted.dtype)
    if ours.dtype == np.bool_:
        assert np.array_equal(ours, wanted)
        return
    finite = np.isfinite(wanted)
    assert np.array_equal(ours[~finite], wanted[~finite])
    ours, wanted = ours[finite], wanted[finite]
    assert np.abs(ours - wanted).max(initial=0) <= TOLERANCE * np.abs(wanted).max(initial=0)


def inferred_shapes(graph: Graph, model: onnx.ModelProto, sizes: Sizes) -> dict[str, list[int | None] | None]:
    """What ONNX itself infers of all values from the concrete sizes of the inputs; None where it does not know."""
    bare = onnx.ModelProto()
    bare.CopyFrom(model)
    del bare.graph.value_info[:]
    for declared in bare.graph.output:
        declared.type.tensor_type.ClearField("shape")
    for declared, value in zip(bare.graph.input, graph.inputs.values(), strict=True):
        for dim, size in zip(declared.type.tensor_type.shape.dim, concrete(value.type, sizes), strict=True):
            dim.dim_value = size
    found = shape_inference.infer_shapes(bare, strict_mode=True, data_prop=True).graph
    return {value.name: known_sizes(value) for value in (*found.value_info, *found.output)}


def known_sizes(value: onnx.ValueInfoProto) -> list[int | None] | None:
    if not value.type.tensor_type.HasField("shape"):
        return None
    return [d.dim_value if d.HasField("dim_value") else None for d in value.type.tensor_type.shape.dim]


def assert_shapes_agree(graph: Graph, model: onnx.ModelProto, sizes: Sizes) -> None:
    inferred = inferred_shapes(graph, model, sizes)
    made_by = {node.name: node.output[0] for node in model.graph.node}
    for node in (node for node in graph.nodes if node.path in made_by):
        ours, theirs = concrete(node.output.type, sizes), inferred[made_by[node.path]]
        if theirs is None and isinstance(node.op, Split):
            continue  # of free sizes
        assert theirs is not None, node.path
        assert len(ours) == len(theirs), node.path
        assert [t or o for o, t in zip(ours, theirs, strict=True)] == list(ours), node.path


IMAGE = tensor("N", 6, "H", "W")
SMALL = tensor("N", 6, "h", "w")
FIXED = tensor("N", 6, 11, 14)
VECTOR = tensor("N", 5)
HALF_FIXED = tensor("N", 6, 10, "W")
INTEGERS = tensor("N", 3, dtype="int64")

FLAGS = tensor("N", 3, dtype="bool")
LABELS = tensor("N", "H", "W", dtype="int64")
LOSSES = (MseLoss, L1Loss, SmoothL1Loss, HuberLoss, BinaryCrossEntropy, BinaryCrossEntropyWithLogits, KlDiv)
WEIGHT = (0.5, 1.0, 2.0, 0.1, 1.5, 3.0)


def labelled_losses() -> Iterator[Op]:
    """Losses of 6 classes in all settings."""
    settings = product((None, WEIGHT), (-100, 1), ("none", "mean", "sum"))
    for weight, ignored, reduction in settings:
        yield NllLoss(weight=weight, ignore_index=ignored, reduction=reduction)
        for smoothing in (0.0, 0.1):
            yield CrossEntropy(weight=weight, ignore_index=ignored, reduction=reduction, label_smoothing=smoothing)


MATRIX = tensor("N", 3)
N, H, W = symbol("N"), symbol("H"), symbol("W")
SQUARE = tensor(2 * symbol("H") - 5, 9, "N", "H")

PATTERNS: dict[str, dict[str, int]] = {
    "N C h w -> N C h w": {},
    "N C h w -> N h w C": {},
    "N C h w -> N (h w) C": {},
    "N C h w -> N (C h w)": {},
    "N C h w -> N C (w h)": {},
    "N C h w -> (N h w C)": {},
    "N (a b) h w -> a N b h w": {"a": 2},
    "N (a b) h w -> N a b h w": {"b": 3},
    "N (a b c) h w -> (w b) 1 (c N) (h a)": {"b": 3, "c": 1},
    "N (a b) h w -> N (b a) (h w)": {"a": 2, "b": 3},
    "N C h w -> 1 N C 1 h w": {},
}
IMAGE_MODES: list[Mode] = ["nearest", "nearest-exact", "bilinear", "bicubic"]

QUERY, KEY = tensor("N", "H", 6), tensor("N", "W", 6)
SEEN = tensor("N", 1, 1, "W", dtype="bool")
HEADS = tensor("N", 3, "H", 5), tensor("N", 3, "W", 5), tensor("N", 3, "W", 4)


def attentions() -> Iterator[tuple[Op, tuple[Tensor, ...]]]:
    """Attention with and without heads, masks and biases."""
    for causal in (False, True):
        yield Attention(is_causal=causal), HEADS
        yield Attention(is_causal=causal, scale=0.3, dropout_p=0.2), HEADS
        yield Attention(heads=3, is_causal=causal), (QUERY, KEY, tensor("N", "W", 9))
        yield Attention(is_causal=causal), (tensor("H", "W"), tensor("H", "W"), tensor("H", "N"))
    for dtype in get_args(DType)[::2]:
        yield Attention(), (*HEADS, tensor("H", "W", dtype=dtype))
        yield Attention(heads=2), (QUERY, KEY, KEY, tensor("N", 1, 1, "W", dtype=dtype))
        yield Attention(), (*HEADS, tensor(1, 3, "H", 1, dtype=dtype), tensor("H", "W"))
        yield Attention(heads=2), (QUERY, KEY, KEY, tensor("H", "W", dtype=dtype), tensor(2, "H", "W"))
    yield Attention(), (tensor("N", 3, "H", 5), tensor(3, "W", 5), tensor(1, 1, "W", 5))
    yield Attention(heads=1), (tensor("H", 6), tensor(7, 6), tensor(7, 2))


ROW, SOLID = tensor("N", 6, "H"), tensor("N", 6, 7, "H", "W")


def over_one_and_three_axes() -> Iterator[tuple[Op, tuple[Tensor, ...]]]:
    """Convolution and pooling of rows and of solids."""
    for conv, transposed, largest, mean, value in (
        (Conv1d, ConvTranspose1d, MaxPool1d, AvgPool1d, ROW),
        (Conv3d, ConvTranspose3d, MaxPool3d, AvgPool3d, SOLID),
    ):
        yield conv(out_channels=4, kernel_size=3), (value,)
        yield conv(out_channels=9, kernel_size=3, stride=2, padding=2, dilation=2, groups=3, bias=False), (value,)
        yield transposed(out_channels=4, kernel_size=2, stride=2), (value,)
        yield transposed(out_channels=9, kernel_size=3, stride=3, padding=1, output_padding=2, groups=3), (value,)
        yield largest(kernel_size=2), (value,)
        yield largest(kernel_size=3, stride=2, padding=1, dilation=2), (value,)
        yield largest(kernel_size=3, stride=2, ceil_mode=True, return_indices=True), (value,)
        yield mean(kernel_size=2), (value,)
        yield mean(kernel_size=3, stride=2, padding=1, ceil_mode=True, count_include_pad=False), (value,)
    for kind in (AdaptiveAvgPool1d, AdaptiveMaxPool1d):
        yield from ((kind(output_size=size), (value,)) for size in (1, 5) for value in (ROW, tensor("N", 2, 15)))
    for of_solids in (AdaptiveAvgPool3d, AdaptiveMaxPool3d):
        yield from ((of_solids(output_size=size), (SOLID,)) for size in (1, 5, (7, 1, 3)))
        yield of_solids(output_size=(2, 3, 2)), (tensor("N", 2, 4, 6, 8),)
        yield of_solids(output_size=(2, 3, 5)), (tensor("N", 2, 4, 6, 8),)


CASES: list[tuple[Op, tuple[Tensor, ...]]] = [
    (Conv2d(out_channels=4, kernel_size=3), (IMAGE,)),
    (Conv2d(out_channels=4, kernel_size=(1, 4), stride=(2, 3), padding=(0, 1), bias=False), (IMAGE,)),
    (Conv2d(out_channels=9, kernel_size=3, stride=2, padding=2, dilation=(2, 1), groups=3), (IMAGE,)),
    (Conv2d(out_channels=12, kernel_size=2, groups=6), (FIXED,)),
    (ConvTranspose2d(out_channels=4, kernel_size=2, stride=2), (IMAGE,)),
    (ConvTranspose2d(out_channels=4, kernel_size=(3, 4), stride=(2, 3), padding=(1, 2), bias=False), (IMAGE,)),
    (ConvTranspose2d(out_channels=9, kernel_size=3, stride=3, output_padding=(2, 1), groups=3), (IMAGE,)),
    (ConvTranspose2d(out_channels=4, kernel_size=3, padding=2, dilation=(2, 3), output_padding=1), (FIXED,)),
    (MaxPool2d(kernel_size=2), (IMAGE,)),
    (MaxPool2d(kernel_size=3, stride=2, padding=1), (IMAGE,)),
    (MaxPool2d(kernel_size=(2, 3), stride=(1, 2), dilation=(3, 2)), (IMAGE,)),
    (MaxPool2d(kernel_size=3, stride=2, ceil_mode=True), (IMAGE,)),
    (MaxPool2d(kernel_size=2, stride=3, padding=1, ceil_mode=True), (IMAGE,)),
    (MaxPool2d(kernel_size=1, stride=4, ceil_mode=True), (FIXED,)),
    (AdaptiveAvgPool2d(output_size=1), (IMAGE,)),
    (AdaptiveAvgPool2d(output_size=7), (IMAGE,)),
    (AdaptiveAvgPool2d(output_size=(1, 25)), (IMAGE,)),
    (AdaptiveAvgPool2d(output_size=(1, 1)), (FIXED,)),
    (AdaptiveAvgPool2d(output_size=(11, 7)), (FIXED,)),
    (AdaptiveAvgPool2d(output_size=(3, 5)), (FIXED,)),
    (AdaptiveAvgPool2d(output_size=(5, 4)), (HALF_FIXED,)),
    (BatchNorm(), (IMAGE,)),
    (BatchNorm(eps=0.1), (tensor("N", 6),)),
    (BatchNorm(affine=False), (tensor("N", 6, "H"),)),
    (BatchNorm(track_running_stats=False), (IMAGE,)),
    (BatchNorm(track_running_stats=False, affine=False, eps=0.5), (tensor("N", 6, 2, "H", "W"),)),
    (Add(), (IMAGE, IMAGE)),
    (Add(), (IMAGE, tensor(6, 1, 1), tensor("W"), tensor(1, 1, "H", 1))),
    (Add(), (INTEGERS, INTEGERS, INTEGERS)),
    (Add(), (FLAGS, FLAGS, INTEGERS, MATRIX)),
    (Multiply(), (IMAGE, tensor(6, 1, 1), tensor("W"))),
    (Multiply(), (FLAGS, FLAGS)),
    (Subtract(), (IMAGE, tensor("W", dtype="int64"))),
    (Divide(), (INTEGERS, MATRIX)),
    (Pow(), (INTEGERS, tensor(1, dtype="bool"))),
    (FloorDivide(), (MATRIX, MATRIX)),
    (FloorDivide(), (INTEGERS, INTEGERS)),
    (Remainder(), (MATRIX, INTEGERS)),
    (Remainder(), (INTEGERS, INTEGERS)),
    (Negative(), (INTEGERS,)),
    (Matmul(), (IMAGE, tensor("N", 1, "W", 5))),
    (Matmul(), (tensor("H"), IMAGE)),
    (Matmul(), (IMAGE, tensor("W"))),
    (Matmul(), (tensor("H"), tensor("H"))),
    (Matmul(), (INTEGERS, tensor(3, 4, dtype="int64"))),
    *((kind(), pair) for kind in (Eq, Ne, Lt, Le, Gt, Ge) for pair in [(MATRIX, INTEGERS), (FLAGS, FLAGS)]),
    (Where(), (FLAGS, INTEGERS, MATRIX)),
    (Where(), (tensor("N", 1, dtype="bool"), FLAGS, FLAGS)),
    (Constant(value=2), ()),
    (Constant(value=0.5), ()),
    (Constant(value=True), ()),
    (Getitem(index=(0, None, (1, None, None), -1)), (IMAGE,)),
    (Getitem(index=((None, None, None), None, None)), (FLAGS,)),
    (Getitem(index=((None, None, None),)), (INTEGERS,)),
    (Getitem(index=((None, -1, None), 2)), (tensor("H", 3, dtype="int64"),)),
    (Getitem(index=((None, None, None), (1, 5, 2), (-9, 18, 3), (-3, None, None))), (IMAGE,)),
    (Getitem(index=((None, None, None), 0, (symbol("H") // 3, symbol("H") - 1, None))), (IMAGE,)),
    (Getitem(index=((-symbol("H"), symbol("N") * symbol("H") - 3, None), (None, None, symbol("N")))), (SQUARE,)),
    (Concat(), (IMAGE, tensor("N", 2, "H", "W"), IMAGE)),
    (Concat(dim=-1), (IMAGE, tensor("N", 6, "H", 3))),
    (Concat(dim=0), (INTEGERS,)),
    (CenterCrop(), (IMAGE, SMALL)),
    (CenterCrop(), (IMAGE, tensor("N", 1, "h", 7))),
    (CenterCrop(), (FIXED, tensor("N", 2, 8, 14))),
    (CenterCrop(), (IMAGE, IMAGE)),
    (CenterCrop(), (tensor("N", 6, symbol("H") + 5), tensor(1, 1, "H"))),
    (Dropout(p=0.3), (IMAGE,)),
    (Identity(), (INTEGERS,)),
    (Relu(), (IMAGE,)),
    (Flatten(), (IMAGE,)),
    (Flatten(), (FIXED,)),
    (Flatten(start_dim=0), (IMAGE,)),
    (Flatten(start_dim=2), (IMAGE,)),
    (Flatten(start_dim=1, end_dim=2), (IMAGE,)),
    (Flatten(start_dim=0, end_dim=1), (IMAGE,)),
    (Flatten(start_dim=1, end_dim=2), (FIXED,)),
    (Flatten(start_dim=-1), (IMAGE,)),
    (Flatten(start_dim=0), (tensor("N"),)),
    (Linear(out_features=4), (tensor("N", 6),)),
    (Linear(out_features=4, bias=False), (tensor("N", 6),)),
    (Linear(out_features=4), (tensor("N", "H", 6),)),
    (Linear(out_features=4, bias=False), (tensor("N", "H", "W", 6),)),
    (Linear(out_features=4), (tensor(6),)),
    *((op(), (IMAGE,)) for op in (Detach, Dropout2d, Elu, Float, Gelu, Hardsigmoid, Hardswish, LeakyRelu, Mish, Silu)),
    *((op, (IMAGE,)) for op in (Gelu(approximate="tanh"), Elu(alpha=-2), LeakyRelu(negative_slope=0.3))),
    *((op, (IMAGE,)) for op in (Softplus(), Softplus(beta=3, threshold=2), Softplus(threshold=1), Softplus(beta=0.5))),
    *((op(), (kind,)) for op in (Sigmoid, Tanh, Exp, Log, Sqrt) for kind in (IMAGE, INTEGERS, tensor("N"))),
    *((op(), (FLAGS,)) for op in (Float, Sigmoid, Exp)),
    *((op(), (kind,)) for op in (Abs, Relu6) for kind in (IMAGE, INTEGERS)),
    *((Clamp(min=least, max=2), (kind,)) for least in (None, -1, 0.5, 3) for kind in (IMAGE, INTEGERS, FLAGS)),
    (Clamp(min=0), (INTEGERS,)),
    (Float(), (INTEGERS,)),
    *((op(), (kind,)) for op in (Softmax, LogSoftmax, Argmax) for kind in (VECTOR, tensor(6), tensor("N", "H"))),
    *((op(dim=dim), (IMAGE,)) for op in (Softmax, LogSoftmax) for dim in (0, 1, -1)),
    *((op, (IMAGE,)) for op in (Argmax(dim=-3), Argmax(dim=2, keepdim=True))),
    (Argmax(dim=0), (INTEGERS,)),
    *((op(), (kind,)) for op in (Amax, Amin, Sum) for kind in (IMAGE, INTEGERS, FLAGS, tensor())),
    *((op(dim=(2, -1), keepdim=keep), (IMAGE,)) for op in (Amax, Amin, Sum, Mean) for keep in (False, True)),
    *((op(dim=1), (FLAGS,)) for op in (Amax, Amin, Sum)),
    *((Mean(keepdim=keep), (kind,)) for keep in (False, True) for kind in (IMAGE, tensor())),
    (Mean(dim=-2), (IMAGE,)),
    (LayerNorm(), (tensor("N", "H", 7),)),
    (LayerNorm(eps=0.1, bias=False), (VECTOR,)),
    (LayerNorm(dims=2, elementwise_affine=False), (FIXED,)),
    (LayerNorm(dims=2), (FIXED,)),
    (RMSNorm(), (tensor("N", "H", 7),)),
    (RMSNorm(eps=0.1, elementwise_affine=False, dims=2), (FIXED,)),
    (FrozenBatchNorm(), (IMAGE,)),
    (FrozenBatchNorm(eps=0.1), (FIXED,)),
    (StochasticDepth(p=0.3), (IMAGE,)),
    (StochasticDepth(p=1, mode="batch"), (tensor("N"),)),
    (Learned(shape=(1, 3, 5)), ()),
    (Learned(shape=(), std=0.02), ()),
    (GroupNorm(num_groups=3), (IMAGE,)),
    (GroupNorm(num_groups=1, eps=0.1), (tensor("N", 6),)),
    (GroupNorm(num_groups=6, affine=False), (tensor("N", 6, "H"),)),
    (InstanceNorm(), (IMAGE,)),
    (InstanceNorm(affine=True, eps=0.1), (tensor("N", 6, "H"),)),
    (InstanceNorm(affine=True, track_running_stats=True), (tensor("N", 6, 2, "H", "W"),)),
    (InstanceNorm(track_running_stats=True), (IMAGE,)),
    *((LocalResponseNorm(size=size, alpha=0.3), (kind,)) for size in (1, 2, 5, 9, 14) for kind in (IMAGE, FIXED)),
    (LocalResponseNorm(size=5, alpha=0.5, beta=1.5, k=2), (tensor("N", 6, "H"),)),
    (LocalResponseNorm(size=3), (tensor("N", "H", "W", 3),)),
    (LocalResponseNorm(size=4), (tensor("N", "H", "W", 3, 2),)),
    (AvgPool2d(kernel_size=2), (IMAGE,)),
    (AvgPool2d(kernel_size=(3, 2), stride=(2, 1), padding=1), (IMAGE,)),
    (AvgPool2d(kernel_size=3, stride=2, padding=1, ceil_mode=True), (IMAGE,)),
    (AvgPool2d(kernel_size=3, stride=2, padding=1, ceil_mode=True, count_include_pad=False), (IMAGE,)),
    (AvgPool2d(kernel_size=2, stride=3, padding=1, ceil_mode=True), (IMAGE,)),
    (AvgPool2d(kernel_size=2, stride=3, padding=1, ceil_mode=True, count_include_pad=False), (IMAGE,)),
    (AvgPool2d(kernel_size=1, stride=4, ceil_mode=True), (FIXED,)),
    (AvgPool2d(kernel_size=2, padding=1, count_include_pad=False), (FIXED,)),
    *((AdaptiveMaxPool2d(output_size=size), (IMAGE,)) for size in (1, 7, (1, 25))),
    *((AdaptiveMaxPool2d(output_size=size), (FIXED,)) for size in (1, (11, 7), (3, 5))),
    (AdaptiveMaxPool2d(output_size=(5, 4)), (HALF_FIXED,)),
    (Embedding(num_embeddings=5, embedding_dim=3), (INTEGERS,)),
    (Embedding(num_embeddings=5, embedding_dim=3, padding_idx=-1), (tensor("N", "H", 2, dtype="int64"),)),
    *((op(reduction=how), (IMAGE, IMAGE)) for op in LOSSES for how in ("none", "mean", "sum")),
    *((op(), (tensor(), tensor())) for op in LOSSES),
    *((op, (VECTOR, VECTOR)) for op in (HuberLoss(delta=2), SmoothL1Loss(beta=2), SmoothL1Loss(beta=0))),
    *((KlDiv(log_target=True, reduction=how), (IMAGE, IMAGE)) for how in ("none", "mean", "sum", "batchmean")),
    (KlDiv(reduction="batchmean"), (IMAGE, IMAGE)),
    (KlDiv(reduction="batchmean"), (tensor(), tensor())),
    *((op, (IMAGE, LABELS)) for op in labelled_losses()),
    *((op, (tensor(6), tensor(dtype="int64"))) for op in labelled_losses()),
    *((op, (IMAGE, IMAGE)) for op in labelled_losses() if isinstance(op, CrossEntropy) and op.ignore_index < 0),
    *((op(), (VECTOR, tensor("N", dtype="int64"))) for op in (CrossEntropy, NllLoss)),
    (CrossEntropy(), (tensor("N", "H", "W"), tensor("N", "W", dtype="int64"))),
    (CrossEntropy(label_smoothing=0.2), (tensor(6), tensor(6))),
    *(
        (Reshape(shape=shape), (IMAGE,))
        for shape in [(-1,), (N, -1, W), (N, 3, 2, H, W), (H * W, -1, N), (2, -1, 1, 3)]
    ),
    (Reshape(shape=(N * H, 2 * W, 3)), (IMAGE,)),
    (Reshape(shape=(3, -1, 7, 2)), (tensor(6, 11, 14, dtype="int64"),)),
    (Reshape(shape=()), (tensor(1, 1, dtype="bool"),)),
    (Reshape(shape=(1, -1)), (tensor(),)),
    (Permute(dims=(0, 2, -1, 1)), (IMAGE,)),
    (Permute(dims=(1, 0)), (FLAGS,)),
    (Permute(dims=()), (tensor(),)),
    (Transpose(), (IMAGE,)),
    (Transpose(dim0=1, dim1=0), (INTEGERS,)),
    (Transpose(dim0=0, dim1=-1), (tensor("N"),)),
    (Expand(shape=(N, 3, W)), (tensor("N", 1, "W"),)),
    (Expand(shape=(2 * N, -1, W, W)), (tensor("N", 1, "W"),)),
    (Expand(shape=(3, -1, 5, -1)), (tensor("N", 1, 3, dtype="int64"),)),
    (Expand(shape=(2, 3)), (tensor(dtype="bool"),)),
    (Squeeze(dim=1), (tensor("N", 1, "H"),)),
    (Squeeze(dim=(0, -1)), (tensor(1, "H", 1, dtype="int64"),)),
    *((Unsqueeze(dim=dim), (kind,)) for dim in (0, -1) for kind in (IMAGE, tensor())),
    (Stack(), (MATRIX, MATRIX)),
    (Stack(dim=-1), (MATRIX, INTEGERS, FLAGS)),
    (Stack(dim=1), (tensor("N"),)),
    (IndexSelect(), (IMAGE, tensor("H", 2, dtype="int64"))),
    (IndexSelect(dim=-2), (IMAGE, tensor(5, dtype="int64"))),
    (IndexSelect(dim=1), (INTEGERS, tensor(dtype="int64"))),
    (Roll(shifts=(-3, 4), dims=(2, -1)), (IMAGE,)),
    (Roll(shifts=(0, -25, 11), dims=(1, 2, 3)), (FIXED,)),
    (Roll(shifts=3, dims=0), (INTEGERS,)),
    (Roll(shifts=(H // 2, -W), dims=(2, 3)), (IMAGE,)),
    (Roll(shifts=(5, 5), dims=(0, 0)), (FLAGS,)),
    (Split(split_size=4, dim=1), (IMAGE,)),
    (Split(split_size=(5, H - 8, 3), dim=2), (IMAGE,)),
    (Chunk(chunks=3, dim=-3), (IMAGE,)),
    (Chunk(chunks=2), (tensor(2 * H, 3, dtype="int64"),)),
    *((Rearrange(pattern=pattern, **sizes), (IMAGE,)) for pattern, sizes in PATTERNS.items()),
    (Rearrange(pattern="(h m) (w n) C -> (h w) 1 (m n C)", m=7, n=2), (tensor(7 * H, 2 * W, 5),)),
    (Rearrange(pattern="N (h m) W -> N (m W) h", h=H), (tensor("N", 10 * H, "W"),)),
    (Rearrange(pattern="(a b) 1 c -> c 1 (b a)", a=2), (tensor(6, 1, 5, dtype="bool"),)),
    (Rearrange(pattern="1 1 -> "), (tensor(1, 1),)),
    (Rearrange(pattern=" -> 1"), (tensor(),)),
    *((kind(shape=shape), ()) for kind in (Zeros, Ones) for shape in [(2, 3), ()]),
    *((kind(shape=(3,), dtype=dtype), ()) for kind in (Zeros, Ones) for dtype in ("int64", "bool")),
    *((Full(shape=(2, 3), fill_value=value), ()) for value in (2, -0.5, True)),
    *((Arange(end=7, start=start, step=step), ()) for start in (0, -2, 0.5) for step in (1, 3, 0.75)),
    (Arange(end=-4, start=3, step=-2), ()),
    (Arange(end=10000, start=0.1, step=0.7), ()),
    *((kind(), (value,)) for kind in (ZerosLike, OnesLike) for value in (IMAGE, INTEGERS, FLAGS, tensor())),
    *((op, (IMAGE, SMALL)) for op in (Interpolate(), Interpolate(mode="bilinear"), Interpolate(mode="nearest-exact"))),
    *((Interpolate(size=size, mode=mode), (IMAGE,)) for size in (7, (H + 3, 40)) for mode in IMAGE_MODES),
    *((Interpolate(scale_factor=s, mode=mode), (IMAGE,)) for s in (2, 3.0, 0.5, (1.5, 0.75)) for mode in IMAGE_MODES),
    *((Interpolate(scale_factor=2, mode=m, align_corners=True), (IMAGE,)) for m in ("bilinear", "bicubic")),
    *((Interpolate(size=(1, 5), mode=m, align_corners=True), (FIXED,)) for m in ("bilinear", "bicubic")),
    (Interpolate(scale_factor=1.3, mode="bilinear"), (FIXED,)),
    *((Interpolate(scale_factor=2, mode=mode), (tensor("N", 3, "H"),)) for mode in ("nearest", "linear")),
    *((Interpolate(size=5, mode=mode), (tensor("N", 2, 3, "H", 4),)) for mode in ("nearest", "trilinear")),
    (Pad(pad=(1, 2)), (IMAGE,)),
    (Pad(pad=(0, 0, -1, 3), value=-0.5), (IMAGE,)),
    (Pad(pad=(0, W, H // 2, 0, 1, 1), value=2), (IMAGE,)),
    (Pad(pad=(1, 1), value=7), (INTEGERS,)),
    (Pad(pad=(1, 0, 1, 1)), (FLAGS,)),
    *((Pad(pad=(1, 2, 3, 0), mode=mode), (IMAGE,)) for mode in ("reflect", "replicate")),
    (Pad(pad=(H - 1, 2), mode="reflect"), (tensor("N", 2, "H"),)),
    (PixelShuffle(upscale_factor=2), (tensor("N", 12, "H", "W"),)),
    (PixelUnshuffle(downscale_factor=2), (tensor("N", 3, 2 * H, 2 * W),)),
    (PixelUnshuffle(downscale_factor=7), (tensor("N", 2, 14, 7),)),
    *attentions(),
    (Sinusoid(length=40, dim=6), ()),
    (SinePosition2d(channels=8), (IMAGE,)),
    (SinePosition2d(channels=4), (tensor(2, 3, 5, 4),)),
    *(
        (MaskedConv2d(out_channels=8, kernel_size=3, mask=mask, colours=3, parts=parts, padding=1), (IMAGE,))
        for mask in ("A", "B")
        for parts in (1, 2)
    ),
    (MaskedConv2d(out_channels=3, kernel_size=(1, 5), mask="A", colours=3, bias=False), (IMAGE,)),
    (MaskedConv2d(out_channels=4, kernel_size=1, mask="B"), (IMAGE,)),
    *((TopK(k=k, dim=dim), (IMAGE,)) for k, dim in [(3, -1), (15, 2), (6, 1), (40, -1)]),
    (TopK(k=2, largest=False), (INTEGERS,)),
    (TopK(k=N + 1, dim=0), (tensor(2 * H, "N"),)),
    *(
        (kind(dim=dim, descending=down), (IMAGE,))
        for kind in (Sort, Argsort)
        for dim in (1, -1)
        for down in (False, True)
    ),
    *((kind(), (INTEGERS,)) for kind in (Sort, Argsort)),
    (Gather(dim=2), (IMAGE, tensor(1, 3, 5, "W", dtype="int64"))),
    (Gather(dim=-1), (FLAGS, tensor("N", 7, dtype="int64"))),
    (Take(), (IMAGE, tensor("N", 4, dtype="int64"))),
    (Take(), (tensor("N", "H", dtype="int64"), tensor("N", "W", dtype="int64"))),
    (Pick(), (IMAGE, tensor("N", dtype="int64"))),
    (Pick(), (FLAGS, tensor("N", dtype="int64"))),
    (Scatter(shape=(5, 6, H, W), fill=2), (tensor("N", dtype="int64"), IMAGE)),
    (Scatter(shape=(12,), fill=-0.5), (tensor(4, dtype="int64"), tensor(4))),
    (Scatter(shape=(2 * H,)), (tensor("H", dtype="int64"), tensor("H", dtype="int64"))),
    (Scatter(shape=(4, 3), fill=True), (tensor("N", dtype="int64"), FLAGS)),
    (OneHot(num_classes=4), (tensor("N", "H", dtype="int64"),)),
    *(
        (Prod(dim=dim, keepdim=keep), (kind,))
        for dim in (1, -1)
        for keep in (False, True)
        for kind in (INTEGERS, FLAGS)
    ),
    *((Prod(), (kind,)) for kind in (tensor(2, 5), tensor(), FLAGS)),
    *((kind(), (value,)) for kind in (Std, Var) for value in (IMAGE, tensor(5, "H"))),
    *((kind(dim=(1, -1), correction=0, keepdim=True), (IMAGE,)) for kind in (Std, Var)),
    (Var(dim=1, correction=2), (IMAGE,)),
    (Var(correction=0), (tensor(),)),
    *((Cumsum(dim=dim), (kind,)) for dim in (0, -1) for kind in (tensor("N", "H"), INTEGERS, FLAGS)),
    *((Normalize(p=p), (IMAGE,)) for p in (1.0, 2.0, 3.0)),
    (Normalize(dim=-1, eps=2.0), (VECTOR,)),
    (CosineSimilarity(), (IMAGE, IMAGE)),
    (CosineSimilarity(dim=-1), (tensor("N", 1, 5), tensor("H", 1))),
    (CosineSimilarity(dim=0, eps=3.0), (tensor(5), tensor(5))),
    (Tile(dims=(2, 3)), (IMAGE,)),
    (Tile(dims=(2, N, 1)), (INTEGERS,)),
    (Tile(dims=(4,)), (tensor(dtype="bool"),)),
    *((RepeatInterleave(repeats=3, dim=dim), (IMAGE,)) for dim in (0, 2, -1)),
    (RepeatInterleave(repeats=N, dim=0), (tensor("H", "N", dtype="int64"),)),
    (Unflatten(dim=1, sizes=(2, -1)), (IMAGE,)),
    (Unflatten(dim=0, sizes=(H, 3, 2)), (tensor(6 * H, 3, dtype="bool"),)),
    *(
        (kind(diagonal=d), (value,))
        for kind in (Tril, Triu)
        for d in (0, 2, -3)
        for value in (IMAGE, tensor("H", "W", dtype="int64"))
    ),
    *((kind(), (tensor("H", 5, dtype="bool"),)) for kind in (Tril, Triu)),
    (Unfold(kernel_size=3), (IMAGE,)),
    (Unfold(kernel_size=(2, 3), dilation=(1, 2), padding=(0, 1), stride=(2, 3)), (IMAGE,)),
    (Unfold(kernel_size=2, stride=2), (FIXED,)),
    (Fold(output_size=(9, 8), kernel_size=(3, 2), stride=(2, 1), padding=(1, 0)), (tensor("N", 12, 35),)),
    (Fold(output_size=(N + 1, 3), kernel_size=2), (tensor("N", 8, 2 * N),)),
    (Fold(output_size=7, kernel_size=2, dilation=2, stride=2), (tensor("N", 4, 9),)),
    (MaxUnpool2d(kernel_size=2), (IMAGE, tensor("N", 6, "H", "W", dtype="int64"))),
    (
        MaxUnpool2d(kernel_size=3, stride=2, padding=1),
        (IMAGE, tensor("N", 6, "H", "W", dtype="int64"), tensor("N", 1, 2 * H, 2 * W - 1)),
    ),
    *((op(), (kind,)) for op in (Ceil, Floor, Round, Sign) for kind in (IMAGE, INTEGERS)),
    *((op(), (kind,)) for op in (Cos, Erf, Reciprocal, Rsqrt, Sin) for kind in (IMAGE, INTEGERS, tensor())),
    *((op(), (kind,)) for op in (Logsigmoid, Prelu, Selu, Softsign, Hardtanh) for kind in (IMAGE, VECTOR)),
    *((Prelu(num_parameters=6, init=0.1), (kind,)) for kind in (IMAGE, tensor("N", 6), ROW)),
    (Hardtanh(min_val=0.25, max_val=0.5), (IMAGE,)),
    *((LogicalNot(), (kind,)) for kind in (FLAGS, INTEGERS, MATRIX)),
    *(
        (kind(), pair)
        for kind in (LogicalAnd, LogicalOr, LogicalXor, Maximum, Minimum)
        for pair in [(FLAGS, FLAGS), (FLAGS, INTEGERS), (MATRIX, tensor("N", 1, dtype="int64"))]
    ),
    (MaskedFill(value=2), (IMAGE, tensor("H", 1, dtype="bool"))),
    (MaskedFill(value=-0.5), (tensor(3), FLAGS)),
    (MaskedFill(value=float("-inf")), (MATRIX, FLAGS)),
    (MaskedFill(value=7), (INTEGERS, FLAGS)),
    *((MaskedFill(value=value), (FLAGS, tensor("N", 1, dtype="bool"))) for value in (False, True)),
    *over_one_and_three_axes(),
    (MaxPool2d(kernel_size=2, return_indices=True), (IMAGE,)),
    *((CausalMask(size=size), ()) for size in (1, 5)),
]


def names(cases: Sequence[tuple[Op, tuple[Tensor, ...]]]) -> Iterator[str]:
    for op, operands in cases:
        attributes = ",".join(f"{name}={value}" for name, value in op.model_dump(exclude_defaults=True).items())
        yield f"{op.name}({attributes})-{'-'.join(map(str, operands))}".replace(" ", "")


op_cases = pytest.mark.parametrize(("op", "operands"), CASES, ids=names(CASES))


@op_cases
def test_op_equals_torch_at_two_sizes_from_one_file(op: Op, operands: tuple[Tensor, ...]) -> None:
    graph = graph_of(op, *operands)
    weights = random_weights(graph)
    run = session(graphc_onnx.model(graph, weights=weights)).run
    for sizes in SIZES:
        inputs = feeds_of(op, graph, sizes)
        (ours,) = run(None, inputs)
        assert_close(ours, run_in_torch(graph, weights, inputs)[graph.outputs["output"]])
        assert ours.shape == concrete(graph.outputs["output"].type, sizes)


@op_cases
def test_shapes_agree_with_onnx(op: Op, operands: tuple[Tensor, ...]) -> None:
    graph = graph_of(op, *operands)
    model = graphc_onnx.model(graph)
    for sizes in SIZES:
        assert_shapes_agree(graph, model, sizes)


@op_cases
@pytest.mark.parametrize("opset", [LOWEST_OPSET, NEWEST_OPSET_OF_ORT])
def test_op_runs_in_every_opset(op: Op, operands: tuple[Tensor, ...], opset: int) -> None:
    graph = graph_of(op, *operands)
    model = graphc_onnx.model(graph, opset=opset)
    assert model.opset_import[0].version >= opset
    session(model).run(None, feeds_of(op, graph, SIZES[0]))


def test_every_op_is_lowered_and_tested() -> None:
    assert [name for name, op in OPS.items() if lower.dispatch(op) is lower.dispatch(Op)] == []
    assert set(OPS.values()) == set(REFERENCES) == {type(op) for op, _ in CASES} | {NormalLike}


def test_random_numbers_are_normally_distributed() -> None:
    """In both backends, and others each time; ONNX Runtime has no RandomNormalLike of opset 22."""
    graph = graph_of(NormalLike(), tensor("N", 3, "H"))
    values = np.zeros((50, 3, 400), np.float32)
    run, module = session(graphc_onnx.model(graph)).run, graphc_torch.module(graph)
    drawn = [run(None, {"input_0": values})[0] for _ in range(2)]
    drawn += [module(torch.from_numpy(values)).numpy() for _ in range(2)]
    for numbers in drawn:
        assert (numbers.shape, numbers.dtype) == (values.shape, values.dtype)
        assert abs(numbers.mean()) < 0.02
        assert abs(numbers.std() - 1) < 0.02
    assert not any(np.array_equal(a, b) for a, b in combinations(drawn, 2))


def test_resize_takes_the_nearest_elements_of_torch_where_it_is_used() -> None:
    """The forms of free sizes that `nearest.Axis.is_safe` lets pass, and that of fixed sizes, at many sizes."""
    n, double = symbol("n"), 2 * symbol("n")
    forms: list[tuple[float | None, Size, bool]] = [(None, double + rest, False) for rest in (-1, 0, 1)]
    forms.append((None, double, True))
    forms += [(factor / 4, scaled(n, factor / 4), middle) for factor in range(1, 33) for middle in (False, True)]
    for factor, wanted, middle in forms:
        axis = Axis(2, n, wanted, factor, middle)
        assert axis.is_safe
        for size in range(4, 400 if factor else 2000):
            at = substitute(wanted, {"n": size})
            assert isinstance(at, int)
            assert np.array_equal(axis.taken(size, at), axis.resized(size, at)), (size, at, factor, middle)
    assert not Axis(2, n, double + 2, None, middle=False).is_safe
    assert not Axis(2, n, double + 1, None, middle=True).is_safe
    assert not Axis(2, 14, 2, None, middle=False).is_safe


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact"])
def test_the_nearest_elements_are_torchs_at_all_sizes(mode: Mode) -> None:
    """For nearest-exact torch's kernels differ among each other where a middle falls between two elements."""
    graph = graph_of(Interpolate(mode=mode), tensor("N", 1, "H"), tensor("N", 1, "W"))
    run = session(graphc_onnx.model(graph)).run
    for size, wanted in product((2, 3, 14, 28, 50), range(1, 150)):
        values, like = np.arange(size, dtype=np.float32)[None, None], np.zeros((1, 1, wanted), np.float32)
        (ours,) = run(None, {"input_0": values, "input_1": like})
        theirs = torch.nn.functional.interpolate(torch.from_numpy(values), wanted, mode=mode).numpy()
        between = (2 * np.arange(wanted) + 1) * size % (2 * wanted) == 0
        assert (ours == theirs)[..., ~between | (mode == "nearest")].all()
        assert np.abs(ours - theirs).max() <= 1


THREE = tensor("N", 3, "H")


@pytest.mark.parametrize(
    ("op", "operand"),
    [
        (Split(split_size=(1, 2), dim=1), THREE),
        (Split(split_size=2, dim=1), THREE),
        (Split(split_size=(H - 4, 1, 3), dim=2), THREE),
        (Chunk(chunks=3, dim=1), THREE),
        (MaxPool1d(kernel_size=3, stride=2, padding=1, return_indices=True), ROW),
        (MaxPool2d(kernel_size=2, return_indices=True), IMAGE),
        (MaxPool2d(kernel_size=(3, 2), stride=(1, 3), dilation=2, ceil_mode=True, return_indices=True), IMAGE),
        (MaxPool3d(kernel_size=2, return_indices=True), SOLID),
        (TopK(k=3), IMAGE),
        (TopK(k=15, dim=2, largest=False), IMAGE),
        (Sort(), IMAGE),
        (Sort(dim=1, descending=True), IMAGE),
    ],
    ids=str,
)
def test_every_part_is_given(op: Op, operand: Tensor) -> None:
    sketch = Sketch(image=operand)
    parts = sketch.add("parts", op, sketch["image"]).node.outputs
    graph = sketch.give(**{f"part_{part.name}": part for part in parts})
    run, module = session(graphc_onnx.model(graph)).run, graphc_torch.module(graph)
    for sizes in SIZES:
        inputs = feeds(graph, sizes)
        expected = run_in_torch(graph, {}, inputs)
        written = module(*map(torch.from_numpy, inputs.values()))
        for part, ours, theirs in zip(parts, run(None, inputs), written, strict=True):
            assert_close(ours, expected[part])
            assert_close(theirs.numpy(), expected[part])
            assert ours.shape == concrete(part.type, sizes)


@pytest.mark.parametrize("op", OPS.values(), ids=OPS)
def test_lowering_takes_the_operands_of_infer(op: type[Op]) -> None:
    ours = list(signature(lower.dispatch(op)).parameters.values())[2:]
    found = [(p.name, p.kind is Parameter.VAR_POSITIONAL) for p in ours]
    assert found in ([(s.name, s.variadic) for s in op.slots()], [("operands", True)])


class Stranger(Pointwise):
    """An op that somebody else has defined."""

    name = "stranger"


def test_ops_without_lowering_are_all_reported_where_they_stand() -> None:
    sketch = Sketch(image=IMAGE)
    first = sketch.add("first", Stranger(), sketch["image"])
    second = sketch.add("block.second", Stranger(), sketch.add("relu", Relu(), first))
    with pytest.raises(SpecError) as raised:
        graphc_onnx.model(sketch.give(output=second))
    found = [(d.code, str(d.span), d.message) for d in raised.value.diagnostics]
    why = "the backend doesn't know this op"
    assert found == [
        ("E901", "sketch.yaml:2:3", f"ONNX: cannot lower `stranger` (first): {why}"),
        ("E901", "sketch.yaml:4:3", f"ONNX: cannot lower `stranger` (block.second): {why}"),
    ]


def test_a_stranger_adds_a_lowering_from_outside() -> None:
    class Negative(Pointwise):
        name = "negative"

    @lower.register(Negative)
    def negative(_: Negative, to: Emitter, input: Value) -> None:
        to.emit("Neg", input)

    graph = graph_of(Negative(), VECTOR)
    inputs = feeds(graph, SIZES[0])
    (ours,) = session(graphc_onnx.model(graph)).run(None, inputs)
    assert_close(ours, -inputs["input_0"])


def test_output_padding_that_onnx_has_no_form_for_is_refused() -> None:
    op = ConvTranspose2d(out_channels=1, kernel_size=3, padding=1, dilation=4, output_padding=3)
    with pytest.raises(SpecError, match=r"sketch.yaml:2:3: error E901: .*output_padding exceeds stride - 1 \+ padding"):
        graphc_onnx.model(graph_of(op, IMAGE))


def test_pooling_of_whole_numbers_is_refused() -> None:
    """ONNX's MaxPool takes none."""
    graph = graph_of(MaxPool2d(kernel_size=2), tensor("N", 3, "H", "W", dtype="int64"))
    with pytest.raises(SpecError, match=r"sketch.yaml:2:3: error E901: .*it pools no whole numbers"):
        graphc_onnx.model(graph)


def small_network() -> Graph:
    """Two blocks' worth of ops, some with weights."""
    sketch = Sketch(image=IMAGE)
    conv = sketch.add("stage.0.conv2d", Conv2d(out_channels=4, kernel_size=3), sketch["image"])
    pooled = sketch.add("pool", AdaptiveAvgPool2d(output_size=2), sketch.add("stage.0.norm", BatchNorm(), conv))
    return sketch.give(logits=sketch.add("fc", Linear(out_features=3), sketch.add("flatten", Flatten(), pooled)))


def test_paths_name_nodes_values_and_weights() -> None:
    graph = small_network()
    body = graphc_onnx.model(graph).graph
    given = {node.name: node.output[0] for node in body.node}
    assert given["stage.0.conv2d"] == "stage.0.conv2d"
    assert given["fc"] == "logits"
    assert {name for name in given if "/" not in name} == {node.path for node in graph.nodes}
    weights = {path for path, _ in graph.weights() if not path.endswith("num_batches_tracked")}
    assert {tensor.name for tensor in body.initializer if "/" not in tensor.name} == weights


def test_free_sizes_are_named_dimensions() -> None:
    body = graphc_onnx.model(small_network()).graph
    assert dimensions(body.input[0]) == ("image", ["N", 6, "H", "W"])
    assert dimensions(body.output[0]) == ("logits", ["N", 3])
    between = dict(map(dimensions, body.value_info))
    assert between["stage.0.norm"] == ["N", 4, "H - 2", "W - 2"]


def dimensions(value: onnx.ValueInfoProto) -> tuple[str, list[int | str]]:
    return value.name, [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]


def test_a_model_says_where_it_comes_from() -> None:
    graph = small_network()
    graph.doc, graph.digest, graph.paper = "Small.", "abc", Paper("On Sketches", "Anon", 2020)
    model = graphc_onnx.model(graph)
    assert (model.producer_name, model.producer_version) == ("graphc", graphc.__version__)
    assert (model.graph.name, model.doc_string) == ("sketch", "A sketch\n\nSmall.")
    assert {entry.key: entry.value for entry in model.metadata_props} == {
        "graphc.spec": "sketch.yaml",
        "graphc.sha256": "abc",
        "graphc.version": graphc.__version__,
        "paper.title": "On Sketches",
        "paper.authors": "Anon",
        "paper.year": "2020",
    }
    assert [node.doc_string for node in model.graph.node if node.name == "fc"] == ["sketch.yaml:6:3"]


def test_same_graph_same_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "first.onnx", tmp_path / "second.onnx"
    graphc_onnx.write(small_network(), first, seed=3)
    graphc_onnx.write(small_network(), second, seed=3)
    assert first.read_bytes() == second.read_bytes()
    onnx.checker.check_model(str(first), full_check=True)


def test_weights_are_the_initial_values_of_the_seed_or_those_given() -> None:
    graph = small_network()
    for model, expected in [
        (graphc_onnx.model(graph, seed=1), dict(initial_values(graph, seed=1))),
        (graphc_onnx.model(graph, weights=random_weights(graph)), random_weights(graph)),
    ]:
        held = {t.name: onnx.numpy_helper.to_array(t) for t in model.graph.initializer if t.name in expected}
        assert held.keys() >= {"stage.0.conv2d.weight", "stage.0.norm.running_var", "fc.bias"}
        assert all(np.array_equal(value, expected[path]) for path, value in held.items())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fc.bias": np.zeros(4)}, r"fc.bias needs the shape \[3\], the weight given has \[4\]"),
        ({"fc.bias": None}, "no weight is given for fc.bias"),
    ],
    ids=["shape", "missing"],
)
def test_wrong_weights_are_refused(change: dict[str, Array | None], message: str) -> None:
    graph = small_network()
    weights = {path: value for path, value in (random_weights(graph) | change).items() if value is not None}
    with pytest.raises(ValueError, match=message):
        graphc_onnx.model(graph, weights=weights)


@pytest.mark.parametrize(
    ("op", "lowest"),
    [
        (MaxPool2d(kernel_size=2, stride=3, padding=1, ceil_mode=True), (22, 10)),
        (MaxPool2d(kernel_size=2, stride=3, padding=1), (15, 8)),
        (MaxPool2d(kernel_size=3, stride=2, padding=1, ceil_mode=True), (15, 8)),
        (AvgPool2d(kernel_size=2, stride=3, padding=1, ceil_mode=True), (22, 10)),
        (BatchNorm(track_running_stats=False), (18, 8)),
        (GroupNorm(num_groups=2), (15, 8)),
        (Gelu(), (15, 8)),
        (Sum(dim=1), (15, 8)),
        (Mean(dim=1), (18, 8)),
        (Var(dim=1), (18, 8)),
        (Unfold(kernel_size=2), (15, 8)),
        (TopK(k=2), (15, 8)),
    ],
    ids=str,
)
def test_opset_is_the_lowest_that_all_ops_need(op: Op, lowest: tuple[int, int]) -> None:
    graph = graph_of(op, IMAGE)
    for wanted in (LOWEST_OPSET, 18):
        model = graphc_onnx.model(graph, opset=wanted)
        assert (model.opset_import[0].version, model.ir_version) == max(lowest, (wanted, 8))


def test_an_unknown_opset_is_refused() -> None:
    with pytest.raises(BackendError, match="opset 99 is not known"):
        graphc_onnx.model(small_network(), opset=99)


def test_a_value_may_be_given_out_twice_and_an_input_too() -> None:
    sketch = Sketch(image=IMAGE)
    relu = sketch.add("relu", Relu(), sketch["image"])
    graph = sketch.give(image=sketch["image"], same=sketch["image"], first=relu, second=relu)
    inputs = feeds(graph, SIZES[0])
    outputs = session(graphc_onnx.model(graph)).run(["image", "same", "first", "second"], inputs)
    for ours, expected in zip(outputs, [inputs["image"]] * 2 + [np.maximum(inputs["image"], 0)] * 2, strict=True):
        assert_close(ours, expected)


def test_an_output_may_have_the_path_of_another_value() -> None:
    sketch = Sketch(image=IMAGE)
    relu = sketch.add("relu", Relu(), sketch["image"])
    graph = sketch.give(relu=sketch.add("conv", Conv2d(out_channels=2, kernel_size=1), relu))
    model = graphc_onnx.model(graph)
    session(model)
    assert [(node.name, *node.output) for node in model.graph.node] == [("relu", "relu/value"), ("conv", "relu")]


def test_an_output_with_the_name_of_an_input_is_refused() -> None:
    sketch = Sketch(image=IMAGE)
    graph = sketch.give(image=sketch.add("relu", Relu(), sketch["image"]))
    with pytest.raises(SpecError, match="E901: ONNX: `image` is an input and, as another value, an output"):
        graphc_onnx.model(graph)


def test_graphc_finds_it() -> None:
    (found,) = entry_points(group="graphc.backends", name="onnx")
    assert found.load() is graphc_onnx
    assert list(graphc_onnx.SUFFIXES) == [".onnx"]


def addresses() -> Iterator[str]:
    """Every spec in every variant."""
    for name in library.names():
        variants = sorted(library.load(name)[0].variants)
        yield from (f"{name}:{variant}" for variant in variants) if variants else [name]


def is_large(address: str) -> bool:
    return any(part in address for part in ("101", "152", "vit_b", "vit_l"))


def checked_in_memory() -> Iterator[object]:
    """The specs with less than 2 GB of weights, which is all that ONNX's checker takes."""
    for address in addresses():
        if not address.endswith("vit_h_14"):
            yield pytest.param(address, marks=[pytest.mark.slow] * is_large(address))


def test_importing_it_imports_no_onnx() -> None:
    code = "import sys, graphc_onnx; print([name for name in ('numpy', 'onnx', 'torch') if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def narrow_unet(folder: Path) -> Graph:
    """The spec, with a sixteenth of the channels."""
    text = (library.specs() / "unet.yaml").read_text().partition("expect:")[0]
    assert "width: 64" in text
    (folder / "unet.yaml").write_text(text.replace("width: 64", "width: 4"))
    return compiled(str(folder / "unet.yaml"))


def assert_every_value_equals_torch(graph: Graph, all_sizes: Iterable[Sizes]) -> None:
    """By path, at several sizes, from one file."""
    weights = random_weights(graph)
    model = graphc_onnx.model(graph, weights=weights)
    values = {node.path: node.output for node in graph.nodes if not isinstance(node.op, Constant)}
    given = {node.name: node.output[0] for node in model.graph.node if node.name in values}
    assert given.keys() == values.keys()
    model.graph.output.extend(value for value in model.graph.value_info)
    run = session(model).run
    for sizes in all_sizes:
        inputs = feeds(graph, sizes)
        expected = run_in_torch(graph, weights, inputs)
        for path, ours in zip(values, run(list(given.values()), inputs), strict=True):
            assert_close(ours, expected[values[path]])
            assert ours.shape == concrete(values[path].type, sizes), path


def test_unet_equals_torch_at_two_sizes_from_one_file(tmp_path: Path) -> None:
    sizes = [{"N": 1, "H": 188, "W": 204}, {"N": 2, "H": 220, "W": 189}]
    assert_every_value_equals_torch(narrow_unet(tmp_path), sizes)


@pytest.mark.parametrize("address", list(checked_in_memory()))
def test_specs_check(address: str) -> None:
    graph = compiled(address)
    model = graphc_onnx.model(graph)
    onnx.checker.check_model(model, full_check=True)
    for size in (188, 236):
        assert_shapes_agree(graph, model, {"N": 2, "H": size, "W": size + 16})


def test_resnet18_equals_torch_at_two_sizes_from_one_file() -> None:
    sizes = [{"N": 2, "H": 64, "W": 96}, {"N": 1, "H": 97, "W": 45}]
    assert_every_value_equals_torch(compiled("resnet:resnet18"), sizes)


def assert_agree(graph: Graph, module: torch.nn.Module, model: onnx.ModelProto, all_sizes: Iterable[Sizes]) -> None:
    """The module of the torch backend and ours give the same."""
    run = session(model).run
    for sizes in all_sizes:
        inputs = feeds(graph, sizes)
        with torch.inference_mode():
            expected = module.eval()(*map(torch.from_numpy, inputs.values()))
        assert_close(run(None, inputs)[0], expected.numpy())


def test_unet_equals_the_torch_backend_by_seed(tmp_path: Path) -> None:
    graph = narrow_unet(tmp_path)
    sizes = [{"N": 2, "H": 188, "W": 204}, {"N": 1, "H": 204, "W": 220}]
    assert_agree(graph, graphc_torch.module(graph, seed=4), graphc_onnx.model(graph, seed=4), sizes)


def test_resnet18_equals_the_torch_backend_by_state_dict() -> None:
    graph = compiled("resnet:resnet18")
    module = graphc_torch.module(graph)
    module.load_state_dict({path: torch.from_numpy(value) for path, value in random_weights(graph).items()})
    weights = {path: weight.numpy() for path, weight in module.state_dict().items()}
    sizes = [{"N": 2, "H": 64, "W": 96}, {"N": 1, "H": 97, "W": 45}]
    assert_agree(graph, module, graphc_onnx.model(graph, weights=weights), sizes)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("address", "sizes"),
    [
        ("unet", [{"N": 1, "H": 188, "W": 204}, {"N": 2, "H": 205, "W": 220}]),
        ("resnet50", [{"N": 2, "H": 224, "W": 224}, {"N": 1, "H": 97, "W": 160}]),
        ("resnet152", [{"N": 1, "H": 224, "W": 224}, {"N": 2, "H": 64, "W": 97}]),
    ],
)
def test_whole_networks_equal_the_torch_backend_at_two_sizes_from_one_file(address: str, sizes: list[Sizes]) -> None:
    graph = compiled(address)
    assert_agree(graph, graphc_torch.module(graph, seed=1), graphc_onnx.model(graph, seed=1), sizes)
