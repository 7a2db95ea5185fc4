"""A graph in PyTorch: the live module in evaluation, in float32 and in float64."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.backends import backends
from graphc.graph import Graph
from graphc.initial import Array
from graphc.verify.draw import Arrays
from graphc.verify.failed import each
from graphc.verify.judge import Exact

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

REFUSALS = (IndexError, RuntimeError, ValueError)
"""What torch raises where it is given what it doesn't take."""
LEAST = 0.1
"""The least variance of a channel, relative to the mean of all: a smaller one would make rounding large."""


class InTorch:
    """A graph's module in evaluation; with `losses` that for training, which gives them instead of outputs."""

    def __init__(self, graph: Graph, weights: Arrays, *, losses: bool = False) -> None:
        backend: Any = backends().writing([".py"])[".py"]
        self.module: Module = backend.module(graph, weights=weights, training=losses).eval()

    def rounded(self, feeds: Sequence[Arrays]) -> list[list[Array]]:
        """For each of the inputs the outputs in their order, in float32.

        Raises:
            graphc.verify.failed.FailedError: PyTorch can't run it.
        """
        return each(lambda feed: self.run(feed, 0), feeds, REFUSALS, "torch")

    def exact(self, feed: Arrays) -> list[Exact]:
        """The outputs in float64, in which the module is from now on."""
        self.module.double()
        wide = {name: value.astype(np.float64) if value.dtype == np.float32 else value for name, value in feed.items()}
        with _in_double():
            found, again = self.run(wide, 1), self.run(wide, 2)
        same = [np.array_equal(*both, equal_nan=True) for both in zip(found, again, strict=True)]
        return [Exact(value, not is_same) for value, is_same in zip(found, same, strict=True)]

    def run(self, feed: Arrays, seed: int) -> list[Array]:
        """The outputs, in the type that the module is in."""
        import torch

        with torch.random.fork_rng(devices=[]), torch.inference_mode():
            torch.manual_seed(seed)
            found = self.module(*map(torch.from_numpy, feed.values()))
        if isinstance(found, Mapping):
            found = tuple(found.values())
        outputs = found if isinstance(found, tuple) else (found,)
        return [torch.as_tensor(output).detach().numpy() for output in outputs]


def settled(graph: Graph, weights: Arrays, feed: Arrays) -> Arrays:
    """The weights, with the running statistics of norms that this input has, as they would be after training.

    So values stay of one size all the way through, and no sigmoid or softmax is 0 or 1 whatever flows in.
    """
    import torch

    settling = InTorch(graph, weights)
    norms = [
        part for part in settling.module.modules() if isinstance(getattr(part, "running_mean", None), torch.Tensor)
    ]
    if not norms:
        return weights
    for norm in norms:
        norm.register_forward_pre_hook(_settle)
    settling.run(feed, 0)
    own = {path: value.numpy() for path, value in settling.module.state_dict().items()}
    return {path: own.get(path, value) for path, value in weights.items()}


def _settle(norm: Module, given: tuple[Any, ...]) -> None:
    """Gives a norm the statistics of what it is about to normalise: [N, C, *]."""
    import torch

    value: Tensor = given[0]
    variance, mean = torch.var_mean(value, [axis for axis in range(value.dim()) if axis != 1], correction=0)
    least = LEAST * variance.mean()
    norm.get_buffer("running_mean").copy_(mean)
    norm.get_buffer("running_var").copy_(variance.clamp(min=least if least > 0 else 1))


@contextmanager
def _in_double() -> Iterator[None]:
    """Where torch is asked for float32 it gives float64, and makes that where it is asked for no type."""
    import torch
    from torch.overrides import TorchFunctionMode

    doubled: dict[object, Callable[..., object]] = {torch.Tensor.float: torch.Tensor.double}

    def wide(thing: object) -> object:
        return torch.float64 if thing is torch.float32 else thing

    class Doubled(TorchFunctionMode):
        def __torch_function__(
            self,
            func: Callable[..., object],
            types: object,
            args: tuple[object, ...] = (),
            kwargs: dict[str, object] | None = None,
        ) -> object:
            named = {name: wide(each) for name, each in (kwargs or {}).items()}
            return doubled.get(func, func)(*map(wide, args), **named)

    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        with Doubled():
            yield
    finally:
        torch.set_default_dtype(before)
