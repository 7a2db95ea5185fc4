"""What came of running a graph in both backends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Literal, TypeAlias

from graphc.verify.judge import ROUGH, Judgement

What: TypeAlias = Literal["outputs", "values", "losses", "training"]
"""What is compared: the outputs of the graph, every value in it, its losses, or every value of its training."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run: a network, the sizes of its inputs, and every value that was compared, in order.

    `failure` says why nothing was.
    """

    name: str
    what: What
    sizes: Mapping[str, int]
    values: tuple[Judgement, ...] = ()
    failure: str = ""

    def __bool__(self) -> bool:
        return not self.failure and self.first is None

    @property
    def first(self) -> Judgement | None:
        """The first value that differs."""
        return next((value for value in self.values if not value.same), None)

    @property
    def worst(self) -> Judgement | None:
        """The value whose error takes the largest part of what is allowed."""
        compared = [value for value in self.values if not value.random]
        return max(compared, key=lambda value: (bool(value.problem), _part(value)), default=None)

    def __str__(self) -> str:
        return "\n".join(lines([self]))

    def data(self) -> dict[str, object]:
        """All of it, for JSON."""
        return {
            "name": self.name,
            "what": self.what,
            "sizes": dict(self.sizes),
            "same": bool(self),
            "failure": self.failure or None,
            "values": [_data(value) for value in self.values],
        }


@dataclass(frozen=True, slots=True)
class Verification:
    """All runs of a graph; true where nothing differs."""

    runs: tuple[Run, ...]

    def __bool__(self) -> bool:
        return all(self.runs)

    def __str__(self) -> str:
        return "\n".join(lines(self.runs))

    @property
    def first(self) -> Judgement | None:
        """The first value that differs."""
        return next((run.first for run in self.runs if run.first), None)

    def data(self) -> dict[str, object]:
        """All of it, for JSON."""
        return {"same": bool(self), "runs": [run.data() for run in self.runs]}


def lines(runs: tuple[Run, ...] | list[Run]) -> Iterator[str]:
    """A line a run, in columns, and below it what is to be said of the first value that differs."""
    rows = [_row(run) for run in runs]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for run, row in zip(runs, rows, strict=True):
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        yield from (f"  {line}" for line in _details(run))


def _row(run: Run) -> tuple[str, ...]:
    sizes = " ".join(f"{name}={size}" for name, size in run.sizes.items())
    return run.name, sizes, _subject(run), _largest(run), "ok" if run else "DIFFERS"


def _subject(run: Run) -> str:
    names = [value.name for value in run.values]
    if run.what in {"values", "training"}:
        return f"{len(names)} value{'s' * (len(names) != 1)}" + " in training" * (run.what == "training")
    return ", ".join(names if len(names) <= 3 else [*names[:2], f"… {len(names) - 2} more"])


def _largest(run: Run) -> str:
    """The worst value of a run, and how many could not be compared."""
    worst, random = run.worst, sum(value.random for value in run.values)
    ties = max((value.ties for value in run.values), default=0)
    parts = []
    if worst and not worst.problem:
        rough = f", torch's own {worst.own:.1e}" if worst.own > ROUGH else ""
        parts.append(f"max {worst.error:.1e} of {'scale' if _is_real(worst) else 'the elements'}{rough}")
    if ties:
        parts.append(f"with torch's choice at {ties:,} near tie{'s' * (ties > 1)}")
    if random:
        parts.append(f"{random} random, not compared" if len(run.values) > 1 else "random, not compared")
    return "; ".join(parts)


def _details(run: Run) -> Iterator[str]:
    """What differs first: where it is made, and the numbers."""
    if run.failure:
        yield from run.failure.splitlines()
        return
    value = run.first
    if value is None:
        return
    node = value.value.node
    yield f"first to differ: `{value.value.path}`, {node.op.name} at {node.span}"
    rows = [*_types(value), *(_numbers(value) if not value.problem else [("but", value.problem)])]
    width = max(len(label) for label, _ in rows)
    yield from (f"  {label:{width}}  {text}" for label, text in rows)


def _types(value: Judgement) -> Iterator[tuple[str, str]]:
    node = value.value.node
    if node.operands:
        yield "operands", ", ".join(f"{operand.path} {operand.type}" for operand in node.operands)
    yield "value", f"{value.value.type} {value.value.type.dtype}, here {list(value.shape)}"


def _numbers(value: Judgement) -> Iterator[tuple[str, str]]:
    unit = "of its scale" if _is_real(value) else "of the elements"
    yield "difference", f"{value.error:.2e} {unit}; allowed are {value.allowed:.2e}, torch's own is {value.own:.2e}"
    yield "largest at", str(list(value.at))
    yield "torch", f"{value.torch:.9g}, in float64 {value.best:.9g}"
    yield "ONNX Runtime", f"{value.onnx:.9g}"


def _is_real(value: Judgement) -> bool:
    return value.value.type.dtype == "float32"


def _part(value: Judgement) -> float:
    return value.error / value.allowed if value.allowed else value.error


def _data(value: Judgement) -> dict[str, object]:
    node = value.value.node
    told: dict[str, object] = {
        "name": value.name,
        "path": value.value.path,
        "op": node.op.name,
        "place": str(node.span),
        "shape": list(value.shape),
        "same": value.same,
    }
    if value.random or value.problem:
        return told | {"random": value.random, "problem": value.problem or None}
    names = ("error", "allowed", "own", "torch", "onnx", "ties")
    return told | {name: _number(getattr(value, name)) for name in names} | {"at": list(value.at)}


def _number(number: float) -> float | str:
    """A number as JSON has it, which has no infinity."""
    return number if isfinite(number) else str(number)
