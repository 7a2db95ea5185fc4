"""Trains a small Mask R-CNN to find rectangles, and shows what it finds in pictures that it has not seen.

    pip install -c constraints.txt '.[plot]'
    python examples/rectangles.py [-o FOLDER] [--steps N]

Pictures of 128×128 pixels with one to three rectangles, red, green or blue, turned by any angle, one over the other, on
noise. Some minutes on two cores.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

import graphc

SIZE = 128
BATCH = 4
COLOURS = ("", "red", "lime", "blue")
HALF = 0.5
"""The least overlap of a thing that counts as found, and the least probability of a pixel that is in a mask."""


def rectangle(generator: torch.Generator) -> Tensor:
    """A mask [SIZE, SIZE] of a rectangle that is turned by any angle."""
    row, column, angle, height, width = torch.rand(5, generator=generator).tolist()
    down, right = torch.meshgrid(
        torch.arange(SIZE) - SIZE * (0.2 + 0.6 * row), torch.arange(SIZE) - SIZE * (0.2 + 0.6 * column), indexing="ij"
    )
    turn = torch.tensor(angle * torch.pi)
    along, across = right * turn.cos() + down * turn.sin(), down * turn.cos() - right * turn.sin()
    mask: Tensor = (along.abs() < 10 + 20 * width) & (across.abs() < 8 + 14 * height)
    return mask


def picture(generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """An image [3, SIZE, SIZE], masks [G, SIZE, SIZE] of what is to be seen of each rectangle, and labels [G]."""
    image = 0.3 + 0.1 * torch.randn(3, SIZE, SIZE, generator=generator)
    labels = torch.randint(1, len(COLOURS), (int(torch.randint(1, 4, (), generator=generator)),), generator=generator)
    masks = torch.zeros(len(labels), SIZE, SIZE, dtype=torch.bool)
    for number, label in enumerate(labels.tolist()):
        shape = rectangle(generator)
        masks[:number] &= ~shape
        masks[number] = shape
        image[:, shape] *= 0.3
        image[label - 1, shape] += 0.4 + 0.6 * torch.rand((), generator=generator)
    seen = masks.sum(dim=(1, 2)) > 60
    return image, masks[seen], labels[seen]


def boxes_of(masks: Tensor) -> Tensor:
    """The smallest boxes [G, 4] around masks [G, H, W], from the left and upper edge to the right and lower one."""
    sides = []
    for line in (masks.any(dim=1), masks.any(dim=2)):
        places = torch.arange(SIZE)
        sides.append((torch.where(line, places, SIZE).amin(dim=1), torch.where(line, places, -1).amax(dim=1) + 1))
    (left, right), (top, bottom) = sides
    return torch.stack([left, top, right, bottom], dim=1).float()


def batch(generator: torch.Generator) -> tuple[Tensor, dict[str, Tensor]]:
    """Images [N, 3, SIZE, SIZE], and what there is to find in them."""
    found = [picture(generator) for _ in range(BATCH)]
    masks = torch.cat([masks for _, masks, _ in found])
    given = {
        "gt_boxes": boxes_of(masks),
        "gt_labels": torch.cat([labels for _, _, labels in found]),
        "gt_picture": torch.arange(BATCH).repeat_interleave(torch.tensor([len(labels) for _, _, labels in found])),
        "gt_masks": masks.float(),
    }
    return torch.stack([image for image, _, _ in found]), given


def fit(training: nn.Module, steps: int) -> None:
    """Trains by the sum of the losses of the spec."""
    generator = torch.Generator().manual_seed(1)
    optimizer = torch.optim.AdamW(training.parameters(), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, steps)
    for step in range(steps):
        image, given = batch(generator)
        losses = training(image, **given, seed=torch.tensor(step))
        optimizer.zero_grad()
        torch.stack(list(losses.values())).sum().backward()
        nn.utils.clip_grad_norm_(training.parameters(), 5.0)
        optimizer.step()
        schedule.step()
        if step % 100 == 0 or step == steps - 1:
            told = ", ".join(f"{name} {float(loss.detach()):.3f}" for name, loss in losses.items())
            print(f"step {step:4}: {told}", flush=True)


def overlaps(found: Tensor, wanted: Tensor) -> Tensor:
    """What masks [A, H, W] share with others [B, H, W] of what they cover together: [A, B]."""
    shared = (found[:, None] & wanted).sum(dim=(2, 3))
    return shared / (found[:, None] | wanted).sum(dim=(2, 3)).clamp(min=1)


def measured(model: nn.Module, generator: torch.Generator, batches: int) -> str:
    """How many rectangles are found, with a mask that overlaps by half, and how many that are found are there."""
    there = right = told = 0
    shared = 0.0
    for _ in range(batches):
        image, given = batch(generator)
        _, labels, _, at, masks = model(image)
        same = (labels[:, None] == given["gt_labels"]) & (at[:, None] == given["gt_picture"])
        best = (
            (overlaps(masks > HALF, given["gt_masks"] > HALF) * same).amax(dim=0)
            if len(labels)
            else torch.zeros(same.shape[1])
        )
        there, told, right = there + same.shape[1], told + len(labels), right + int((best > HALF).sum())
        shared += float(best[best > HALF].sum())
    return f"{right} of {there} rectangles found, {told} told of; masks overlap by {shared / max(right, 1):.0%}"


def shown(model: nn.Module, generator: torch.Generator, path: Path) -> None:
    """Pictures, and below each what is found in it."""
    image, _ = batch(generator)
    boxes, labels, scores, at, masks = model(image)
    figure = Figure(figsize=(3 * BATCH, 6), layout="constrained")
    for number, (above, below) in enumerate(zip(*figure.subplots(2, BATCH), strict=True)):
        for axes in (above, below):
            axes.set_axis_off()
        clear = image[number].clamp(0, 1).permute(1, 2, 0)
        above.imshow(clear)
        below.imshow(0.35 * clear + 0.65)
        for index in (at == number).nonzero().flatten().tolist():
            colour = COLOURS[int(labels[index])]
            left, top, right, bottom = boxes[index].tolist()
            below.contourf(masks[index], levels=[HALF, 1.1], colors=[colour], alpha=0.45)
            below.plot([left, right, right, left, left], [top, top, bottom, bottom, top], color=colour)
            below.text(left, top - 2, f"{float(scores[index]):.2f}", color=colour)
    figure.savefig(path, dpi=80)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, default=Path("out"))
    parser.add_argument("--steps", type=int, default=1000)
    given = parser.parse_args()
    torch.manual_seed(0)
    training = graphc.compile(Path(__file__).with_name("rectangles.yaml")).module(training=True)
    fit(training, given.steps)
    model = training.eval().get_submodule("model")
    held_out = torch.Generator().manual_seed(0)
    given.output.mkdir(parents=True, exist_ok=True)
    with torch.inference_mode():
        shown(model, held_out, given.output / "rectangles.png")
        print(measured(model, held_out, batches=25))
    print(given.output / "rectangles.png")


if __name__ == "__main__":
    main()
