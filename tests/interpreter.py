"""Runs a graph value by value with torch.nn.functional: what both backends are compared with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from graphc.dims import substitute
from graphc.graph import Graph, Value
from graphc.initial import initial_values
from graphc.ops import Op
from graphc.ops.activation import Dropout, Identity, Relu
from graphc.ops.conv import Conv2d, ConvTranspose2d
from graphc.ops.join import Add, CenterCrop, Concat
from graphc.ops.linear import Linear
from graphc.ops.norm import BatchNorm
from graphc.ops.pool import AdaptiveAvgPool2d, MaxPool2d
from graphc.ops.shape import Flatten
from graphc.tensor import Constant, Tensor

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
    return {name: values.astype(kinds[name].dtype) for name, values in drawn.items()}


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


REFERENCES: dict[type[Op], Reference] = {
    AdaptiveAvgPool2d: lambda op, w, x: F.adaptive_avg_pool2d(x, op.output_size),
    Add: lambda op, w, *inputs: sum(inputs[1:], start=inputs[0]),
    BatchNorm: batch_norm,
    CenterCrop: center_crop,
    Concat: lambda op, w, *inputs: torch.cat(inputs, op.dim),
    Conv2d: conv2d,
    ConvTranspose2d: conv_transpose2d,
    Dropout: lambda op, w, x: F.dropout(x, op.p, training=False),
    Flatten: lambda op, w, x: torch.flatten(x, op.start_dim, op.end_dim),
    Identity: lambda op, w, x: x,
    Linear: lambda op, w, x: F.linear(x, w["weight"], w.get("bias")),
    MaxPool2d: max_pool2d,
    Relu: lambda op, w, x: F.relu(x),
}


def run_in_torch(graph: Graph, weights: Mapping[str, Array], inputs: Mapping[str, Array]) -> dict[Value, Array]:
    """Every value of the graph, computed with torch.nn.functional."""
    values = {value: torch.from_numpy(inputs[name]) for name, value in graph.inputs.items()}
    for node in graph.nodes:
        paths = {name: f"{node.home}.{name}" for name in node.weights()}
        own = {name: torch.from_numpy(weights[path]) for name, path in paths.items() if path in weights}
        arguments = [None if value is None else values[value] for value in node.arguments]
        found = REFERENCES[type(node.op)](node.op, own, *arguments)
        results = (found,) if isinstance(found, torch.Tensor) else found
        values.update(zip(node.outputs, results, strict=True))
    return {value: result.numpy() for value, result in values.items()}
