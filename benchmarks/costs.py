"""Costs beside those of other tools, and the time to a summary: `python benchmarks/costs.py [SPEC…] [--rounds N]`.

Figures: parameters and multiply-accumulates of torchvision's networks as torchinfo, fvcore and torch's own counter give
them, against the sums over the layers' formulas (`analytic`). The tools are called as they come, and once without
PyTorch's fused path of attention, into which they don't see. Times: a process that prints a summary, of torchinfo and
of graphc; they take turns in random order, graphc's under two names, as a control. What is claimed are the ratios.
torchinfo and fvcore come with `pip install -c constraints.txt '.[bench]'`.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import warnings
from collections.abc import Callable, Mapping
from math import isqrt
from pathlib import Path

import torch
from onnx_compared import asked, report, rounds
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import graphc
from graphc import cost
from graphc.dims import substitute

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

NETWORKS = ("resnet50", "vit_b_16", "swin_t")
ROUNDS = 7
TORCHINFO = """
import sys; sys.path.insert(0, {tests!r})
import oracle
from torchinfo import summary
print(summary(oracle.torchvision().models.{name}(), (1, 3, 224, 224), depth=3))
"""


def analytic(model: nn.Module, image: torch.Tensor) -> int:
    """Multiply-accumulates by formula, layer by layer from the shapes of the output; attention's products by hand."""
    total = 0

    def count(layer: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        nonlocal total
        if isinstance(layer, nn.MultiheadAttention):
            n, t, c = inputs[0].shape
            total += n * (4 * t * c * c + 2 * t * t * c)
        elif is_windowed(layer):
            total += windowed(inputs[0].shape, layer.get_buffer("relative_position_index").numel())
        elif isinstance(layer, nn.Conv2d | nn.Linear):
            total += output.numel() * layer.weight[0].numel()

    inside = {id(part) for it in model.modules() if isinstance(it, nn.MultiheadAttention) for part in it.children()}
    for layer in model.modules():
        if id(layer) not in inside and (
            isinstance(layer, nn.Conv2d | nn.Linear | nn.MultiheadAttention) or is_windowed(layer)
        ):
            layer.register_forward_hook(count)
    with torch.no_grad():
        model(image)
    return total


def is_windowed(layer: nn.Module) -> bool:
    """Whether it is Swin's attention, whose projections are not called as layers."""
    return type(layer).__name__ == "ShiftedWindowAttention"


def windowed(shape: torch.Size, pairs: int) -> int:
    """Multiply-accumulates of attention in square windows of [N, H, W, C], each of which has so many pairs of tokens.

    There are four projections, and two products in each window.
    """
    n, h, w, c = shape
    side = isqrt(isqrt(pairs))
    tokens = n * -(-h // side) * -(-w // side) * side * side
    return tokens * (4 * c * c + 2 * side * side * c)


def by_torchinfo(model: nn.Module, image: torch.Tensor) -> tuple[int, int]:
    from torchinfo import summary

    found = summary(model, input_data=image, verbose=0)
    return int(found.total_params), int(found.total_mult_adds)


def by_fvcore(model: nn.Module, image: torch.Tensor) -> tuple[int, int]:
    from fvcore.nn import FlopCountAnalysis, parameter_count

    found = FlopCountAnalysis(model, image).unsupported_ops_warnings(False).uncalled_modules_warnings(False)
    return int(parameter_count(model)[""]), int(found.total())


def by_torch(model: nn.Module, image: torch.Tensor) -> tuple[int, int]:
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(image)
    return sum(weight.numel() for weight in model.parameters()), counter.get_total_flops() // 2


def by_graphc(name: str) -> tuple[int, int]:
    graph = graphc.compile(name)
    macs = substitute(cost.macs(graph) or 0, graph.examples())
    return int(str(cost.parameters(graph))), int(str(macs))


def figures(name: str) -> None:
    """A table of what each tool counts."""
    import oracle

    def fresh() -> nn.Module:
        made = getattr(oracle.torchvision().models, name)().eval()
        assert isinstance(made, nn.Module)
        return made

    image = torch.zeros(1, 3, 224, 224)
    params, truth = sum(weight.numel() for weight in fresh().parameters()), analytic(fresh(), image)
    print(f"\n| {name} | parameters | MACs | MACs off the truth | without the fused path | parameters |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    tools: Mapping[str, Callable[[], tuple[int, int]]] = {
        "graphc": lambda: by_graphc(name),
        "torch's counter": lambda: by_torch(fresh(), image),
        "fvcore": lambda: by_fvcore(fresh(), image),
        "torchinfo": lambda: by_torchinfo(fresh(), image),
    }
    print(f"| analytic | {params:,} | {truth:,} | | | |")
    for tool, count in tools.items():
        counted, macs = count()
        torch.backends.mha.set_fastpath_enabled(False)
        _, slow = count()
        torch.backends.mha.set_fastpath_enabled(True)
        off = f"{macs / truth - 1:+.2%} | {slow / truth - 1:+.2%} | {counted / params - 1:+.2%}"
        print(f"| {tool} | {counted:,} | {macs:,} | {off} |")


def process(*command: str) -> Callable[[], object]:
    """Runs a command to its end."""
    return lambda: subprocess.run([sys.executable, *command], capture_output=True, check=True)


def main() -> None:
    """Prints figures, then times."""
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    said = asked(__doc__, NETWORKS, ROUNDS)
    for name in said.networks:
        figures(name)
    tests = str(Path(__file__).parents[1] / "tests")
    for name in said.networks:
        work = {
            "graphc summary": process("-m", "graphc", "summary", name),
            "graphc summary again": process("-m", "graphc", "summary", name),
            "graphc check": process("-m", "graphc", "check", name),
            "torchinfo": process("-c", TORCHINFO.format(tests=tests, name=name)),
        }
        rounds(work, 1)
        report(f"{name}, a process each", rounds(work, said.rounds), "graphc summary")


if __name__ == "__main__":
    main()
