"""Functions and modules that a generated file may need; each is copied into the file that calls it."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


def bilinear_(weight: Tensor) -> Tensor:
    """Makes a transposed convolution, [in, out, *kernel], interpolate each channel."""
    kernel = torch.ones(())
    for size in weight.shape[2:]:
        distance = (torch.arange(size) - (size - 1) / 2).abs()
        kernel = kernel[..., None] * (1 - distance / ((size + 1) // 2))
    channel = torch.arange(weight.size(0))
    with torch.no_grad():
        weight.zero_()[channel, channel % weight.size(1)] = kernel.to(weight)
    return weight


def center_crop(x: Tensor, target: Tensor) -> Tensor:
    """The middle of `x` [N, C, *], of the spatial size of `target` [*, *, *]."""
    for dim in range(2, x.dim()):
        start = (x.size(dim) - target.size(dim)) // 2
        x = x.narrow(dim, start, target.size(dim))
    return x


def centered_cat(tensors: list[Tensor], dim: int) -> Tensor:
    """Tensors [N, C, *] one after the other, each in the middle of the largest size."""
    sizes = [max(x.size(axis) for x in tensors) for axis in range(2, tensors[0].dim())]
    padded = []
    for x in tensors:
        pad: list[int] = []
        for axis, size in enumerate(sizes, start=2):
            rest = 0 if axis == dim % x.dim() else size - x.size(axis)
            pad = [rest // 2, rest - rest // 2, *pad]
        padded.append(functional.pad(x, pad))
    return torch.cat(padded, dim)


def fft2(
    x: Tensor,
    s: tuple[int, int] | None = None,
    norm: str = "backward",
) -> tuple[Tensor, Tensor]:
    """The parts of the Fourier transform of the last two axes, real and imaginary."""
    spectrum = torch.fft.fft2(x, s, norm=norm)
    return spectrum.real, spectrum.imag


def gaussian_kernel_(weight: Tensor, std: float, mean: float = 0) -> Tensor:
    """Makes each kernel of [out, in, *kernel] a Gaussian, whose values sum to 1."""
    kernel = torch.ones(())
    for size in weight.shape[2:]:
        places = torch.arange(size) - (size - 1) / 2 - mean
        profile = torch.exp(-(places**2) / (2 * std**2))
        kernel = kernel[..., None] * (profile / profile.sum())
    with torch.no_grad():
        return weight.copy_(kernel.expand_as(weight))


def interpolate_like(
    x: Tensor,
    target: Tensor,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Tensor:
    """`x` [N, C, *] with the spatial size of `target` [*, *, *]."""
    size = target.shape[2:]
    return functional.interpolate(x, size, mode=mode, align_corners=align_corners)


def causal_mask(size: int, device: torch.device | None = None) -> Tensor:
    """Which tokens each sees, itself and those before it: [size, size]."""
    return torch.ones(size, size, dtype=torch.bool, device=device).tril()


def gathered(x: Tensor, index: Tensor, dim: int) -> Tensor:
    """For each element of `index`, that of `x` at its place, but at that number along `dim`."""
    return x.gather(dim, index)


def max_unpool2d_like(
    x: Tensor,
    indices: Tensor,
    like: Tensor,
    kernel_size: int | tuple[int, int],
    stride: int | tuple[int, int] | None = None,
    padding: int | tuple[int, int] = 0,
) -> Tensor:
    """Max pooling undone, with the spatial size of `like` [*, *, H, W]."""
    unpool = nn.MaxUnpool2d(kernel_size, stride, padding)
    found: Tensor = unpool(x, indices, list(like.shape[2:]))
    return found


def of_each_sample(x: Tensor, index: Tensor) -> Tensor:
    """Of each sample of `x` [N, A, *] the elements at its own `index` [N] or [N, K]."""
    sample = torch.arange(x.size(0), device=x.device)
    return x[sample.unflatten(0, (-1, *[1] * (index.dim() - 1))), index]


def scattered(
    index: Tensor,
    source: Tensor,
    shape: tuple[int, ...],
    fill: float = 0,
) -> Tensor:
    """`source` [G, *] at `index` [G] of a tensor that holds a number elsewhere."""
    return source.new_full(shape, fill).index_put((index,), source)


def selected(x: Tensor, index: Tensor, dim: int = 0) -> Tensor:
    """The elements of `x` at `index` along an axis."""
    return x[(slice(None),) * (dim % x.dim()) + (index,)]


def sine_position_2d(x: Tensor, channels: int) -> Tensor:
    """Where each place of `x` [N, C, H, W] is, in sines and cosines: [N, channels, H, W]."""
    half = channels // 2
    rates = [10000 ** (i / half) for i in range(0, half, 2)]
    rate = torch.tensor(rates, device=x.device)
    height, width = x.size(2), x.size(3)
    rows = torch.arange(1, height + 1, device=x.device) / height * (2 * torch.pi)
    columns = torch.arange(1, width + 1, device=x.device) / width * (2 * torch.pi)
    down, across = rows[:, None] / rate, columns[:, None] / rate
    down = torch.stack([down.sin(), down.cos()], dim=2).flatten(1).T[:, :, None]
    across = torch.stack([across.sin(), across.cos()], dim=2).flatten(1).T[:, None]
    shape = (x.size(0), half, height, width)
    return torch.cat([down.expand(shape), across.expand(shape)], dim=1).to(x.dtype)


def sinusoid(
    length: int,
    dim: int,
    dtype: torch.dtype = torch.float32,
    device: torch.device | None = None,
) -> Tensor:
    """Where each token is, in sines and cosines: [length, dim]."""
    rates = [10000 ** (i / dim) for i in range(0, dim, 2)]
    place = torch.arange(length, device=device)[:, None]
    angles = place / torch.tensor(rates, device=device)
    return torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1).to(dtype)


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


def attention_of_heads(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    heads: int,
    is_causal: bool = False,
    scale: float | None = None,
) -> Tensor:
    """Attention [*, T, C], with the heads side by side in the last axis."""
    query = query.unflatten(-1, (heads, -1)).transpose(-3, -2)
    key = key.unflatten(-1, (heads, -1)).transpose(-3, -2)
    value = value.unflatten(-1, (heads, -1)).transpose(-3, -2)
    x = functional.scaled_dot_product_attention(
        query,
        key,
        value,
        is_causal=is_causal,
        scale=scale,
    )
    return x.transpose(-3, -2).flatten(-2)


class Attention(nn.Module):
    """Attention [*, T, C], with a mask, a bias, heads side by side in the last axis."""

    def __init__(
        self,
        heads: int | None = None,
        is_causal: bool = False,
        scale: float | None = None,
        dropout_p: float = 0.0,
    ) -> None:
        super().__init__()
        self.heads = heads
        self.is_causal = is_causal
        self.scale = scale
        self.dropout_p = dropout_p

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        mask: Tensor | None = None,
        bias: Tensor | None = None,
    ) -> Tensor:
        if mask is not None and bias is not None:
            added = mask.dtype != torch.bool
            mask = mask + bias if added else torch.where(mask, bias, -torch.inf)
        if self.heads is not None:
            query = query.unflatten(-1, (self.heads, -1)).transpose(-3, -2)
            key = key.unflatten(-1, (self.heads, -1)).transpose(-3, -2)
            value = value.unflatten(-1, (self.heads, -1)).transpose(-3, -2)
        x = functional.scaled_dot_product_attention(
            query,
            key,
            value,
            mask,
            dropout_p=self.dropout_p if self.training else 0.0,
            is_causal=self.is_causal,
            scale=self.scale,
        )
        return x if self.heads is None else x.transpose(-3, -2).flatten(-2)


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


class MaskedConv2d(nn.Conv2d):
    """A convolution that sees rows above, what is left, and the colours before."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        mask: str,
        colours: int = 1,
        parts: int = 1,
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] = 0,
        dilation: int | tuple[int, int] = 1,
        bias: bool = True,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride=stride,
            padding=padding,
            dilation=dilation,
            bias=bias,
        )
        self.mask = mask
        self.colours = colours
        self.parts = parts

    def seen(self) -> Tensor:
        """1 where the weight counts, 0 where it is hidden."""
        outputs, inputs, height, width = self.weight.shape
        device, part = self.weight.device, outputs // self.parts
        ours = torch.arange(outputs, device=device) % part * self.colours // part
        theirs = torch.arange(inputs, device=device) * self.colours // inputs
        seen = torch.zeros_like(self.weight)
        seen[:, :, : height // 2] = 1
        seen[:, :, height // 2, : width // 2] = 1
        middle = theirs < ours[:, None] if self.mask == "A" else theirs <= ours[:, None]
        seen[:, :, height // 2, width // 2] = middle.to(seen.dtype)
        return seen

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self._conv_forward(x, self.weight * self.seen(), self.bias)
        return found


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
