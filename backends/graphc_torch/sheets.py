"""Pictures of what a network makes of an image: the channels of a map side by side, as PNG."""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Collection, Mapping
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional

from graphc.graph import Graph, Value
from graphc.maps import channel_axis
from graphc_torch.live import load
from graphc_torch.photo import feed

CHANNELS = 16
LARGE = 128
"""Pixels that the longer side of a picture has at least, so that viewers don't smooth what is small."""
GAP = 1
"""Pixels of a map between one channel and the next."""


def pictures(
    graph: Graph, values: Collection[Value], image: object, weights: Mapping[str, object] | None, channels: int
) -> dict[str, bytes]:
    """What stands in `graphc_torch.pictures`."""
    given = set(graph.inputs.values())
    outputs = graph.outputs | {value.path: value for value in values if value not in given}
    tapped = replace(graph, outputs=outputs).bound()
    batch = feed(tapped, image)
    module = load(tapped, 0, weights).eval()
    with torch.random.fork_rng(devices=()), torch.inference_mode():
        torch.manual_seed(0)
        found = module(batch)
    run = dict(zip(tapped.outputs, (found,) if isinstance(found, Tensor) else found, strict=True))
    return {
        value.path: _photo(batch[0]) if value in given else _sheet(_maps(value, run[value.path])[:channels])
        for value in values
    }


def _maps(value: Value, found: Tensor) -> Tensor:
    """The maps [C, H, W] of the one image.

    Raises:
        ValueError: the value has none.
    """
    axis = channel_axis(value.type)
    if axis is None:
        raise ValueError(f"`{value.path}` {value.type} has no maps")
    return found[0].movedim(axis - 1, 0).float()


def _photo(image: Tensor) -> bytes:
    """The image itself, from its least number to its largest: in colour where it has three channels."""
    scaled = _scaled(image.float(), image.min(), image.max())
    return _png(_enlarged(scaled)) if len(image) == 3 else _sheet(image)


def _sheet(maps: Tensor) -> bytes:
    """Maps side by side, each from its least number (black) to its largest (white); one of a single number is black."""
    count, height, width = maps.shape
    columns = min(count, math.ceil(math.sqrt(count * height / width)))
    rows = -(-count // columns)
    flat = maps.flatten(1)
    scaled = _scaled(maps, flat.amin(1)[:, None, None], flat.amax(1)[:, None, None])
    cells = functional.pad(scaled, (0, GAP, 0, GAP, 0, rows * columns - count), value=255)
    cells[count:] = 255
    grid = cells.unflatten(0, (rows, columns)).permute(0, 2, 1, 3).flatten(2).flatten(0, 1)
    return _png(_enlarged(grid[None, :-GAP, :-GAP]))


def _scaled(values: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Numbers as bytes, from `low` to `high`."""
    span = (high - low).clamp(min=torch.finfo(torch.float32).tiny)
    return ((values - low) / span).nan_to_num(0).mul(255).round().clamp(0, 255).to(torch.uint8)


def _enlarged(picture: Tensor) -> Tensor:
    """A picture [C, H, W] with each pixel as a square, until it is large."""
    times = max(1, -(-LARGE // max(picture.shape[1:])))
    return picture.repeat_interleave(times, 1).repeat_interleave(times, 2)


def _png(picture: Tensor) -> bytes:
    """A PNG file of a picture [1 or 3, H, W] of bytes (RFC 2083; no filter)."""
    channels, height, width = picture.shape
    lines = functional.pad(picture.permute(1, 2, 0).flatten(1), (1, 0))
    head = struct.pack(">IIBBBBB", width, height, 8, 0 if channels == 1 else 2, 0, 0, 0)
    data = zlib.compress(lines.numpy().tobytes(), 9)
    return b"\x89PNG\r\n\x1a\n" + b"".join(map(_chunk, (b"IHDR", b"IDAT", b"IEND"), (head, data, b"")))


def _chunk(kind: bytes, data: bytes) -> bytes:
    """A piece of a PNG file: its length, its kind, what is in it, and the checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
