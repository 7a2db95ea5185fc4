"""Equivalent forms as one: what exporters write in another way than a spec does is written alike on both sides.

A pool over parts of a map of a known size is one with a window, and none where a window is one place. Concats of
concats are one; a chain of reshapes and transposes is one rearrangement (`graphc.layout`), or nothing. A size that is
taken from another value is a number where it is known. How parameters begin is left out, and what does nothing at the
sizes (`graphc.diff.idle`). What depends on no input is its numbers (`graphc.diff.calculating`); layers come before what
only moves elements (`moving`, `squares`), and windows lie in the batch (`attending`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from graphc.diff.arrays import WORK
from graphc.diff.attending import attended
from graphc.diff.calculating import calculated, is_own, looked_up
from graphc.diff.idle import rolled, turned, uncut, unpadded
from graphc.diff.moving import averaged, late, projected
from graphc.diff.squares import squared
from graphc.dims import substitute
from graphc.graph import Graph, Node, Value
from graphc.layout import MOVES, begin, moved, one_op
from graphc.opaque import Calculated
from graphc.ops import Op, pool
from graphc.ops.attention import Attention
from graphc.ops.embedding import Embedding, Learned
from graphc.ops.index import Getitem, Roll
from graphc.ops.join import Concat
from graphc.ops.linear import Linear
from graphc.ops.rearrange import Rearrange
from graphc.ops.reduce import Mean
from graphc.ops.resize import Interpolate, Pad
from graphc.ops.window import counts
from graphc.remaking import Arguments, Made, remade
from graphc.tensor import DType, Tensor

if TYPE_CHECKING:
    from graphc.initial import Array

PARTS: Mapping[type[Op], type[pool.AvgPool]] = {
    pool.AdaptiveAvgPool1d: pool.AvgPool1d,
    pool.AdaptiveAvgPool2d: pool.AvgPool2d,
    pool.AdaptiveAvgPool3d: pool.AvgPool3d,
}
"""The pool with a window for each of those with parts."""
WHOLE: Mapping[type[Op], type[Op]] = {windowed: parted for parted, windowed in PARTS.items()}


def normal(graph: Graph, sizes: Mapping[str, int]) -> Graph:
    """The graph with equivalent forms as one, where some of its free sizes are these numbers."""
    read = Counter(value.node.path for node in graph.nodes for value in node.operands)
    read.update(value.node.path for value in graph.outputs.values())
    return remade(graph, Normal(sizes, read))


@dataclass(slots=True)
class Normal:
    """Makes each node normal, from operands that are so already.

    `read` says how many operands a path gives in the graph as it was; `arrays` has the numbers that were calculated.
    """

    sizes: Mapping[str, int]
    read: Mapping[str, int] = field(default_factory=dict)
    types: dict[Value, Tensor] = field(default_factory=dict)
    arrays: dict[Op, Array] = field(default_factory=dict)
    taken: Counter[str] = field(default_factory=Counter)

    def __call__(self, node: Node, arguments: Arguments) -> Made:
        return self.settled(node.output, (node.op, arguments))

    def settled(self, output: Value, made: Made) -> Made:
        """What is left when no rule says anything more."""
        while not isinstance(made, Value):
            found = self.once(output, *made)
            if found is None:
                return made
            made = found
        return made

    def once(self, output: Value, op: Op, arguments: Arguments) -> Made | None:
        """The first rule that says something of an op."""
        rules = RULES.get(type(op), ())
        return next((found for rule in rules if (found := rule(self, op, arguments, output)) is not None), None)

    def new(self, op: Op, arguments: Arguments, near: Node, *, part: str = "", like: Node | None = None) -> Value:
        """The value of an op that the graph didn't have, in the scope of a node; perhaps with the weights of another.

        Of a part of a node `part` is the name.
        """
        types = [None if value is None else self.type(value) for value in arguments]
        path, home = (like.path, like.home) if like else (self.below(near, part or op.name), "")
        made = Node(path, op, tuple(arguments), op.infer(*types), near.scope, near.span, home=home)
        found = self.settled(made.output, (op, arguments))
        if isinstance(found, Value):
            return found
        made.op, made.arguments = found[0], tuple(found[1])
        return made.output

    def below(self, near: Node, name: str) -> str:
        """A path below that of a node, which nothing else has."""
        path = f"{near.path}.{name}"
        self.taken[path] += 1
        return path if self.taken[path] == 1 else f"{path}_{self.taken[path]}"

    def numbers(self, array: Array, dtype: DType) -> Calculated:
        """An array as the op that gives it."""
        made = Calculated.of(array, dtype)
        self.arrays[made] = array
        return made

    def type(self, value: Value) -> Tensor:
        """The type of a value at the sizes."""
        if value not in self.types:
            self.types[value] = value.type.with_shape(tuple(substitute(size, self.sizes) for size in value.type.shape))
        return self.types[value]


def parted(at: Normal, op: pool.AdaptiveAvgPool, arguments: Arguments, output: Value) -> Made | None:
    """Parts that are all of one size are windows that lie side by side; a mean over all stays as it is."""
    space = at.type(_first(arguments)).space
    if set(op.parts) == {1} or not all(isinstance(size, int) for size in space):
        return None
    if any(int(str(size)) % count for size, count in zip(space, op.parts, strict=True)):
        return None
    extents = tuple(int(str(size)) // count for size, count in zip(space, op.parts, strict=True))
    return PARTS[type(op)].model_validate({"kernel_size": extents}), arguments


def whole(at: Normal, op: pool.AvgPool, arguments: Arguments, output: Value) -> Made | None:
    """A window that is the whole map is a mean over all."""
    space, windows = at.type(_first(arguments)).space, op.windows()
    is_whole = all(window.kernel == size and window.padding == 0 for size, window in zip(space, windows, strict=True))
    return (WHOLE[type(op)].model_validate({"output_size": 1}), arguments) if is_whole else None


def rounded(at: Normal, op: pool.Pool, arguments: Arguments, output: Value) -> Made | None:
    """Where nothing is left to round, it is not said how."""
    floored = op.model_copy(update={"ceil_mode": False})
    space = at.type(_first(arguments)).space
    if op == floored or counts(op.windows(), space) != counts(floored.windows(), space):
        return None
    return floored, arguments


def pointwise(at: Normal, op: pool.Pool, arguments: Arguments, output: Value) -> Made | None:
    """A window of one place at each place is no pool; but where it gives indices, too."""
    is_idle = all((each.kernel, each.stride, each.padding) == (1, 1, 0) for each in op.windows())
    return arguments[0] if is_idle and len(output.node.outputs) == 1 else None


def joined(at: Normal, op: Concat, arguments: Arguments, output: Value) -> Made | None:
    """A concat of concats along the same axis is one of all."""
    inner = [value.node.arguments if value and value.node.op == op else (value,) for value in arguments]
    if op.center or all(len(values) == 1 for values in inner):
        return None
    return op, [value for values in inner for value in values]


def rearranged(at: Normal, op: Op, arguments: Arguments, output: Value) -> Made | None:
    """What only moves elements is one rearrangement with that in front of it."""
    value = _first(arguments)
    before, chain = value, [(op, at.type(value), at.type(output))]
    if isinstance(value.node.op, Rearrange):
        before = value.node.operands[0]
        chain.insert(0, (value.node.op, at.type(before), at.type(value)))
    layout = begin(at.type(before).shape)
    for step in chain:
        found = moved(step[0], layout, *step[1:])
        if found is None:
            return None
        layout = found
    if layout.is_identity:
        return before
    if is_own(at, before):
        return at.new(Learned.model_validate({"shape": layout.shape()}), (), before.node, like=before.node)
    made = one_op(layout)
    return None if made is None or (made == op and before is value) else (made, [before])


def unbegun(at: Normal, op: Learned, arguments: Arguments, output: Value) -> Made | None:
    """A file has the values of a parameter, and says nothing of how they began."""
    return (Learned(shape=op.shape), arguments) if op.std else None


def sized(at: Normal, op: Interpolate, arguments: Arguments, output: Value) -> Made | None:
    """The size of another value is a number where that is known."""
    space = at.type(output).space
    if len(arguments) < 2 or not all(isinstance(size, int) for size in space):
        return None
    return op.model_copy(update={"size": space}), arguments[:1]


def _first(arguments: Arguments) -> Value:
    value = arguments[0]
    assert value is not None
    return value


Rule: TypeAlias = Callable[[Normal, Any, Arguments, Value], "Made | None"]
OWN: Mapping[type[Op], tuple[Rule, ...]] = {
    Attention: (attended,),
    Concat: (joined, turned, squared),
    Embedding: (looked_up,),
    Getitem: (uncut, projected),
    Interpolate: (sized,),
    Learned: (unbegun,),
    Linear: (late,),
    Mean: (averaged,),
    Pad: (unpadded,),
    Roll: (rolled,),
    **dict.fromkeys(PARTS, (averaged, parted)),
    **dict.fromkeys(WHOLE, (whole, rounded, pointwise)),
    **dict.fromkeys((pool.MaxPool1d, pool.MaxPool2d, pool.MaxPool3d), (rounded, pointwise)),
    **dict.fromkeys(MOVES, (rearranged,)),
}
RULES: Mapping[type[Op], tuple[Rule, ...]] = {**OWN, **{kind: (calculated, *OWN.get(kind, ())) for kind in WORK}}
"""What is tried on each op."""
