"""The ops of the language, one file a family: adding an op is adding its class to one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from types import ModuleType

from graphc import packages
from graphc.ops import (
    activation,
    arithmetic,
    attention,
    choice,
    compare,
    conv,
    embedding,
    fourier,
    functions,
    index,
    join,
    linear,
    loss,
    masked,
    norm,
    patches,
    places,
    pool,
    position,
    rearrange,
    reduce,
    region,
    repeat,
    resize,
    selection,
    shape,
    source,
    statistic,
)
from graphc.ops.base import Op, Requirement, Slot

__all__ = ["FAMILIES", "OPS", "Op", "Requirement", "Slot"]

FAMILIES: tuple[ModuleType, ...] = (
    activation,
    arithmetic,
    attention,
    choice,
    compare,
    conv,
    embedding,
    fourier,
    functions,
    index,
    join,
    linear,
    loss,
    masked,
    norm,
    patches,
    places,
    pool,
    position,
    rearrange,
    reduce,
    region,
    repeat,
    resize,
    selection,
    shape,
    source,
    statistic,
)


def ops_of(modules: Iterable[ModuleType]) -> dict[str, type[Op]]:
    """The ops that modules define, by name in the order of the alphabet."""
    kinds = [kind for module in modules for kind in vars(module).values() if isinstance(kind, type)]
    ops = (kind for kind in kinds if issubclass(kind, Op) and "name" in vars(kind))
    return {op.name: op for op in sorted(ops, key=lambda op: op.name)}


class Ops(Mapping[str, type[Op]]):
    """Ops by their names in a spec: graphc's own, and those that installed packages bring (docs/own_ops.md).

    Packages are looked for only where a name is none of graphc's own or all names are asked for; what they bring for an
    op is imported only where that op is taken. None can replace an op that there is.
    """

    def __init__(self, own: Mapping[str, type[Op]]) -> None:
        self.own = own

    def __getitem__(self, name: str) -> type[Op]:
        """The op of that name.

        Raises:
            KeyError: there is none.
            graphc.packages.PackageError: the package that brings it is broken.
        """
        return self.own[name] if name in self.own else self._brought(name)

    def __contains__(self, name: object) -> bool:
        return name in self.own or name in self._names()

    def __iter__(self) -> Iterator[str]:
        return iter(sorted([*self.own, *self._names()]))

    def __len__(self) -> int:
        return len(self.own) + len(self._names())

    def _names(self) -> Collection[str]:
        """The names of the ops that packages bring."""
        return packages.OPS.ops(self.own)

    def _brought(self, name: str) -> type[Op]:
        """The op that a package brings. From another op it would get that one's lowerings, unseen."""
        module = packages.OPS.load(name) if name in self._names() else None
        if module is None:
            raise KeyError(name)
        op = ops_of([module]).get(name)
        if op is None:
            raise packages.OPS.wrong(name, f"but `{module.__name__}` defines none of that name")
        for base in op.__mro__[1:]:
            if "name" in vars(base):
                raise packages.OPS.wrong(name, f"but derives it from another op, {base.__name__}")
        return op


OPS = Ops(ops_of(FAMILIES))
"""Every op by its name in a spec."""
