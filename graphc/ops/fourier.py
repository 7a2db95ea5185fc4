"""Values as signals: turned round, and their spectra."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from graphc.ops.base import Axis, Count, Free, Rearranged, Requirement, Symbolic, holds, not_smaller
from graphc.ops.reach import Along, Moved, Seen, all_but
from graphc.ops.saved import NOTHING
from graphc.ops.shape import distinct, on_axes
from graphc.tensor import Shape, Tensor

Length: TypeAlias = Count | Symbolic


class Flip(Rearranged):
    """The elements in reverse order along the axes `dims` (`torch.flip`)."""

    name = "flip"
    main = "dims"
    example = "2"
    dims: Axis | Annotated[tuple[Axis, ...], Field(min_length=1)]
    """The axis, or the axes, whose order is turned round."""

    @property
    def axes(self) -> tuple[int, ...]:
        """The axes, as they are given."""
        return self.dims if isinstance(self.dims, tuple) else (self.dims,)

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield from on_axes(input, *self.axes)
        yield distinct(input, [axis % input.rank for axis in self.axes])

    def infer(self, input: Tensor) -> Tensor:
        return input

    def sees(self, input: Tensor) -> Seen:
        turned = {axis % input.rank for axis in self.axes}
        return (tuple(Moved(frozenset({axis})) if axis in turned else Along(axis) for axis in range(input.rank)),)


class Fft2(Free):
    """The discrete Fourier transform along the last two axes: `real` and `imag`, the parts of Σ x · exp(-2πi(fy + gx)).

    With `s` they are cut or filled with 0 to these sizes first. The sum is as it is (`norm: backward`), divided by the
    root of the number of places (`ortho`), or by that number (`forward`): `torch.fft.fft2`.
    """

    name = "fft2"
    main = "s"
    keeps = NOTHING
    s: tuple[Length, Length] | None = None
    """The sizes that the last two axes are cut or filled to; their own if not given."""
    norm: Literal["backward", "ortho", "forward"] = "backward"
    """What the sum is divided by: nothing, the root of the number of places, or that number."""

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        yield Requirement(input.rank >= 2, f"needs a value with at least two axes, got {input}")
        yield holds(input, "float32")
        for size in self.s or ():
            yield not_smaller(size, 1, f"a size of {size} is not positive")

    def space(self, input: Tensor) -> Shape:
        """The sizes of the last two axes of the spectrum."""
        return self.s or input.shape[-2:]

    def infer(self, input: Tensor) -> Mapping[str, Tensor]:
        spectrum = input.with_shape((*input.shape[:-2], *self.space(input)))
        return {"real": spectrum, "imag": spectrum}

    def sees(self, input: Tensor) -> Seen:
        return (all_but(input.rank, {input.rank - 2, input.rank - 1}),)
