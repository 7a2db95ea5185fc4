"""Where the size of an axis comes from: the spec's expression that made a value so large, in the names of a class."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from graphc.dims import product
from graphc.expr import Binary, Call, Choice, Expr, Literal, Name, Unary
from graphc.graph import Node, Scope, Value
from graphc.ops.join import Concat
from graphc.ops.rearrange import Rearrange
from graphc_torch.term import Place, UnresolvedError, binding_of


@dataclass(frozen=True, slots=True)
class Axis(Expr):
    """The size of an axis of an input of the class."""

    index: int
    axis: int


@dataclass(frozen=True, slots=True)
class Flow:
    """An instance of a class: its scope, and the number of each input."""

    scope: Scope
    inputs: Mapping[Value, int]

    def origin(self, value: Value, axis: int) -> Expr | None:
        """What made an axis of a value, which came about inside, as large as it is; None where that isn't told."""
        try:
            return self.followed(value, axis)
        except (UnresolvedError, RecursionError):
            return None

    def followed(self, value: Value, axis: int) -> Expr:
        """As `origin`.

        Raises:
            UnresolvedError: that isn't told.
        """
        while value not in self.inputs:
            written = _made_so(value, axis)
            if written is not None:
                return self.lifted(written, value.node.scope)
            factor, value, axis = _before(value, axis)
            if factor != 1:
                return Binary(0, 0, _literal(factor), "*", self.followed(value, axis))
        return Axis(0, 0, self.inputs[value], axis)

    def lifted(self, expression: Expr, scope: Scope) -> Expr:
        """An expression of a scope inside, in the names of the class."""
        if _block(scope) is _block(self.scope):
            return expression
        return _renamed(expression, lambda name: self.name(name, scope))

    def name(self, name: str, scope: Scope) -> Expr:
        """What a name of a scope inside is in the names of the class."""
        binding, block = binding_of(name, Place(scope)), _block(scope)
        if binding.source == "size":
            return self.followed(*_shown(binding.value, block))
        if binding.expression is None:
            return _literal(binding.value)
        if binding.given and block.parent is not None:
            return self.lifted(binding.expression, block.parent)
        return self.lifted(binding.expression, scope)


def _made_so(value: Value, axis: int) -> Expr | None:
    """The expression that says how large an axis is, where an attribute of the op does."""
    op = value.node.op
    main = op.main or ""
    size = getattr(op, main) if main.startswith("out_") else None
    return value.node.written.get(main) if size is not None and size == value.type.shape[axis] else None


def _before(value: Value, axis: int) -> tuple[int, Value, int]:
    """The operand and its axis that an op leaves as large as it was, or makes so many times as large."""
    node, size = value.node, value.type.shape[axis]
    if isinstance(node.op, Rearrange):
        return _joined(node, axis)
    if isinstance(node.op, Concat) and axis == node.op.dim:
        return _equal_parts(node, axis)
    shape = node.operands[0].type.shape if node.operands and len(node.outputs) == 1 else ()
    for number in (axis, *range(len(shape))):
        if number < len(shape) and shape[number] == size:
            return 1, node.operands[0], number
    raise UnresolvedError(node.path)


def _equal_parts(node: Node, axis: int) -> tuple[int, Value, int]:
    """Of an axis that has the operands one behind the other: their number, and the first, where all are as large."""
    if len({operand.type.shape[axis] for operand in node.operands}) == 1:
        return len(node.operands), node.operands[0], axis
    raise UnresolvedError(node.path)


def _joined(node: Node, axis: int) -> tuple[int, Value, int]:
    """Of an axis that is joined of a whole one and of parts whose sizes are given: these multiplied, and that one."""
    op = node.op
    if isinstance(op, Rearrange):
        given = [op.sizes[name] for name in op.parsed.right[axis] if name in op.sizes]
        whole = tuple(name for name in op.parsed.right[axis] if name not in op.sizes)
        factor = product(given)
        if whole in op.parsed.left and isinstance(factor, int):
            return factor, node.operands[0], op.parsed.left.index(whole)
    raise UnresolvedError(node.path)


def _block(scope: Scope) -> Scope:
    """The block that a scope is a part of."""
    while scope.kind not in ("block", "root") and scope.parent is not None:
        scope = scope.parent
    return scope


def _shown(size: object, block: Scope) -> tuple[Value, int]:
    """The input of a block, and its axis, that has a size."""
    for value in block.inputs.values():
        for axis, found in enumerate(value.type.shape):
            if found == size:
                return value, axis
    raise UnresolvedError(block.path)


def _literal(value: object) -> Expr:
    if value is None or isinstance(value, int | float | str):
        return Literal(0, 0, value)
    raise UnresolvedError(str(value))


def _renamed(expression: Expr, name: Callable[[str], Expr]) -> Expr:
    """An expression with another one in the place of each name."""
    match expression:
        case Name():
            return name(expression.id)
        case Literal():
            return expression
        case Unary():
            return replace(expression, operand=_renamed(expression.operand, name))
        case Binary():
            left, right = (_renamed(side, name) for side in (expression.left, expression.right))
            return replace(expression, left=left, right=right)
        case Choice():
            yes, condition, no = (_renamed(e, name) for e in (expression.yes, expression.condition, expression.no))
            return replace(expression, yes=yes, condition=condition, no=no)
        case Call():
            return replace(expression, arguments=tuple(_renamed(e, name) for e in expression.arguments))
    raise UnresolvedError(type(expression).__name__)


def taken_axis(nodes: Sequence[Node], sizes: Sequence[object]) -> int | None:
    """The axis of the first operands that has these sizes: their channels, or else their features."""
    shapes = [node.operands[0].type.shape if node.operands else () for node in nodes]
    axes = (1, len(shapes[0]) - 1)
    fits = (all(0 <= a < len(s) and s[a] == size for s, size in zip(shapes, sizes, strict=True)) for a in axes)
    return next((axis for axis, fit in zip(axes, fits, strict=True) if fit), None)
