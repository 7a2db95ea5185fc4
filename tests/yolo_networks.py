"""The networks of YOLO v1, YOLO v3 and of a detector with one stage, written by hand in PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType

import torch
from torch import Tensor, nn
from torch.nn import functional


def conv(inputs: int, outputs: int, kernel: int, stride: int = 1, *, norm: bool = True) -> nn.Sequential:
    layers = [nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=not norm)]
    return nn.Sequential(*layers, *[nn.BatchNorm2d(outputs)] * norm, nn.LeakyReLU(0.1))


class Local(nn.Module):
    """A 3×3 convolution with other weights at each place: local_layer.c."""

    def __init__(self, channels: int, size: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(size**2, 9 * channels, outputs))
        self.bias = nn.Parameter(torch.empty(size**2, 1, outputs))
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        wide, found = functional.pad(x, (1, 1, 1, 1)), []
        for place in range(self.size**2):
            row, column = divmod(place, self.size)
            window = wide[:, :, row : row + 3, column : column + 3].flatten(1)
            found.append(functional.leaky_relu(window @ self.weight[place] + self.bias[place], 0.1))
        return torch.stack(found, 2).flatten(1)


class First(nn.Module):
    """Figure 3 of "You Only Look Once", or yolov1.cfg; M is pooling."""

    FIGURE = (
        "7x1s2 M 3x3 M 1x2 3x4 1x4 3x8 M 1x4 3x8 1x4 3x8 1x4 3x8 1x4 3x8 1x8 3x16 M "
        "1x8 3x16 1x8 3x16 3x16 3x16s2 3x16 3x16"
    )

    def __init__(
        self, *, darknet: bool, width: int = 64, size: int = 448, classes: int = 20, hidden: int = 4096
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels, self.cells = 3, size // 64
        for layer in self.FIGURE.split():
            if layer == "M":
                layers.append(nn.MaxPool2d(2))
                continue
            kernel, _, rest = layer.partition("x")
            multiple, _, stride = rest.partition("s")
            layers.append(conv(channels, width * int(multiple), int(kernel), int(stride or 1), norm=darknet))
            channels = width * int(multiple)
        self.body, boxes = nn.Sequential(*layers), 3 if darknet else 2
        outputs = self.cells**2 * (5 * boxes + classes)
        if darknet:
            self.head = nn.Sequential(Local(channels, self.cells, hidden), nn.Linear(self.cells**2 * hidden, outputs))
        else:
            flat = channels * self.cells**2
            self.head = nn.Sequential(
                nn.Flatten(), nn.Linear(flat, hidden), nn.LeakyReLU(0.1), nn.Dropout(0.5), nn.Linear(hidden, outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        return torch.unflatten(self.head(self.body(x)), 1, (self.cells**2, -1))


class Unit(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(conv(width, width // 2, 1), conv(width // 2, width, 3))

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.body(x)
        return found + x


class Third(nn.Module):
    """yolov3.cfg; the three maps as they come from the last convolutions, [N, 3, h, w, 5 + classes], in a row."""

    def __init__(self, width: int = 32, classes: int = 80, layers: Sequence[int] = (1, 2, 8, 8, 4)) -> None:
        super().__init__()
        stages = [
            nn.Sequential(
                conv(width * 2**i, width * 2 ** (i + 1), 3, 2), *(Unit(width * 2 ** (i + 1)) for _ in range(n))
            )
            for i, n in enumerate(layers)
        ]
        self.stem, self.stages, self.scales = conv(3, width, 3), nn.ModuleList(stages), nn.ModuleList()
        for k, wide in enumerate((32 * width, 16 * width, 8 * width)):
            narrow, inputs = wide // 2, wide if k == 0 else wide + wide // 2
            lateral = [conv(wide, narrow, 1)] * (k > 0)
            neck = [conv(inputs, narrow, 1)]
            for _ in range(2):
                neck += [conv(narrow, wide, 3), conv(wide, narrow, 1)]
            head = nn.Sequential(conv(narrow, wide, 3), nn.Conv2d(wide, 3 * (5 + classes), 1))
            self.scales.append(nn.ModuleList([*lateral, nn.Sequential(*neck), head]))

    def forward(self, x: Tensor) -> Tensor:
        maps, found = [self.stem(x)], []
        for stage in self.stages:
            maps.append(stage(maps[-1]))
        x = maps[-1]
        for scale, features in zip(self.scales, reversed(maps[3:]), strict=True):
            *lateral, neck, head = scale.children()
            for layer in lateral:
                x = torch.cat([functional.interpolate(layer(x), scale_factor=2), features], 1)
            x = neck(x)
            found.append(head(x).unflatten(1, (3, -1)).permute(0, 1, 3, 4, 2).flatten(1, 3))
        return torch.cat(found, 1)


class Heads(nn.Module):
    """torchvision's blocks of ResNet; then h×w×K×(N+1) and h×w×4K×N, in a row for each place and template."""

    def __init__(self, torchvision: ModuleType, width: int = 32, classes: int = 20, templates: int = 9) -> None:
        super().__init__()
        blocks, inputs = [], width
        for outputs in (2 * width, 4 * width, 8 * width):
            down = nn.Sequential(nn.Conv2d(inputs, outputs, 1, 2, bias=False), nn.BatchNorm2d(outputs))
            blocks.append(torchvision.models.resnet.BasicBlock(inputs, outputs, 2, down))
            inputs = outputs
        stem = nn.Sequential(nn.Conv2d(3, width, 3, 2, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU())
        self.body, self.templates, self.classes = nn.Sequential(stem, *blocks), templates, classes
        self.class_head = nn.Conv2d(inputs, templates * (classes + 1), 3, padding=1)
        self.box_head = nn.Conv2d(inputs, 4 * templates * classes, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.body(x)
        maps = [head(x).permute(0, 2, 3, 1) for head in (self.class_head, self.box_head)]
        return torch.cat([m.reshape(len(x), -1, m.shape[-1] // self.templates) for m in maps], 2)


def written(name: str, torchvision: ModuleType | None = None, **sizes: int) -> nn.Module:
    """The network by hand, in its own size or in another."""
    if name == "yolo_v3_coco":
        return Third(**sizes, layers=(1, 1, 1, 1, 1)) if sizes else Third()
    if name == "single_stage":
        assert torchvision
        return Heads(torchvision, **sizes)
    hidden = {"hidden": 256} if name == "yolo_v1_darknet" and not sizes else {}
    return First(darknet=name == "yolo_v1_darknet", **(hidden | sizes))


SIZES = {
    "yolo_v1_paper": {"width": 4, "size": 192, "classes": 3, "hidden": 32},
    "yolo_v1_darknet": {"width": 4, "size": 192, "classes": 3, "hidden": 8},
    "yolo_v3_coco": {"width": 4, "classes": 3},
    "single_stage": {"width": 4, "classes": 3},
}
