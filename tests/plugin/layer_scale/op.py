"""The op `layer_scale`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from graphc.ops.base import Pointwise, Positive, Requirement, fixed, holds, rank
from graphc.tensor import Constant, Tensor, Weight


class LayerScale(Pointwise):
    """A learned factor for each channel of [N, C, H, W], which begins small (Touvron et al. 2021, 4.1)."""

    name = "layer_scale"
    main = "init"
    init: Positive = 1e-5

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield rank(input, 4)
        yield holds(input, "float32")
        yield fixed(input.channels, input, "the number of channels")

    def weights(self, input: Tensor) -> Mapping[str, Weight]:
        return {"weight": Weight((input.channels, 1, 1, 1), Constant(self.init))}
