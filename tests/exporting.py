"""Networks as PyTorch's exporters write them."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import torch

from graphc.graph import Graph
from graphc.sources import graph_of

SIZES = {
    "resnet18": 64,
    "resnet50": 64,
    "vgg11": 224,
    "vgg16_bn": 224,
    "alexnet": 224,
    "squeezenet1_0": 64,
    "squeezenet1_1": 64,
    "googlenet": 224,
    "densenet121": 64,
    "mobilenet_v2": 64,
    "mobilenet_v3_large": 64,
    "mobilenet_v3_small": 64,
    "efficientnet_b0": 224,
    "convnext_tiny": 64,
    "vit_b_16": 224,
}
"""torchvision's networks, and the size of the picture that they are exported with."""
STRIDED = "convnext_tiny"
"""With a free batch dynamo's exporter writes its pooled values as a gather at places that are calculated."""


def network(torchvision: ModuleType, name: str, **options: int) -> torch.nn.Module:
    """torchvision's network with numbers of which none is 0 or 1, which exporters would drop."""
    fixed = {"aux_logits": False, "init_weights": False} if name == "googlenet" else {}
    return filled(getattr(torchvision.models, name)(**fixed, **options))


def filled(made: torch.nn.Module) -> torch.nn.Module:
    """A network for inference, with such numbers."""
    torch.manual_seed(0)
    for tensor in (*made.parameters(), *made.buffers()):
        if tensor.is_floating_point():
            tensor.data.uniform_(0.5, 1.5)
    return made.eval()


def exported(net: torch.nn.Module, input: torch.Tensor, path: Path, *, dynamo: bool, free: bool = True) -> str:
    """The file that PyTorch's exporter writes of a network with one input, perhaps with a free batch."""
    axes: Mapping[str, object] = {"input_names": ["image"], "dynamic_axes": {"image": {0: "N"}} if free else None}
    if dynamo:
        shapes = ({0: torch.export.Dim("N", min=2, max=64)},) if free else None
        axes = {"dynamic_shapes": shapes, "external_data": False, "verbose": False}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(net, (input,), path, dynamo=dynamo, **axes)  # type: ignore[arg-type]  # they are of each exporter
    return str(path)


def exported_graph(torchvision: ModuleType, name: str, folder: Path, *, dynamo: bool = False, **options: int) -> Graph:
    """torchvision's network as the exporter writes it, read."""
    image = torch.zeros(2, 3, SIZES[name], SIZES[name])
    path = folder / f"{name}.onnx"
    net = network(torchvision, name, **options)
    return graph_of(exported(net, image, path, dynamo=dynamo, free=not (dynamo and name == STRIDED)))[0]
