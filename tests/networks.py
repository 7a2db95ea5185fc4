"""The installed networks, and when each is tested: in each run, in the slow step, or exhaustively."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest
import yaml

from graphc import library

EVERY = [
    f"{name}:{variant}" if variant else name
    for name in library.names()
    for variant in library.installed(name).variants or [""]
]
QUICK = 6_000_000
"""Parameters up to which a network is tested in each run."""
GIANT = 400_000_000
"""Parameters from which on a network is tested exhaustively alone: several copies of it would not fit into memory."""
FILE = 500_000_000
"""Parameters from which on an ONNX file has more than 2 GB."""


def weight_of(address: str) -> int:
    """The parameters that a spec expects of a variant; 0 where it says nothing."""
    name, _, variant = address.partition(":")
    expected = expectations(name)
    count = expected.get(variant, expected).get("params", 0)
    return int(str(count).replace("_", ""))


@cache
def expectations(name: str) -> dict[str, dict[str, object]]:
    text = (library.specs() / f"{name}.yaml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text).get("expect") or {})


def marked(addresses: list[str], rest: pytest.MarkDecorator = pytest.mark.slow) -> Iterator[object]:
    """Addresses as parameters of a test: quick ones in each run, others as `rest`, giants exhaustively."""
    for address in addresses:
        if weight_of(address) > GIANT:
            yield pytest.param(address, marks=pytest.mark.exhaustive)
        else:
            yield pytest.param(address, marks=[rest] * (weight_of(address) > QUICK))
