"""What a file has and no spec can name: operations that graphc has no op for, and numbers that it holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import InstanceOf

from graphc.dims import Size
from graphc.ops.base import Count, Free, Op
from graphc.ops.reach import Seen
from graphc.ops.saved import NOTHING
from graphc.tensor import DType, Tensor, Weight

if TYPE_CHECKING:
    from graphc.initial import Array


class Foreign(Op):
    """An operator as the file names it; `types` are what it gives, by output, `held` the tensors that it owns.

    No backend can write it; it can be counted, drawn and compared.
    """

    name = "foreign"
    main = "operator"
    operator: str
    domain: str = ""
    attributes: tuple[tuple[str, InstanceOf[object]], ...] = ()
    types: tuple[tuple[str, InstanceOf[Tensor]], ...]
    held: tuple[tuple[str, InstanceOf[Weight]], ...] = ()

    def infer(self, *inputs: Tensor) -> Mapping[str, Tensor]:
        return dict(self.types)

    def weights(self, *inputs: Tensor) -> Mapping[str, Weight]:
        return dict(self.held)

    def macs(self, *inputs: Tensor) -> Size | None:
        """Nobody knows."""
        return None


class Calculated(Free):
    """Numbers that no input changes, known by their shape and a digest of them; no backend can write them."""

    name = "calculated"
    each = 0
    keeps = NOTHING
    main = "digest"
    shape: tuple[Count, ...]
    dtype: DType
    digest: str

    @classmethod
    def of(cls, array: Array, dtype: DType) -> Calculated:
        """An array as the op that gives it: equal where all numbers are, as that type holds them."""
        from hashlib import sha256

        held = array.astype(dtype)
        even = held if dtype == "bool" else held + held.dtype.type(0)  # -0.0 is 0.0
        return cls(shape=array.shape, dtype=dtype, digest=sha256(even.tobytes()).hexdigest()[:16])

    def infer(self) -> Tensor:
        return Tensor(self.shape, self.dtype)

    def sees(self) -> Seen:
        return ()
