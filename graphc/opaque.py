"""The operation of another program that graphc has no op for: known by its name, its attributes and what it gives."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import InstanceOf

from graphc.dims import Size
from graphc.ops.base import Op
from graphc.tensor import Tensor, Weight


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
