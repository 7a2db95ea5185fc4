"""Windows as columns and back, and pooling undone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

from graphc.demands import divisible
from graphc.dims import Size, product
from graphc.ops.base import (
    Count,
    Extent,
    Free,
    Padding,
    Requirement,
    Symbolic,
    elements,
    extent,
    extents_fit,
    holds,
    not_smaller,
    rank,
    same_size,
)
from graphc.ops.saved import NOTHING, Saved
from graphc.ops.window import Window, counts, windows, windows_fit
from graphc.tensor import Shape, Tensor


class Columns(Free):
    """Windows over an image."""

    kernel_size: Extent
    """The size of a window: one for both axes, or one each."""
    dilation: Extent = 1
    """How far apart a window's elements are."""
    padding: Padding = 0
    """How many zeros are added at both ends of each axis."""
    stride: Extent = 1
    """How far apart the windows are."""

    def windows(self) -> Sequence[Window]:
        """The window along each axis."""
        return windows(2, self.kernel_size, self.stride, self.padding, self.dilation)

    def fit(self, image: Tensor) -> Iterator[Requirement]:
        """The windows fit into an image."""
        settings = {"kernel_size": self.kernel_size, "stride": self.stride, "padding": self.padding}
        yield from extents_fit(image, **settings, dilation=self.dilation)
        yield from windows_fit(self.windows(), image)

    @property
    def elements(self) -> int:
        """How many a window has."""
        return prod(extent(self.kernel_size, 2))


class Unfold(Columns):
    """Each window of [N, C, H, W] as a column: [N, C·elements, windows], rows first (`torch.nn.Unfold`)."""

    name = "unfold"
    each = 0
    keeps = NOTHING
    main = "kernel_size"
    example = "{kernel_size: 3, padding: 1}"

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield rank(input, 4)
        yield holds(input, "float32")
        yield from self.fit(input)

    def infer(self, input: Tensor) -> Tensor:
        found = product(counts(self.windows(), input.space))
        return input.with_shape((input.shape[0], input.channels * self.elements, found))


class Fold(Columns):
    """What `unfold` made columns of, summed where windows overlap (`torch.nn.Fold`).

    [N, C·elements, windows] → [N, C, *output_size].
    """

    name = "fold"
    keeps = NOTHING
    example = "{output_size: 24, kernel_size: 3, padding: 1}"
    operands = ("[N, 72, 576]",)
    output_size: Count | Symbolic | tuple[Count | Symbolic, ...]
    """The height and width of the image that is made: one for both, or one each."""

    def space(self) -> Shape:
        """The spatial size of the result."""
        return self.output_size if isinstance(self.output_size, tuple) else (self.output_size,) * 2

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield rank(input, 3)
        yield holds(input, "float32")
        yield Requirement(len(self.space()) == 2, f"output_size needs 2 numbers, got {len(self.space())}")
        image = Tensor((1, 1, *self.space()))
        for size in self.space():
            yield not_smaller(size, 1, f"a size of {size} is not positive")
        yield from self.fit(image)
        rows = input.shape[1]
        message = f"{self.elements} elements of a window must divide the {rows} rows of {input}"
        yield Requirement(divisible(rows, self.elements), message)
        wanted, found = product(counts(self.windows(), self.space())), input.shape[2]
        yield same_size(wanted, found, f"{image} has {wanted} windows, {input} has {found} columns")

    def infer(self, input: Tensor) -> Tensor:
        return input.with_shape((input.shape[0], input.shape[1] // self.elements, *self.space()))

    def work(self, input: Tensor) -> Size:
        return elements(input)


class MaxUnpool2d(Free):
    """Each value at its place in [N, C, H, W], 0 elsewhere: `max_pool2d` with `return_indices`, undone.

    The size is that of `like` where it is given, as pooling rounds down (`torch.nn.MaxUnpool2d`; Zeiler & Fergus 2013).
    """

    name = "max_unpool2d"
    each = 0
    keeps = Saved((1,))
    main = "kernel_size"
    example = "2"
    operands = ("[N, 8, H, W]", "int64 [N, 8, H, W]")
    kernel_size: Extent
    """The window of the pooling that is undone."""
    stride: Extent | None = None
    """Its stride; that of windows side by side if not given."""
    padding: Padding = 0
    """Its padding."""

    def per_axis(self) -> Sequence[tuple[int, ...]]:
        """The kernel, stride and padding along each axis."""
        stride = self.kernel_size if self.stride is None else self.stride
        return list(zip(*(extent(setting, 2) for setting in (self.kernel_size, stride, self.padding)), strict=True))

    def plain(self, input: Tensor) -> Shape:
        """The smallest space that has so many windows."""
        pairs = zip(input.space, self.per_axis(), strict=True)
        return tuple((size - 1) * s - 2 * p + k for size, (k, s, p) in pairs)

    def space(self, input: Tensor, like: Tensor | None) -> Shape:
        """The spatial size of the result."""
        return self.plain(input) if like is None else like.space

    def requires(self, input: Tensor, indices: Tensor, like: Tensor | None = None) -> Iterator[Requirement]:
        yield rank(input, 4)
        yield holds(input, "float32")
        yield holds(indices, "int64")
        message = f"the values {input} and the indices {indices} have different shapes"
        yield Requirement(indices.rank == 4, message)
        for left, right in zip(input.shape, indices.shape, strict=True):
            yield same_size(left, right, message)
        stride = self.kernel_size if self.stride is None else self.stride
        yield from extents_fit(input, kernel_size=self.kernel_size, stride=stride, padding=self.padding)
        if like is not None:
            yield Requirement(like.rank == 4, f"needs a value with 4 axes for the size, got {like}")
            yield from self._near(input, like)
        for size in self.space(input, like):
            yield not_smaller(size, 1, f"a size of {size} is not positive")

    def _near(self, input: Tensor, like: Tensor) -> Iterator[Requirement]:
        """The wanted size is less than a stride away from the plain one."""
        for wanted, plain, (_, stride, _) in zip(like.space, self.plain(input), self.per_axis(), strict=True):
            message = f"{wanted} is too far from {plain}, what windows of {input} span"
            yield not_smaller(wanted, plain - stride + 1, message)
            yield not_smaller(plain + stride - 1, wanted, message)

    def infer(self, input: Tensor, indices: Tensor, like: Tensor | None = None) -> Tensor:
        return input.with_space(self.space(input, like))
