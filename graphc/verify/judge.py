"""Whether a value of ONNX Runtime is right.

It is where it is PyTorch's, but for the tolerance: |onnx - torch| ≤ tolerance · scale everywhere, `scale` being the
largest number of the value. Where it isn't, rounding may be why: it grows on the way, and through a norm of few values
1e-7 can become 1e-4. How much of it a value takes is seen in PyTorch itself, in float32 (`torch`) and float64
(`exact`). So then a value of ONNX Runtime is right when it is about as near to the exact one as PyTorch's own is:

    |onnx - exact| ≤ (tolerance + OWN · own) · scale    with own = max |torch - exact| / scale

Whatever passes the first passes the second, which is therefore looked at only after it. Of whole numbers and truth
values the part that is not the same is counted, without a tolerance: it may be OWN times that of PyTorch's own.

The scale of a single number (a loss) is at least 1: near 0 it still has the rounding of what it was made of.

What is random in PyTorch (two seeds give two values) is not compared, nor what depends on it, but for its shape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from graphc.graph import Value
from graphc.initial import Array
from graphc.verify.draw import Sizes, shape_at

TOLERANCE = 1e-5
OWN = 10
"""How many times PyTorch's own error is let pass."""
ROUGH = 1e-3
"""Where PyTorch's own error is larger than this, a comparison says little."""


@dataclass(frozen=True, slots=True)
class Exact:
    """A value in float64, and whether it is random: another with another seed."""

    value: Array
    random: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """A value in float32 in both, and PyTorch's in float64 where that was asked for."""

    torch: Array
    onnx: Array
    exact: Exact | None = None

    @property
    def best(self) -> Array:
        """The value that others are compared with."""
        return self.torch if self.exact is None else self.exact.value


@dataclass(frozen=True, slots=True)
class Judgement:
    """How a value differs, which has a name where it is given out.

    `error` and `own` are the largest differences of ONNX Runtime's and of PyTorch's value from the best one, relative
    to its scale, or the parts that are not the same. `at` is where that of ONNX Runtime is largest; there are `torch`,
    `onnx` and `best`. `problem` is what can't be said so: another shape or type. `ties` counts the choices of ONNX
    Runtime that are not PyTorch's; with PyTorch's in their place the value is what is judged here.
    """

    value: Value
    name: str
    shape: tuple[int, ...] = ()
    problem: str = ""
    random: bool = False
    error: float = 0.0
    own: float = 0.0
    allowed: float = 0.0
    at: tuple[int, ...] = ()
    torch: float = 0.0
    onnx: float = 0.0
    best: float = 0.0
    ties: int = 0

    @property
    def same(self) -> bool:
        return not self.problem and (self.random or self.error <= self.allowed)


@dataclass(frozen=True, slots=True)
class Judge:
    """Compares values at sizes, up to a tolerance; `kept` are those that only the data knows, at their most.

    Of whole numbers and truth values a part may be others.
    """

    sizes: Sizes
    tolerance: float = TOLERANCE
    part: float = 0.0
    kept: frozenset[str] = frozenset()

    def all(self, values: Mapping[str, Value], found: list[Found], exact: Callable[[], list[Exact]]) -> list[Judgement]:
        """Compares values by name; `exact` is asked for where that has to be known."""
        at = replace(self, sizes={**self.sizes, **self.seen(values.values(), found)}, kept=frozenset())
        return at.each(values, found, exact)

    def seen(self, values: Iterable[Value], found: Iterable[Found]) -> dict[str, int]:
        """The sizes that only the data knows as an axis in PyTorch shows them first."""
        shown = (
            (str(size), count)
            for value, pair in zip(values, found, strict=True)
            for size, count in zip(value.type.shape, pair.torch.shape, strict=False)
        )
        known = ((name, count) for name, count in shown if name in self.kept and count <= self.sizes[name])
        return dict(reversed(list(known)))

    def each(
        self, values: Mapping[str, Value], found: list[Found], exact: Callable[[], list[Exact]]
    ) -> list[Judgement]:
        """As `all`, with all sizes known."""
        judged = [self.one(*value, pair) for value, pair in zip(values.items(), found, strict=True)]
        if all(value.same for value in judged):
            return judged
        precise = [replace(pair, exact=more) for pair, more in zip(found, exact(), strict=True)]
        return [
            value if value.same or value.problem else self.one(value.name, value.value, pair)
            for value, pair in zip(judged, precise, strict=True)
        ]

    def one(self, name: str, value: Value, found: Found) -> Judgement:
        """Compares one value."""
        shape, random = shape_at(value.type.shape, self.sizes), found.exact is not None and found.exact.random
        problem = _problem(shape, value.type.dtype, found)
        if problem or random or not found.onnx.size:
            return Judgement(value, name, shape, problem, random)
        own, error = distances(found.torch, found), distances(found.onnx, found)
        at = np.unravel_index(int(error.argmax()), error.shape)
        is_real = found.onnx.dtype.kind == "f"
        largest, let_pass = (float(each.max() if is_real else each.mean()) for each in (error, own))
        return Judgement(
            value,
            name,
            shape,
            error=largest,
            own=let_pass,
            allowed=OWN * let_pass + (self.tolerance if is_real else self.part),
            at=tuple(map(int, at)),
            torch=float(found.torch[at]),
            onnx=float(found.onnx[at]),
            best=float(found.best[at]),
        )


def distances(one: Array, found: Found) -> Array:
    """How far each element of one is from the best value, relative to its scale; of what is not real 0 or 1.

    Where PyTorch's is infinite or no number, so the other has to be.
    """
    torch, best = found.torch, found.best
    if one.dtype.kind != "f":
        return np.asarray(one != best, np.float64)
    finite = np.isfinite(torch) & np.isfinite(best)
    scale = float(np.abs(best).max(where=finite, initial=0 if best.ndim else 1)) or 1.0
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.abs(one.astype(np.float64) - best) / scale
    if not finite.all():
        same = (one == torch) | (np.isnan(one) & np.isnan(torch))
        apart = np.where(finite, apart, np.where(same, 0.0, np.inf))
    return np.nan_to_num(apart, nan=np.inf, posinf=np.inf)


def _problem(shape: tuple[int, ...], dtype: str, found: Found) -> str:
    """How shapes and types differ, if they do."""
    told = [f"{list(shape)} {dtype}", *(f"{list(each.shape)} {each.dtype}" for each in (found.torch, found.onnx))]
    if len(set(told)) == 1:
        return ""
    graphs, torchs, onnxs = told
    return f"the graph has {graphs}, torch gives {torchs}, ONNX Runtime {onnxs}"
