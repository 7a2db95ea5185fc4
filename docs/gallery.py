"""Draws the pictures of the documents: `python docs/gallery.py` writes them into `docs/pictures`, or into a FOLDER."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from graphc import compile
from graphc.made import DrawOptions
from graphc.marks import Mark
from graphc.settings import NO_SETTINGS
from graphc.summary.plot import Over, series, write

TOP = Path(__file__).resolve().parents[1]
PICTURES = TOP / "docs" / "pictures"


@dataclass(frozen=True, slots=True)
class Picture:
    """A file of the gallery: which spec it draws, and how."""

    name: str
    address: str
    options: DrawOptions
    settings: Mapping[str, int] = field(default_factory=dict)

    def draw(self, folder: Path) -> None:
        """Writes it into a folder."""
        compile(self.address, set=self.settings).draw(folder / self.name, **self.options)


@dataclass(frozen=True, slots=True)
class Plot:
    """A file with the costs of several networks over sizes."""

    name: str
    addresses: tuple[str, ...]
    over: str

    def draw(self, folder: Path) -> None:
        """Writes it into a folder."""
        over = Over.read(self.over)
        write(folder / self.name, [series(address, NO_SETTINGS, over) for address in self.addresses], over)


PLOTS = tuple(Plot(f"vit_swin{suffix}", ("vit_b_16", "swin_b"), "H,W=224..1120/224") for suffix in (".png", ".svg"))
GALLERY = (
    Picture("tiny.svg", str(TOP / "examples" / "tiny.yaml"), {}),
    Picture("unet.svg", "unet", {"depth": 3}),
    Picture("unet_levels.svg", "unet", {"depth": 1}),
    Picture("resnet50.svg", "resnet:resnet50", {"depth": 2}),
    Picture("resnet50_stages.svg", "resnet:resnet50", {"depth": 1}),
    Picture("resnet50_unit.svg", "resnet:resnet50", {"depth": 1, "expand": ["stage.1.unit.0"]}),
    Picture("googlenet.svg", "googlenet:googlenet_paper", {"depth": 2}),
    Picture("inception.svg", "googlenet:googlenet_paper", {"depth": 1, "focus": ["stage.0.inception.0"]}),
    Picture("googlenet_training.svg", "googlenet:googlenet_paper", {"depth": 1, "training": True}),
    Picture("vit_b16.svg", "vit:vit_b_16", {"depth": 1, "show": ["params", "macs"]}),
    Picture("vit_b16_encoder.svg", "vit:vit_b_16", {"depth": 4, "focus": ["encoder"], "direction": "right"}),
    Picture("mask_rcnn.svg", "mask_rcnn", {"depth": 1}),
    Picture("bottleneck.svg", "resnet#bottleneck", {"depth": 1}, {"width": 128, "stride": 2, "in_channels": 256}),
    Picture("densenet121_dark.svg", "densenet:densenet121", {"depth": 2, "theme": "dark"}),
    Picture("unet_print.svg", "unet", {"depth": 2, "theme": "print"}),
    Picture(
        "marks.svg",
        "resnet:resnet18",
        {
            "depth": 2,
            "collapse": ["stage.0", "stage.3"],
            "marks": {
                "stage.0.unit.0.residual.conv1": Mark("changed"),
                "stage.1.unit.1": Mark("added"),
                "stage.2.unit.0": Mark("changed", "stride 1 → 2"),
                "max_pool2d": Mark("removed"),
                "fc": Mark("moved", "from head.fc"),
            },
        },
    ),
)


def main(folder: Path = PICTURES) -> None:
    """Draws them all."""
    folder.mkdir(parents=True, exist_ok=True)
    for picture in (*GALLERY, *PLOTS):
        picture.draw(folder)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
