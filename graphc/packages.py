"""What installed packages bring for their own ops: found by the op's name in entry points, imported when it is met."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from keyword import iskeyword
from types import ModuleType
from typing import TYPE_CHECKING

from graphc.backends import BackendError, entries

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


class PackageError(BackendError):
    """An installed package is not what its entry points say, or is in the way of another: one line that names it."""


@dataclass(frozen=True, slots=True)
class Group:
    """A group of entry points, each named as the op that it brings `what` of; its value is a module."""

    name: str
    what: str

    def ops(self, own: Collection[str] = ()) -> Collection[str]:
        """The ops for which packages bring something; none is graphc's `own`. Nothing is imported.

        Raises:
            PackageError: one is, or has a name that no spec can use, or two packages bring it.
        """
        found = _found(self)
        for op in found:
            if op in own:
                raise self.wrong(op, "which graphc has itself; uninstall it, or have its op renamed")
            if not op.isidentifier() or iskeyword(op):
                raise self.wrong(op, "but that name is no identifier")
        return found

    def load(self, op: str) -> ModuleType | None:
        """The module that a package brings for an op; None where no package does.

        Raises:
            PackageError: it can't be imported, or two packages bring one.
        """
        entry = _found(self).get(op)
        if entry is None:
            return None
        try:
            return import_module(entry.module)
        except Exception as error:
            first = str(error).partition("\n")[0]
            raise self.wrong(op, f"but can't be loaded: {type(error).__name__}: {first}") from error

    def wrong(self, op: str, why: str) -> PackageError:
        """What is wrong with the package that brings something for an op."""
        return PackageError(f"the package {_package(_found(self)[op])} brings {self.what} `{op}`, {why}")


OPS = Group("graphc.ops", "the op")


def load_lowering(backend: str, op: str, registry: Mapping[type, Callable[..., object]]) -> None:
    """Imports what a package brings for an op and a backend; that adds to the backend's registry.

    Raises:
        PackageError: it can't be imported, or replaces what the registry had.
    """
    group = Group(f"graphc.lowerings.{backend}", f"the {backend} lowering of")
    before = dict(registry)
    group.load(op)
    for kind, function in before.items():
        if registry[kind] is not function:
            raise group.wrong(op, f"but replaces that of {kind.__name__} in `{function.__module__}`; uninstall one")


@cache
def _found(group: Group) -> Mapping[str, EntryPoint]:
    """The entry points of a group by op, each once."""
    found: dict[str, EntryPoint] = {}
    for entry in entries(group.name):
        other = found.setdefault(entry.name, entry)
        if other is not entry:
            both = " and ".join(sorted({_package(other), _package(entry)}))
            raise PackageError(f"two packages, {both}, bring {group.what} `{entry.name}`; uninstall one")
    return found


def _package(entry: EntryPoint) -> str:
    """The package that an entry point is of."""
    return f"`{entry.dist.name if entry.dist else entry.module}`"
