"""Parts of values, and numbers beside values."""

from __future__ import annotations

from graphc.ops.index import Chunk, Constant, Getitem, IndexSelect, Part, Roll, Split
from graphc.tensor import Tensor
from graphc_torch.layer import Argument, Call, Layer, keywords, lower, positional


@lower.register
def _(op: Chunk, input: Tensor) -> Layer:
    return Layer(function=Call("torch.chunk", (positional(op, "chunks"), *keywords(op, "dim"))))


@lower.register
def _(op: Constant) -> Layer:
    return Layer(function=Call("torch.tensor", (positional(op, "value"),), style="number"))


@lower.register
def _(op: Getitem, input: Tensor) -> Layer:
    """Bounds that change nothing are left out. The spec's expression of a bound is that of `index.2.stop`."""
    parts = [_bounds(part, f"index.{place}") for place, part in enumerate(op.index)]
    numbers = tuple(argument for part in parts for argument in part if isinstance(argument, Argument))
    pattern = ", ".join(":".join("{}" if isinstance(b, Argument) else b for b in part) for part in parts)
    return Layer(function=Call(pattern, numbers, style="index"))


@lower.register
def _(op: IndexSelect, input: Tensor, index: Tensor) -> Layer:
    return Layer(function=Call("selected", keywords(op, "dim")), helper=True)


@lower.register
def _(op: Roll, input: Tensor) -> Layer:
    return Layer(function=Call("torch.roll", (positional(op, "shifts"), positional(op, "dims"))))


@lower.register
def _(op: Split, input: Tensor) -> Layer:
    return Layer(function=Call("torch.split", (positional(op, "split_size"), *keywords(op, "dim"))))


def _bounds(part: Part, attribute: str) -> list[Argument | str]:
    """What stands between the colons of a part, empty where nothing does."""
    if part is None:
        return ["None"]
    if isinstance(part, int):
        return [Argument("index", part, positional=True, attribute=attribute)]
    start, stop, step = part
    bounds = ("start", start or None), ("stop", stop), ("step", None if step == 1 else step)
    written = [
        "" if value is None else Argument(name, value, positional=True, attribute=f"{attribute}.{name}")
        for name, value in bounds
    ]
    return written if written[2] else written[:2]
