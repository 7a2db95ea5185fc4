"""The ops of the language, one file a family: adding an op is adding its class to one."""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType

from graphc.ops import activation, conv, join, linear, norm, pool, shape
from graphc.ops.base import Op, Requirement, Slot

__all__ = ["FAMILIES", "OPS", "Op", "Requirement", "Slot"]

FAMILIES: tuple[ModuleType, ...] = (activation, conv, join, linear, norm, pool, shape)


def ops_of(modules: Iterable[ModuleType]) -> dict[str, type[Op]]:
    """The ops that modules define, by name in the order of the alphabet."""
    kinds = [kind for module in modules for kind in vars(module).values() if isinstance(kind, type)]
    ops = (kind for kind in kinds if issubclass(kind, Op) and "name" in vars(kind))
    return {op.name: op for op in sorted(ops, key=lambda op: op.name)}


OPS: dict[str, type[Op]] = ops_of(FAMILIES)
"""Every op by its name in a spec."""
