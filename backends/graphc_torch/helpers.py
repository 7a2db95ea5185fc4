"""Functions and modules that a generated file may need; each is copied into the file that calls it."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


def center_crop(x: Tensor, target: Tensor) -> Tensor:
    """The middle of `x` [N, C, *], of the spatial size of `target` [*, *, *]."""
    for dim in range(2, x.dim()):
        start = (x.size(dim) - target.size(dim)) // 2
        x = x.narrow(dim, start, target.size(dim))
    return x


def interpolate_like(
    x: Tensor,
    target: Tensor,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Tensor:
    """`x` [N, C, *] with the spatial size of `target` [*, *, *]."""
    size = target.shape[2:]
    return functional.interpolate(x, size, mode=mode, align_corners=align_corners)


def rearranged(
    x: Tensor,
    split: tuple[tuple[int, ...], ...],
    order: tuple[int, ...],
    join: tuple[int, ...],
) -> Tensor:
    """Splits each axis into sizes, reorders them, and joins so many each to an axis."""
    for dim in range(len(split) - 1, -1, -1):
        x = x.unflatten(dim, split[dim]) if split[dim] else x.squeeze(dim)
    x = x.permute(order)
    for dim, count in enumerate(join):
        x = x.flatten(dim, dim + count - 1) if count else x.unsqueeze(dim)
    return x


def selected(x: Tensor, index: Tensor, dim: int = 0) -> Tensor:
    """The elements of `x` at `index` along an axis."""
    return x[(slice(None),) * (dim % x.dim()) + (index,)]


def weighted_cross_entropy(
    x: Tensor,
    target: Tensor,
    weight: tuple[float, ...],
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
    reduction: str = "mean",
) -> Tensor:
    """The cross-entropy with a factor for each class."""
    return functional.cross_entropy(
        x,
        target,
        x.new_tensor(weight),
        ignore_index=ignore_index,
        label_smoothing=label_smoothing,
        reduction=reduction,
    )


def weighted_nll_loss(
    x: Tensor,
    target: Tensor,
    weight: tuple[float, ...],
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    """The negative log-likelihood with a factor for each class."""
    return functional.nll_loss(
        x,
        target,
        x.new_tensor(weight),
        ignore_index=ignore_index,
        reduction=reduction,
    )


class FrozenBatchNorm2d(nn.Module):
    """Batch normalisation of [N, C, H, W] in which nothing changes, nor is learned."""

    weight: Tensor
    bias: Tensor
    running_mean: Tensor
    running_var: Tensor

    def __init__(self, num_features: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.register_buffer("weight", torch.ones(num_features))
        self.register_buffer("bias", torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))

    def forward(self, x: Tensor) -> Tensor:
        scale = self.weight * (self.running_var + self.eps).rsqrt()
        shift = self.bias - self.running_mean * scale
        return x * scale[:, None, None] + shift[:, None, None]


class StochasticDepth(nn.Module):
    """In training, zeroes each sample, or the batch, with probability p."""

    def __init__(self, p: float, mode: str = "row") -> None:
        super().__init__()
        self.p = p
        self.mode = mode

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        rows = x.size(0) if self.mode == "row" else 1
        kept = x.new_empty([rows] + [1] * (x.dim() - 1)).bernoulli_(1 - self.p)
        return x * kept if self.p == 1 else x * kept / (1 - self.p)


class Learned(nn.Module):
    """A tensor that is learned."""

    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(shape))

    def forward(self) -> Tensor:
        return self.weight
