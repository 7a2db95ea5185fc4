"""Where a network looks: digits.yaml with and without CBAM, trained on digits that lie somewhere in a larger picture.

    pip install -c constraints.txt scikit-learn matplotlib
    python examples/grad_cam.py [-o FILE.png] [--epochs N]

scikit-learn's digits of 8×8 pixels are put at random places of pictures of 24×24, over pieces of other digits. For some
that were held out the sheet has the picture, and for both networks Grad-CAM (Selvaraju et al. 2017) in the maps of the
second stage [12, 12], for the digit that is there. It takes some minutes on two cores.
"""

import argparse
from pathlib import Path

import torch
from digits import data, fit
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import TensorDataset

import graphc
import graphc_torch

SIZE = 24
LAYER = "stage.1"
SHOWN = 8
PIECES = 6


def scattered(image: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Pictures [N, 1, 8, 8], each somewhere in one [N, 1, 24, 24] with pieces of others in it; and where [N, 2]."""
    wide = torch.zeros(len(image), 1, SIZE, SIZE)
    for _ in range(PIECES):
        others = image[torch.randperm(len(image), generator=generator)]
        paste(others[:, :, 2:6, 2:6], wide, generator)
    return wide, paste(image, wide, generator)


def paste(patch: Tensor, wide: Tensor, generator: torch.Generator) -> Tensor:
    """Puts patches [N, 1, h, w] into pictures at random places, and gives their upper left corners [N, 2]."""
    count, _, height, width = patch.shape
    rooms = torch.tensor([wide.shape[2] - height + 1, wide.shape[3] - width + 1])
    corner = (torch.rand(count, 2, generator=generator) * rooms).long()
    rows = corner[:, :1] + torch.arange(height)
    columns = corner[:, 1:] + torch.arange(width)
    wide[torch.arange(count)[:, None, None], 0, rows[:, :, None], columns[:, None]] = patch[:, 0]
    return corner


def inside(cam: Tensor, places: Tensor) -> float:
    """How much of what Grad-CAM finds lies on the digit, of 1: its mean over the pictures."""
    whole = functional.interpolate(cam[:, None], (SIZE, SIZE), mode="bilinear")[:, 0]
    found = zip(whole, places.tolist(), strict=True)
    shares = [float(each[y : y + 8, x : x + 8].sum() / each.sum().clamp(min=1e-12)) for each, (y, x) in found]
    return sum(shares) / len(shares)


def trained(variant: str, learnt: TensorDataset, epochs: int) -> nn.Module:
    """A variant of the spec, trained on pictures that are scattered anew each time; in evaluation mode."""
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    spec = f"{Path(__file__).with_name('digits.yaml')}:{variant}"
    graph = graphc.compile(spec, set={"size": SIZE})
    training = graph.module(training=True)
    fit(training, learnt, epochs, lambda image: scattered(image, generator)[0])
    return graph.module(weights=training.get_submodule("model").state_dict()).eval()


def sheet(rows: dict[str, Tensor], path: Path) -> None:
    """A row of pictures [N, H, W] under each title; what Grad-CAM finds lies over the picture."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1.2 * SHOWN, 1.35 * len(rows)), layout="constrained")
    grid = figure.subplots(len(rows), SHOWN)
    pictures = next(iter(rows.values()))
    for axes, (title, values) in zip(grid, rows.items(), strict=True):
        for ax, picture, value in zip(axes, pictures, values, strict=True):
            ax.imshow(picture, cmap="gray_r")
            if values is not pictures:
                ax.imshow(
                    value,
                    cmap="viridis",
                    alpha=0.6,
                    extent=(-0.5, SIZE - 0.5, SIZE - 0.5, -0.5),
                    interpolation="bilinear",
                )
            ax.set_axis_off()
        axes[0].set_title(title, loc="left", fontsize=9)
    figure.savefig(path, dpi=100, metadata={"Software": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, default=Path("grad_cam.png"))
    parser.add_argument("--epochs", type=int, default=16)
    given = parser.parse_args()
    learnt, held_out = data()
    image, places = scattered(held_out.tensors[0], torch.Generator().manual_seed(1))
    label = held_out.tensors[1]
    rows = {"picture": image[:SHOWN, 0]}
    for variant, title in (("digits", "ResNet"), ("digits_cbam", "ResNet with CBAM")):
        print(title)
        network = trained(variant, learnt, given.epochs)
        with torch.inference_mode():
            right = (network(image).argmax(1) == label).float().mean()
        cam = graphc_torch.grad_cam(network, image, LAYER, label)
        print(
            f"{title}: {right:.1%} of {len(label)} held-out digits; {inside(cam, places):.0%} of Grad-CAM on the digit"
        )
        rows[title] = cam[:SHOWN]
    sheet(rows, given.output)
    print(given.output)


if __name__ == "__main__":
    main()
