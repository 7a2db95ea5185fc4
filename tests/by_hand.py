"""What tests of architectures do alike: figures, the same weights in a network written by hand, some training."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

import graphc_torch
from graphc.checkpoint import read_weights
from graphc.cost import macs, parameters
from graphc.dims import Size, substitute
from graphc.graph import Graph
from graphc.verify import Asked, verify
from test_torch import worst
from test_training import batch, tensors, train

Weights: TypeAlias = Mapping[str, object]
Naming: TypeAlias = Callable[[Graph, nn.Module], Weights]


def count(size: Size | None, graph: Graph) -> int:
    """A count at the example sizes."""
    assert size is not None
    return int(str(substitute(size, graph.examples())))


def figures(graph: Graph) -> tuple[int, int]:
    """Parameters, and MACs of convolutions and matrix products at the example sizes."""
    return count(parameters(graph), graph), count(macs(graph), graph)


def counted(module: nn.Module) -> int:
    """The parameters of a module."""
    return sum(weight.numel() for weight in module.parameters())


def by_name(graph: Graph, theirs: nn.Module) -> Weights:
    """The weights of their module by our paths, as the spec's tables say."""
    return read_weights(graph, theirs.state_dict())


def in_order(graph: Graph, theirs: nn.Module) -> Weights:
    """The weights of a module that was written in the order in which ours are used."""
    weights, state = dict(graph.weights()), theirs.state_dict()
    assert [w.shape for w in weights.values()] == [tuple(w.shape) for w in state.values()]
    return dict(zip(weights, state.values(), strict=True))


def lively(module: nn.Module, *inputs: object) -> nn.Module:
    """The module in evaluation, with random weights and the statistics of these inputs, so that they come through."""
    torch.manual_seed(0)
    for path, weight in module.named_parameters():
        if weight.dim() > 1 and "layer_scale" not in path:
            nn.init.kaiming_normal_(weight, nonlinearity="relu")
        elif path.endswith("bias"):
            nn.init.normal_(weight, std=0.1)
        else:
            nn.init.uniform_(weight, 0.5, 1.5)
    for norm in module.eval().modules():
        if isinstance(norm, _BatchNorm):
            norm.train().momentum = None
    with torch.no_grad():
        module(*inputs)
    return module.eval()


def drawn(*shape: int) -> Tensor:
    """Random numbers, the same each time."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(1))


def error(graph: Graph, theirs: nn.Module, *shapes: Sequence[int], naming: Naming = in_order) -> float:
    """How far our output lies from theirs with the same weights and one input of each shape, by the output's scale."""
    module, inputs, found = None, [drawn(*shape) for shape in shapes], 0.0
    for value in inputs:
        if module is None:
            module = graphc_torch.module(graph, weights=naming(graph, lively(theirs, value))).eval()
        with torch.inference_mode():
            wanted = theirs(value)
            assert worst(wanted[:1], wanted[1:2]) > 1e-3, "whatever the input is"
            found = max(found, worst(module(value), wanted))
    return found


def assert_backends_agree(graph: Graph, *sizes: Mapping[str, int]) -> None:
    """PyTorch and ONNX Runtime, from one file, at these sizes."""
    result = verify(graph, Asked(sizes=sizes))
    assert result, str(result)
    assert len(result.runs) == len(sizes)


def assert_learns(graph: Graph, rate: float = 1e-3, **sizes: int) -> None:
    """Twenty seeded steps on one batch lower the loss."""
    losses = train(graphc_torch.module(graph, training=True), tensors(batch(graph, sizes)), steps=20, rate=rate)
    assert np.isfinite(losses).all()
    assert min(losses[-3:]) < 0.95 * losses[0], losses
