"""The ops in families: the modules that define them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from graphc.ops import FAMILIES, OPS, Op, ops_of


@dataclass(frozen=True, slots=True)
class Family:
    """A module with ops: a line about it, and the ops by name."""

    title: str
    ops: Mapping[str, type[Op]]


def own_families() -> list[Family]:
    """Those of graphc itself."""
    return [Family(_title(module.__doc__), ops_of([module])) for module in FAMILIES]


def families() -> list[Family]:
    """Those of graphc, then those of installed packages.

    Raises:
        graphc.packages.PackageError: a package is broken.
    """
    own = own_families()
    known = {name for family in own for name in family.ops}
    return [*own, *_brought(name for name in OPS if name not in known)]


def _brought(names: Iterable[str]) -> list[Family]:
    by_module: dict[str, dict[str, type[Op]]] = {}
    for name in names:
        op = OPS[name]
        by_module.setdefault(op.__module__, {})[name] = op
    return [Family(_title(sys.modules[module].__doc__ or module), ops) for module, ops in by_module.items()]


def _title(text: str | None) -> str:
    """The first line of a module's docstring."""
    return (text or "").strip().partition("\n")[0].rstrip(".")
