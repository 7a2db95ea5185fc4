"""Functions about boxes that a generated file may need; each is copied into the file that calls it."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def samples_of_cells(
    boxes: Tensor,
    cells: int | tuple[int, int],
    space: tuple[int, ...],
    samples: int,
    spatial_scale: float,
    aligned: bool,
) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Down and across: two pixels for each sample of a cell, [R, cells, 2 * samples].

    Beside them their shares of the cell's mean, and how many samples that is of: [R, 1],
    `samples`, or if that is 0 as many as it has pixels. Shares of further ones are 0.
    """
    found = []
    cells = (cells, cells) if isinstance(cells, int) else cells
    corners = boxes.detach().nan_to_num() * spatial_scale - (0.5 if aligned else 0.0)
    for axis, parts, size in zip((1, 0), cells, space, strict=True):
        start = corners[:, axis, None, None]
        extent = corners[:, axis + 2, None, None] - start
        part = (extent if aligned else extent.clamp(min=1)) / parts
        count = torch.full_like(part, samples) if samples else part.ceil().clamp(min=0)
        most = max([1, *count.flatten().int().tolist()])
        sample = torch.arange(most, device=boxes.device)
        cell = torch.arange(parts, device=boxes.device)[:, None]
        place = start + cell * part + (sample + 0.5) * part / count.clamp(min=1)
        inside = (place >= -1) & (place <= size) & (sample < count)
        place = torch.where(inside, place, 0).clamp(0, size - 1)
        low = place.long()
        high = (low + 1).clamp(max=size - 1)
        pixel = torch.stack([low, high], dim=3).flatten(2)
        share = torch.stack([1 - (place - low), place - low], dim=3)
        share = share * (inside / count.clamp(min=1))[..., None]
        found.append((pixel, share.flatten(2), count[:, 0].long()))
    return found


def pixels_of_cells(tall: Tensor, wide: Tensor) -> tuple[Tensor, ...]:
    """The pixels of cells of several sizes one after the other, by their numbers.

    Of each pixel the row of cells in `tall` [R, rows], the column in `wide`, and the
    place within the cell, down and across; of each cell where its pixels begin.
    """
    rows, columns = tall.size(1), wide.size(1)
    count = (tall[:, :, None] * wide[:, None]).flatten()
    begin = count.cumsum(0) - count
    cell = torch.repeat_interleave(count)
    place = torch.arange(len(cell), device=cell.device) - begin[cell]
    row = cell // columns
    column = row // rows * columns + cell % columns
    width = wide.flatten()[column]
    return row, column, place // width, place % width, begin


def roi_align(
    x: Tensor,
    boxes: Tensor,
    picture: Tensor,
    output_size: int | tuple[int, int],
    sampling_ratio: int,
    spatial_scale: float = 1.0,
    aligned: bool = False,
) -> Tensor:
    """The mean of samples in each cell of boxes [R, 4]: [R, C, *output_size]."""
    down, across = samples_of_cells(
        boxes,
        output_size,
        x.shape[2:],
        sampling_ratio,
        spatial_scale,
        aligned,
    )
    line = picture[:, None, None] * x.size(2) + down[0]
    pixel = line[:, :, None, :, None] * x.size(3) + across[0][:, None, :, None]
    share = down[1][:, :, None, :, None] * across[1][:, None, :, None]
    found = functional.embedding_bag(
        pixel.flatten(3).flatten(0, 2),
        x.permute(0, 2, 3, 1).flatten(0, 2),
        mode="sum",
        per_sample_weights=share.flatten(3).flatten(0, 2).to(x.dtype),
    )
    return found.view(*share.shape[:3], x.size(1)).permute(0, 3, 1, 2)


def adaptive_roi_align(
    x: Tensor,
    boxes: Tensor,
    picture: Tensor,
    output_size: int | tuple[int, int],
    spatial_scale: float = 1.0,
    aligned: bool = False,
) -> Tensor:
    """The mean of samples in each cell of boxes [R, 4]: [R, C, *output_size].

    They are as many as the cell has pixels, rounded up, and so at most a pixel apart:
    it is made of as many pixels and two more.
    """
    first, shares, sizes = [], [], []
    found = samples_of_cells(boxes, output_size, x.shape[2:], 0, spatial_scale, aligned)
    for pixel, share, count in found:
        place = (pixel - pixel[:, :, :1]).clamp(min=0)
        merged = share.new_zeros(*pixel.shape[:2], pixel.size(2) // 2 + 2)
        first.append(pixel[:, :, 0])
        shares.append(merged.scatter_add(2, place, share))
        sizes.append((count + 2).expand(pixel.shape[:2]))
    table = x.permute(0, 2, 3, 1).flatten(0, 2)
    pixels = (sizes[0].sum(1) * sizes[1].sum(1)).cumsum(0)
    together = torch.unique_consecutive(pixels // 2**22, return_counts=True)[1].tolist()
    values = (picture, *first, *shares, *sizes)
    means = []
    for part in zip(*(value.split(together) for value in values), strict=True):
        of, top, left, y_share, z_share, tall, wide = part
        row, column, down, across, begin = pixels_of_cells(tall, wide)
        y = (top.flatten()[row] + down).clamp(max=x.size(2) - 1)
        z = (left.flatten()[column] + across).clamp(max=x.size(3) - 1)
        pixel = (of[row // tall.size(1)] * x.size(2) + y) * x.size(3) + z
        y_share, z_share = y_share.flatten(0, 1), z_share.flatten(0, 1)
        share = (y_share[row, down] * z_share[column, across]).to(x.dtype)
        mean = functional.embedding_bag(
            pixel,
            table,
            begin,
            mode="sum",
            per_sample_weights=share,
        )
        means.append(mean)
    whole = torch.cat(means or [table[:0]])
    cells = (len(boxes), first[0].size(1), first[1].size(1))
    return whole.view(*cells, x.size(1)).permute(0, 3, 1, 2)


def roi_pool(
    x: Tensor,
    boxes: Tensor,
    picture: Tensor,
    output_size: int | tuple[int, int],
    spatial_scale: float = 1.0,
) -> Tensor:
    """The largest in each cell of boxes [R, 4] of whole pixels: [R, C, *output_size]."""
    cells = (output_size,) * 2 if isinstance(output_size, int) else output_size
    corners = boxes.detach().nan_to_num() * spatial_scale
    corners = corners.trunc() + (2 * corners.frac()).trunc()
    first, sizes = [], []
    for axis, parts, size in zip((1, 0), cells, x.shape[2:], strict=True):
        start = corners[:, axis, None]
        part = (corners[:, axis + 2, None] - start + 1).clamp(min=1) / parts
        place = torch.arange(parts + 1, device=x.device) * part
        begin = (start + place[:, :-1].floor()).clamp(0, size)
        behind = (start + place[:, 1:].ceil()).clamp(0, size)
        first.append(begin.long())
        sizes.append((behind - begin).clamp(min=0).long())
    row, column, down, across, begin = pixels_of_cells(*sizes)
    y = first[0].flatten()[row] + down
    z = first[1].flatten()[column] + across
    pixel = (picture[row // cells[0]] * x.size(2) + y) * x.size(3) + z
    table = x.permute(0, 2, 3, 1).flatten(0, 2)
    found = functional.embedding_bag(pixel, table, begin, mode="max")
    return found.view(len(boxes), *cells, x.size(1)).permute(0, 3, 1, 2)


def suppresses(boxes: Tensor, others: Tensor, iou_threshold: float) -> Tensor:
    """Whether boxes [4, A] have a larger IoU with others [4, B]: [A, B]."""
    left, top, right, bottom = boxes[:, :, None]
    x1, y1, x2, y2 = others
    width = (torch.minimum(right, x2) - torch.maximum(left, x1)).clamp(min=0)
    height = (torch.minimum(bottom, y2) - torch.maximum(top, y1)).clamp(min=0)
    common = width * height
    area = (right - left) * (bottom - top) + (x2 - x1) * (y2 - y1)
    larger: Tensor = (common / (area - common)).double() > iou_threshold
    return larger


def nms(
    boxes: Tensor,
    scores: Tensor,
    iou_threshold: float,
    group: Tensor | None = None,
) -> Tensor:
    """The boxes [M, 4] that are kept, best first: [K].

    Each goes if one that is kept, better and of its group [M], has a larger IoU with it.
    Of equal scores the first is better; one of NaN or -inf is never kept.
    """
    order = scores.argsort(descending=True, stable=True)
    order = order[scores[order] > -torch.inf]
    of = torch.zeros_like(order) if group is None else group[order]
    of, place = of.sort(stable=True)
    order = order[place]
    sides = boxes[order].T.contiguous()
    kept = order[:0]
    for start in range(0, len(order), 256):
        now, own = sides[:, start : start + 256], of[start : start + 256]
        before = kept[of[kept] == own[0]]
        gone = suppresses(sides[:, before], now, iou_threshold).any(0) & (own == own[0])
        better = suppresses(now, now, iou_threshold).triu(1) & (own[:, None] == own)
        keep, found = torch.zeros_like(gone), ~gone
        while not torch.equal(keep, found):
            keep, found = found, ~(gone | (found.float() @ better.float() > 0))
        kept = torch.cat([kept, start + keep.nonzero()[:, 0]])
    kept = order[kept].sort()[0]
    return kept[scores[kept].argsort(descending=True, stable=True)]


def batched_nms(
    boxes: Tensor,
    scores: Tensor,
    picture: Tensor,
    group: Tensor | None = None,
    iou_threshold: float = 0.5,
    score_threshold: float = -torch.inf,
    max_per_picture: int | None = None,
) -> Tensor:
    """The boxes [M, 4] that are kept, by picture [M], best first: [K].

    One goes by a better one of its picture and group [M] alone, or for its score.
    """
    likely = (scores > score_threshold).nonzero()[:, 0]
    of = picture[likely]
    if group is not None:
        of = of * len(of) + torch.unique(group[likely], return_inverse=True)[1]
    kept = likely[nms(boxes[likely], scores[likely], iou_threshold, of)]
    kept = kept[picture[kept].argsort(stable=True)]
    if max_per_picture is None:
        return kept
    of = picture[kept]
    rank = torch.arange(len(kept), device=kept.device) - torch.searchsorted(of, of)
    return kept[rank < max_per_picture]
