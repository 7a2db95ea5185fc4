"""Windows of convolutions and pooling: what ONNX says of each axis, as PyTorch says it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from graphc.dims import Size
from graphc_onnx.reader.entries import UnreadError
from graphc_onnx.reader.site import Site

Extents = int | tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Window:
    """A window along each axis; `padding` is before and behind each, where both are alike."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    before: tuple[int, ...]
    behind: tuple[int, ...]
    dilation: tuple[int, ...]

    @property
    def is_even(self) -> bool:
        """Whether as much is padded before as behind."""
        return self.before == self.behind

    @property
    def pads(self) -> tuple[int, ...]:
        """Before and behind, from the last axis to the first: as PyTorch's `pad` has it."""
        pairs = reversed(list(zip(self.before, self.behind, strict=True)))
        return tuple(number for pair in pairs for number in pair)


def window(site: Site, space: Sequence[Size], kernel: tuple[int, ...]) -> Window:
    """The window of a node over axes of these sizes."""
    axes = len(space)
    stride = site.ints("strides") or (1,) * axes
    dilation = site.ints("dilations") or (1,) * axes
    pads = site.ints("pads") or (0,) * 2 * axes
    auto = site.text("auto_pad", "NOTSET")
    if auto.startswith("SAME"):
        pads = _same(space, kernel, stride, dilation, auto == "SAME_UPPER")
    if not len(kernel) == len(stride) == len(dilation) == len(pads) // 2 == axes:
        raise UnreadError(f"{site.operator}: the window has another number of axes")
    return Window(kernel, stride, pads[:axes], pads[axes:], dilation)


def _same(
    space: Sequence[Size], kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int], behind: bool
) -> tuple[int, ...]:
    """The padding that gives ⌈size / stride⌉; the odd one is behind or before."""
    small, large = [], []
    for size, k, s, d in zip(space, kernel, stride, dilation, strict=True):
        reach = d * (k - 1) + 1
        if isinstance(size, int):
            total = max((-(-size // s) - 1) * s + reach - size, 0)
        elif s == 1:
            total = reach - 1
        else:
            raise UnreadError("a padding of the kind SAME depends on a free size")
        small.append(total // 2)
        large.append(total - total // 2)
    return (*small, *large) if behind else (*large, *small)


def even(numbers: tuple[int, ...]) -> Extents:
    """One number where all are the same."""
    return numbers[0] if len(set(numbers)) == 1 else numbers
