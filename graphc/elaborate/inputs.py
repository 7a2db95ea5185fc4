"""What comes from outside: the inputs of the whole network, of its training and of its sampling."""

from __future__ import annotations

from collections.abc import Mapping

from graphc.demands import at_least
from graphc.diagnostics import did_you_mean
from graphc.dims import Size
from graphc.elaborate.build import Build
from graphc.elaborate.frame import Frame, Place
from graphc.elaborate.pattern import size_of
from graphc.elaborate.things import UNKNOWN, Failed
from graphc.graph import Input, Node, Value
from graphc.reader.scalars import is_name
from graphc.spec import Formula, Pattern
from graphc.tensor import Shape, Tensor


def read_inputs(build: Build, frame: Frame, patterns: Mapping[str, Pattern]) -> dict[str, Value]:
    """A value for each input; those whose shape is wrong are left out, and so are those that may be absent."""
    found = {}
    for name, pattern in patterns.items():
        if pattern.kind == "optional":
            frame.names[name] = None
            continue
        try:
            shape = _shape(build, frame, pattern)
        except Failed:
            frame.names[name] = UNKNOWN
            continue
        found[name] = _value(frame, pattern, Tensor(shape, pattern.dtype or "float32"))
    return found


def _value(frame: Frame, pattern: Pattern, tensor: Tensor) -> Value:
    """A value that the caller gives."""
    scope = frame.level.scope
    node = Node(frame.level.path(frame.level.fresh(pattern.name)), Input(), (), tensor, scope, pattern.span)
    frame.names[pattern.name] = scope.inputs[pattern.name] = node.output
    return node.output


def _shape(build: Build, frame: Frame, pattern: Pattern) -> Shape:
    """The shape of an input."""
    place = Place(frame.level, pattern.name, pattern.span)
    shape = tuple(_size(build, frame, formula) for formula in pattern.sizes)
    for size in shape:
        build.demand(at_least(size, 1), place, f"the input `{pattern.name}` needs the size {size} ≥ 1", ())
    return shape


def _size(build: Build, frame: Frame, formula: Formula) -> Size:
    """A size of an input: a number, a parameter, a free size, or calculated from such."""
    name, visible = is_name(formula), set(frame.visible())
    if name is not None and name not in visible:
        hint = did_you_mean(name, sorted(visible), f"a free size has an example: dims: {{{name}: 224}}")
        build.fail("E302", f"`{name}` is not a size or a parameter", formula.span, hint)
    return size_of(build, frame, formula)
