"""What lies in a box of a feature map, in a grid of one size for all boxes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from graphc.dims import Size
from graphc.ops.base import Axis, Count, Flag, Free, Positive, Requirement, elements, extent, holds, rank, same_size
from graphc.ops.reach import ALL, Along, Seen, alike
from graphc.ops.saved import Saved
from graphc.tensor import Tensor

Grid: TypeAlias = Count | tuple[Count, Count]


class OfRegions(Free):
    """A grid for each box: input [N, C, h, w], boxes [R, 4], picture [R] of int64 → [R, C, *output_size].

    A box is x1, y1, x2, y2; `picture` says in which of the N maps it lies.
    """

    main = "output_size"
    example = "7"
    operands = ("[N, 8, H, W]", "[R, 4]", "int64 [R]")
    output_size: Grid
    """The height and width of the grid: one for both, or one each."""
    spatial_scale: Positive = 1.0
    """How many pixels of the map a unit of the boxes' coordinates is."""

    @property
    def grid(self) -> tuple[int, ...]:
        """The height and width of the grid."""
        return extent(self.output_size, 2)

    def requires(self, input: Tensor, boxes: Tensor, picture: Tensor) -> Iterator[Requirement]:
        yield rank(input, 4)
        yield holds(input, "float32")
        yield rank(boxes, 2)
        yield holds(boxes, "float32")
        yield same_size(boxes.shape[1], 4, f"a box has 4 numbers, {boxes} has {boxes.shape[1]}")
        yield rank(picture, 1)
        yield holds(picture, "int64")
        message = f"there are {boxes.shape[0]} boxes and pictures for {picture.shape[0]}"
        yield same_size(boxes.shape[0], picture.shape[0], message)

    def infer(self, input: Tensor, boxes: Tensor, picture: Tensor) -> Tensor:
        return input.with_shape((boxes.shape[0], input.channels, *self.grid))

    def sees(self, input: Tensor, boxes: Tensor, picture: Tensor) -> Seen:
        return (ALL, Along(1), ALL, ALL), (Along(0), ALL), alike(1)


class RoiAlign(OfRegions):
    """RoI align: the mean of samples in each cell of a box, each interpolated linearly (He et al. 2017, 3).

    `torchvision.ops.roi_align`. A sample between two pixels is made of four; one beyond the outermost pixels, up to a
    pixel further, takes the border's value, and farther out it is 0. A box is at least a pixel wide and high, but with
    `aligned`.
    """

    name = "roi_align"
    sampling_ratio: Axis = -1
    """How many samples a cell has along each axis; if not positive, as many as it has pixels, rounded up."""
    aligned: Flag = False
    """Whether a pixel's value lies in its middle, half a pixel from where it begins."""

    def work(self, input: Tensor, boxes: Tensor, picture: Tensor) -> Size | None:
        """A sample's products with 4 pixels, their sum and the mean; the boxes may say how many there are."""
        if self.sampling_ratio <= 0:
            return None
        return 8 * self.sampling_ratio**2 * elements(self.infer(input, boxes, picture))

    def saved(self, input: Tensor, boxes: Tensor, picture: Tensor) -> Saved | None:
        """Of a cell where each of the 4 pixels of a sample is and its share, and three numbers of int64."""
        if self.sampling_ratio <= 0:
            return None
        cells = elements(self.infer(input, boxes, picture).with_channels(1))
        return Saved(extra=(4 * self.sampling_ratio**2 * (8 + 4) + 3 * 8) * cells)


class RoiPool(OfRegions):
    """RoI pooling: the largest in each cell of a box whose corners are rounded to pixels (Girshick 2015, 2.1).

    `torchvision.ops.roi_pool`: a half is rounded away from 0, both corners are in the box, cells overlap where the grid
    doesn't divide it; one outside the map is 0.
    """

    name = "roi_pool"
