"""An image from a file, or an array, as the input of a graph."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from graphc.backends import BackendError
from graphc.dims import substitute, symbols
from graphc.graph import Graph, Value
from graphc.verify.sizes import SizeError, complete

if TYPE_CHECKING:
    from PIL.Image import Image

MODES = {"1": "L", "P": "RGB", "CMYK": "RGB", "YCbCr": "RGB"}
"""What a mode of Pillow's is converted to; others stay."""
KNOWN = ("L", "LA", "RGB", "RGBA")


def feed(graph: Graph, image: object) -> Tensor:
    """The input of a graph with one, as a batch of one: a file's pixels from 0 to 1, or an array as it is.

    Raises:
        BackendError: it can't be read, or is not what the graph takes.
    """
    if len(graph.inputs) != 1:
        raise BackendError(f"image: `{graph.name}` has the inputs {', '.join(graph.inputs)}, and not an image alone")
    (value,) = graph.inputs.values()
    if value.type.rank != 4 or value.type.dtype != "float32":
        raise BackendError(f"image: `{graph.name}` takes {value.path} {value.type}, which is no image [N, C, H, W]")
    pixels = _read(Path(image)) if isinstance(image, (str, PathLike)) else _tensor(image)
    batch = pixels[None] if pixels.ndim == 3 else pixels
    _require_fit(graph, value, batch)
    return batch.to(torch.float32)


def _read(path: Path) -> Tensor:
    """[C, H, W] from a picture, or an array from an .npy file."""
    try:
        if path.suffix == ".npy":
            import numpy as np

            return _tensor(np.load(path, allow_pickle=False))
        from PIL import Image

        with Image.open(path) as opened:
            return _pixels(opened, path)
    except ImportError as error:
        raise BackendError("images need pillow: pip install 'graphc[plot]'; an .npy file needs nothing") from error
    except (OSError, ValueError, SyntaxError) as error:  # Pillow has a SyntaxError for some broken files
        why = error.strerror if isinstance(error, OSError) and error.strerror else "it is no image that can be read"
        raise BackendError(f"image: {path}: {why}") from error


def _pixels(opened: Image, path: Path) -> Tensor:
    """Pixels [C, H, W] from 0 to 1."""
    import numpy as np

    image = opened.convert(MODES[opened.mode]) if opened.mode in MODES else opened
    if image.mode.startswith("I;16"):
        return torch.from_numpy(np.asarray(image).astype(np.float32) / 65535)[None]
    if image.mode not in KNOWN:
        raise BackendError(f"image: {path} has pixels of the kind {image.mode}: save it in grey or RGB")
    return torch.from_numpy(np.atleast_3d(np.asarray(image)).astype(np.float32) / 255).permute(2, 0, 1)


def _tensor(array: object) -> Tensor:
    """An array [C, H, W] or [N, C, H, W] as a tensor."""
    try:
        made = torch.as_tensor(array)
    except (TypeError, ValueError, RuntimeError) as error:
        raise BackendError(f"image: {type(array).__name__} is no file and no array of numbers") from error
    if made.ndim not in {3, 4}:
        raise BackendError(f"image: an array {list(made.shape)} is none of [C, H, W] and [1, C, H, W]")
    return made


def _require_fit(graph: Graph, value: Value, batch: Tensor) -> None:
    """The graph takes an array of this shape.

    Raises:
        BackendError: it doesn't.
    """
    if len(batch) != 1:
        raise BackendError(f"image: one is drawn, these are {len(batch)}")
    pairs = list(zip(("images", "channels", "rows", "columns"), value.type.shape, batch.shape, strict=True))
    sizes = {str(size): number for _, size, number in pairs if symbols(size) == {str(size)}}
    for what, size, number in pairs:
        wanted = substitute(size, sizes)
        if isinstance(wanted, int) and wanted != number:
            raise BackendError(f"image: it has {number} {what}, `{value.path}` is {value.type}")
    try:
        complete(graph, sizes)
    except SizeError as error:
        raise BackendError(f"image: {error}") from None
