"""Values as signals: turned round, and their spectra."""

from __future__ import annotations

from graphc.ops.fourier import Fft2, Flip
from graphc.tensor import Tensor
from graphc_torch.layer import Argument, Call, Layer, keywords, lower


@lower.register
def _(op: Fft2, input: Tensor) -> Layer:
    return Layer(function=Call("fft2", keywords(op, "s", "norm")), helper=True)


@lower.register
def _(op: Flip, input: Tensor) -> Layer:
    return Layer(function=Call("torch.flip", (Argument("dims", op.axes, positional=True, attribute="dims"),)))
