"""CvT and NAT in plain PyTorch, from the papers and the authors' configurations, with the authors' names."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional


class Mlp(nn.Module):
    """Two layers; CvT's between them has a GELU as a sigmoid."""

    def __init__(self, width: int, hidden: int, *, quick: bool = False) -> None:
        super().__init__()
        self.fc1, self.fc2, self.quick = nn.Linear(width, hidden), nn.Linear(hidden, width), quick

    def forward(self, x: Tensor) -> Tensor:
        x = self.fc1(x)
        found: Tensor = self.fc2(x * torch.sigmoid(1.702 * x) if self.quick else functional.gelu(x))
        return found


# --- CvT, 2103.15808


def filtered(width: int, stride: int) -> nn.Sequential:
    """A convolution of each channel, and its norm."""
    found = nn.Sequential()
    found.add_module("conv", nn.Conv2d(width, width, 3, stride, 1, groups=width, bias=False))
    found.add_module("bn", nn.BatchNorm2d(width))
    return found


class ConvolutionalAttention(nn.Module):
    """Of a class token, if there is one, and a map of tokens."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.conv_proj_q, self.proj_q = filtered(width, 1), nn.Linear(width, width)
        self.conv_proj_k, self.proj_k = filtered(width, 2), nn.Linear(width, width)
        self.conv_proj_v, self.proj_v = filtered(width, 2), nn.Linear(width, width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor, height: int) -> Tensor:
        first, others = x[:, : x.shape[1] % height], x[:, x.shape[1] % height :]
        image = others.transpose(1, 2).unflatten(2, (height, -1))
        made = [getattr(self, f"conv_proj_{name}")(image).flatten(2).transpose(1, 2) for name in "qkv"]
        q, k, v = (getattr(self, f"proj_{n}")(torch.cat([first, m], 1)) for n, m in zip("qkv", made, strict=True))
        q, k, v = (each.unflatten(2, (self.heads, -1)).transpose(1, 2) for each in (q, k, v))
        weights = (q @ k.transpose(2, 3) * x.shape[2] ** -0.5).softmax(3)
        found: Tensor = self.proj((weights @ v).transpose(1, 2).flatten(2))
        return found


class ConvolutionalLayer(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn, self.mlp = ConvolutionalAttention(width, heads), Mlp(width, 4 * width, quick=True)

    def forward(self, x: Tensor, height: int) -> Tensor:
        x = x + self.attn(self.norm1(x), height)
        found: Tensor = x + self.mlp(self.norm2(x))
        return found


class Embedding(nn.Module):
    def __init__(self, channels: int, width: int, kernel: int, stride: int, padding: int) -> None:
        super().__init__()
        self.proj, self.norm = nn.Conv2d(channels, width, kernel, stride, padding), nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.norm(self.proj(x).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return found


class ConvolutionalStage(nn.Module):
    def __init__(self, patches: Embedding, width: int, heads: int, depth: int, *, token: bool) -> None:
        super().__init__()
        self.patch_embed = patches
        if token:
            self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.blocks = nn.ModuleList(ConvolutionalLayer(width, heads) for _ in range(depth))

    def forward(self, x: Tensor) -> Tensor:
        """The map, or the class token where there is one."""
        x = self.patch_embed(x)
        height, token = x.shape[2], hasattr(self, "cls_token")
        x = x.flatten(2).transpose(1, 2)
        x = torch.cat([self.cls_token.expand(len(x), -1, -1), x], 1) if token else x
        for layer in self.blocks:
            x = layer(x, height)
        return x[:, 0] if token else x.transpose(1, 2).unflatten(2, (height, -1))


class CvT(nn.Module):
    """cvt-13-224x224.yaml, and cvt-21-224x224.yaml with depths of 1, 4, 16."""

    def __init__(
        self, depths: tuple[int, ...] = (1, 2, 10), widths: tuple[int, ...] = (64, 192, 384), classes: int = 1000
    ) -> None:
        super().__init__()
        shapes = ((7, 4, 2), (3, 2, 1), (3, 2, 1))
        channels = pairwise((3, *widths))
        for s, (shape, (before, width), depth) in enumerate(zip(shapes, channels, depths, strict=True)):
            patches = Embedding(before, width, *shape)
            self.add_module(f"stage{s}", ConvolutionalStage(patches, width, (1, 3, 6)[s], depth, token=s == 2))
        self.norm, self.head = nn.LayerNorm(widths[-1]), nn.Linear(widths[-1], classes)

    def forward(self, x: Tensor) -> Tensor:
        for s in range(3):
            x = self.get_submodule(f"stage{s}")(x)
        found: Tensor = self.head(self.norm(x))
        return found


# --- NAT, 2204.07143


class NeighbourhoodAttention(nn.Module):
    """By brute force: one pixel after the other, with the slices of keys and values that it sees."""

    def __init__(self, width: int, heads: int, window: int = 7) -> None:
        super().__init__()
        self.heads, self.window = heads, window
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.rpb = nn.Parameter(torch.zeros(heads, 2 * window - 1, 2 * window - 1))

    def first(self, place: int, size: int) -> int:
        """Where the window of a place begins."""
        return min(max(place - self.window // 2, 0), size - self.window)

    def forward(self, x: Tensor) -> Tensor:
        size, found = self.window, torch.empty_like(x)
        q, k, v = (part.unflatten(3, (self.heads, -1)) for part in self.qkv(x).chunk(3, 3))
        for i in range(x.shape[1]):
            for j in range(x.shape[2]):
                r, c = self.first(i, x.shape[1]), self.first(j, x.shape[2])
                keys, values = (part[:, r : r + size, c : c + size] for part in (k, v))
                bias = self.rpb[:, r - i + size - 1 :, c - j + size - 1 :][:, :size, :size]
                scores = torch.einsum("nhd,nabhd->nhab", q[:, i, j], keys) * q.shape[-1] ** -0.5 + bias
                weights = scores.flatten(2).softmax(2).view_as(scores)
                found[:, i, j] = torch.einsum("nhab,nabhd->nhd", weights, values).flatten(1)
        made: Tensor = self.proj(found)
        return made


class NatLayer(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1, self.attn = nn.LayerNorm(width), NeighbourhoodAttention(width, heads)
        self.norm2, self.mlp = nn.LayerNorm(width), Mlp(width, 3 * width)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.norm1(x))
        found: Tensor = x + self.mlp(self.norm2(x))
        return found


class Downsampler(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.reduction, self.norm = nn.Conv2d(width, 2 * width, 3, 2, 1, bias=False), nn.LayerNorm(2 * width)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.norm(self.reduction(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1))
        return found


class NAT(nn.Module):
    """nat_mini of classification/nat.py; nat_tiny with 18 layers in the third stage."""

    def __init__(self, depths: tuple[int, ...] = (3, 4, 6, 5), width: int = 64, classes: int = 1000) -> None:
        super().__init__()
        self.proj = nn.Sequential(nn.Conv2d(3, width // 2, 3, 2, 1), nn.Conv2d(width // 2, width, 3, 2, 1))
        self.first_norm = nn.LayerNorm(width)
        self.levels = nn.Sequential()
        for s, depth in enumerate(depths):
            if s:
                self.levels.append(Downsampler(width << s - 1))
            self.levels.extend(NatLayer(width << s, 2 << s) for _ in range(depth))
        self.norm, self.head = nn.LayerNorm(width << 3), nn.Linear(width << 3, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first_norm(self.proj(x).permute(0, 2, 3, 1))
        found: Tensor = self.head(self.norm(self.levels(x)).mean((1, 2)))
        return found
