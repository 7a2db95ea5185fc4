"""Receptive fields: which part of an input a position of a value sees, along each of the input's axes.

As in Araujo et al. 2019, "Computing Receptive Fields of Convolutional Neural Networks", but exact for each position: a
field is put together from what each op says that it reads (`Op.sees`), as a window that moves on regularly. Through
branches it reaches from the first to the last position that any of them sees.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal, TypeAlias

from graphc.cost.divided import Parts
from graphc.cost.examples import Examples
from graphc.graph import Graph, Node, Value
from graphc.ops.reach import ALL, SAME, UNKNOWN, Along, Divided, Reach, Sight, Sights, Whole, numbers
from graphc.tensor import Tensor


@dataclass(frozen=True, slots=True)
class AxisField:
    """What is seen along one axis of an input.

    `size` is the number of positions from the first to the last that is seen, at the positions that see most; None for
    a field that is global or unknown. `stride` is how far it moves on from one position of the value to the next; None
    where the positions have lost their order. `along` is the axis of the value along which it moves.
    """

    kind: Literal["window", "global", "unknown"]
    size: int | None = None
    stride: Fraction | None = None
    along: int | None = None
    reach: Reach | None = None

    def at(self, position: int) -> tuple[int, int] | None:
        """The first and the last position of the input that a position of the value sees, where these are known.

        They may lie outside: that is padding or, behind a `roll`, the other end.
        """
        return self.reach.at(position) if self.reach and self.stride is not None else None

    def __str__(self) -> str:
        return self.kind if self.size is None else str(self.size)


@dataclass(frozen=True, slots=True)
class Field:
    """What a value sees of one input, along each of that one's axes that have positions."""

    input: str
    axes: Mapping[int, AxisField]

    @property
    def sizes(self) -> tuple[str, ...]:
        """The size along each axis, or "global" or "unknown"."""
        return tuple(map(str, self.axes.values()))

    @property
    def strides(self) -> tuple[str, ...]:
        """The stride along each axis, "-" where there is none."""
        return tuple("-" if axis.stride is None else str(axis.stride) for axis in self.axes.values())


@dataclass(frozen=True, slots=True)
class _Window:
    """It moves along an axis of the value."""

    axis: int
    reach: Reach


@dataclass(frozen=True, slots=True)
class _Scattered:
    """It has its size, but the positions are in an order that `source` made, along these axes together."""

    axes: frozenset[int]
    source: str
    reach: Reach


_State: TypeAlias = "_Window | Parts | _Scattered | Whole"
_Axis: TypeAlias = tuple[str, int]
"""An input, and one of its axes."""


def fields(graph: Graph) -> dict[Value, tuple[Field, ...]]:
    """What each value of the main graph sees, input by input, at the example sizes; none for an input not read."""
    walk = _Walk(Examples(graph.examples()))
    for name, value in graph.inputs.items():
        walk.begin(name, value)
    for node in graph.nodes:
        walk.visit(node)
    return {value: tuple(_told(states)) for value, states in walk.states.items()}


def receptive_field(graph: Graph, value: Value) -> tuple[Field, ...]:
    """What a value sees, input by input; nothing of an input that it does not read.

    It is for the example sizes where an op's reading depends on them, as adaptive pooling's does.
    """
    return fields(graph)[value]


def positions(input: Tensor) -> tuple[int, ...]:
    """The axes of an input along which there are positions.

    Of [N, C, *space] those behind the channels. Of two or three axes those that are free behind the first, if any is;
    of whole numbers [N, T] the last.
    """
    if input.rank > 3:
        return tuple(range(2, input.rank))
    free = tuple(axis for axis, size in enumerate(input.shape) if axis and not isinstance(size, int))
    return free or tuple(range(1 if input.dtype == "int64" else 2, input.rank))


@dataclass(slots=True)
class _Walk:
    """Goes through a graph once, in the order in which it runs."""

    examples: Examples
    states: dict[Value, dict[_Axis, _State]] = field(default_factory=dict)

    def begin(self, name: str, value: Value) -> None:
        """Notes an input, which sees itself."""
        self.states[value] = {(name, axis): _Window(axis, SAME) for axis in positions(value.type)}

    def visit(self, node: Node) -> None:
        """Notes what the outputs of a node see."""
        seen = self.examples.op(node.op).sees(*self.examples.inputs(node))
        found: dict[_Axis, _State] = {}
        for index, value in enumerate(node.arguments):
            sights = None if seen is None else seen[index]
            if value is None or (seen is not None and sights is None):
                continue
            for axis, state in self.states.get(value, {}).items():
                new = UNKNOWN if sights is None else _through(state, sights, node.path)
                found[axis] = _both(found[axis], new) if axis in found else new
        for value in node.outputs:
            self.states[value] = {axis: self.gathered(state, value) for axis, state in found.items()}

    def gathered(self, state: _State, value: Value) -> _State:
        """Parts of positions that are one axis of the value again."""
        if not isinstance(state, Parts):
            return state
        along = state.along(numbers(self.examples.type(value.type).shape) or ())
        if along is None:
            return state
        axis, reach = along
        return UNKNOWN if reach is None else _Window(axis, reach)


def _through(state: _State, sights: Sights, path: str) -> _State:
    """What is seen through an op of a value that sees so much."""
    match state:
        case _Window(axis, reach):
            return _seen(sights[axis], reach, path)
        case Parts():
            if all(sights[axis] is ALL for axis in state.axes):
                return ALL
            scattered = _Scattered(state.axes, path, state.reach)
            return state.through(sights) or _through(scattered, sights, path)
        case _Scattered(axes, source, reach):
            return _rescattered(axes, source, reach, [sights[axis] for axis in sorted(axes)], path)
        case _:
            return state


def _seen(sight: Sight, reach: Reach, path: str) -> _State:
    match sight:
        case Along(axis, own):
            whole = own.over(reach)
            return UNKNOWN if whole is None else _Window(axis, whole)
        case Whole():
            return sight
        case Divided():
            return Parts(sight.digits, reach)
        case _:
            return _Scattered(sight.axes, path, reach)


def _rescattered(axes: frozenset[int], source: str, reach: Reach, sights: list[Sight], path: str) -> _State:
    """Positions without an order stay so, until all of them are read at once."""
    if all(sight is ALL for sight in sights):
        return ALL
    if any(isinstance(sight, Whole) or (isinstance(sight, Along) and sight.reach != SAME) for sight in sights):
        return UNKNOWN
    targets = frozenset(axis for sight in sights for axis in _targets(sight))
    kept = all(isinstance(sight, Along) for sight in sights)
    return _Scattered(targets, source if kept else f"{source} {path}", reach)


def _targets(sight: Sight) -> frozenset[int]:
    match sight:
        case Along(axis, _):
            return frozenset({axis})
        case Whole():
            return frozenset()
        case _:
            return sight.axes


def _both(left: _State, right: _State) -> _State:
    """What is seen through two branches."""
    if ALL in (left, right):
        return ALL
    if left == right:
        return left
    if isinstance(left, _Window) and isinstance(right, _Window) and left.axis == right.axis:
        reach = left.reach.joined(right.reach)
        return UNKNOWN if reach is None else _Window(left.axis, reach)
    if isinstance(left, Parts) and isinstance(right, Parts):
        return left.joined(right) or UNKNOWN
    return UNKNOWN


def _told(states: Mapping[_Axis, _State]) -> Iterator[Field]:
    for name in dict.fromkeys(name for name, _ in states):
        yield Field(name, {axis: _axis(state) for (input, axis), state in states.items() if input == name})


def _axis(state: _State) -> AxisField:
    match state:
        case _Window(axis, reach):
            return AxisField("window", reach.size, reach.stride, axis, reach)
        case _Scattered(_, _, reach) | Parts(_, reach):
            return AxisField("window", reach.size)
        case _:
            return AxisField("global" if state is ALL else "unknown")
