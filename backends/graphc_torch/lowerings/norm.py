"""Normalisation."""

from __future__ import annotations

from graphc.ops.norm import BatchNorm
from graphc.tensor import Tensor
from graphc_torch.layer import Call, Layer, inferred, keywords, lower


@lower.register
def _(op: BatchNorm, input: Tensor) -> Layer:
    module = {2: "nn.BatchNorm1d", 3: "nn.BatchNorm1d", 4: "nn.BatchNorm2d", 5: "nn.BatchNorm3d"}[input.rank]
    arguments = keywords(op, "eps", "momentum", "affine", "track_running_stats")
    return Layer(Call(module, (inferred("num_features", input.channels), *arguments)))
