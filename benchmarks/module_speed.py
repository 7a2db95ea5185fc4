"""How fast PyTorch runs our modules beside torchvision's: `python benchmarks/module_speed.py [SPEC…] [--rounds N]`.

Both have the same weights and get the same pictures; that they give the same, and the same gradients, is checked first.
One thread, seconds of the processor, in turns and in random order; torchvision's runs under two names, as a control.
Inference is one picture without gradients; a training step is a batch forward, a loss and the gradients of all weights.
What is claimed are the ratios.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import process_time
from typing import TypeAlias

import torch
from onnx_compared import asked, report, rounds
from torch import Tensor, nn
from torch.nn import functional

import graphc

Work: TypeAlias = dict[str, Callable[[], object]]
NETWORKS = ("resnet18", "vit_b_16")
ROUNDS = 40
BATCH = 2
TOLERANCE = 1e-4
"""Relative to the largest number."""
THEIRS = "torchvision"
OURS = "graphc"


def models(name: str) -> dict[str, nn.Module]:
    """torchvision's network twice, and ours, with the same weights."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    import oracle

    theirs: nn.Module = getattr(oracle.torchvision().models, name)()
    ours = graphc.compile(name).module(weights=theirs.state_dict())
    return {THEIRS: theirs, f"{THEIRS} again": copy.deepcopy(theirs), OURS: ours}


def infer(model: nn.Module, images: Tensor) -> Tensor:
    with torch.no_grad():
        found: Tensor = model(images)
    return found


def train(model: nn.Module, images: Tensor) -> Tensor:
    """A step without the optimiser, which is the same; the gradient of the first weight."""
    model.zero_grad()
    loss = functional.cross_entropy(model(images), torch.arange(len(images)))
    loss.backward()
    return next(weight.grad for weight in model.parameters() if weight.ndim == 4 and weight.grad is not None)


def require_same(work: Work) -> None:
    """What all give is the same.

    Raises:
        ValueError: it is not.
    """
    wanted = work[THEIRS]()
    for name, run in work.items():
        found = run()
        assert isinstance(found, Tensor)
        assert isinstance(wanted, Tensor)
        difference = float((found - wanted).abs().max() / wanted.abs().max())
        if difference > TOLERANCE:
            raise ValueError(f"{name} differs by {difference}")


def measure(title: str, work: Work, count: int) -> None:
    require_same(work)
    rounds(work, 1)
    report(title, rounds(work, count, process_time), THEIRS)


def main() -> None:
    """Measures and prints tables."""
    said = asked(__doc__, NETWORKS, ROUNDS)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    images = torch.randn(BATCH, 3, 224, 224)
    for name in said.networks:
        made = models(name)
        eager: Work = {key: partial(infer, model.eval(), images[:1]) for key, model in made.items()}
        measure(f"{name}, inference", eager, said.rounds)
        for module in [part for model in made.values() for part in model.train().modules()]:
            if isinstance(module, nn.Dropout):
                module.eval()
        step: Work = {key: partial(train, model, images) for key, model in made.items()}
        measure(f"{name}, training step of {BATCH}", step, max(said.rounds // 2, 1))


if __name__ == "__main__":
    main()
