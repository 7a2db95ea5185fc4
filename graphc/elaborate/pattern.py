"""Input patterns: `[N, C, H, W]` binds the sizes that come in, or demands that they are equal to what is known."""

from __future__ import annotations

from collections.abc import Sequence

from graphc.demands import equal
from graphc.diagnostics import Note, Span
from graphc.dims import Dim, Size
from graphc.elaborate.build import Build
from graphc.elaborate.evaluate import evaluate
from graphc.elaborate.frame import Frame, spoken
from graphc.graph import Binding, Value
from graphc.reader import is_name
from graphc.spec import Formula, Pattern


def match(build: Build, frame: Frame, pattern: Pattern, value: Value, span: Span) -> None:
    """Binds the new names of a pattern and demands that the other sizes agree.

    Raises:
        Failed: the value can't be what the pattern says; reported at `span`, the place of the call.
    """
    if pattern.sizes is None:
        return
    shape, wanted = value.type.shape, pattern.sizes
    notes = (Note(f"`{value.path}` gives {value.type}", value.node.span), Note(f"`{pattern.name}` is {said(pattern)}", pattern.span))
    if len(shape) < len(wanted) or (len(shape) > len(wanted) and not pattern.rest):
        message = f"`{frame.block.name}` takes `{pattern.name}` with {len(wanted)} axes, got {len(shape)}"
        build.fail("E501", message, span, notes=notes)
    for formula, size in zip(wanted, shape[len(shape) - len(wanted) :], strict=True):
        known = bound(build, frame, formula, size)
        message = f"`{frame.block.name}`: `{formula}` of `{pattern.name}` is {known}, got {size}"
        build.demand(equal(known, size), frame.level.scope.path, span, message, notes)


def bound(build: Build, frame: Frame, formula: Formula, size: Size) -> Size:
    """The size that a formula stands for; a new name is bound to the size that comes in."""
    name = is_name(formula)
    if name is not None and name not in frame.names:
        frame.names[name] = size
        frame.level.scope.bindings[name] = Binding(size, "size")
        return size
    return size_of(build, frame, formula)


def size_of(build: Build, frame: Frame, formula: Formula) -> Size:
    """The size that a formula stands for.

    Raises:
        Failed: it stands for no size; reported.
    """
    found = evaluate(build, frame, formula)
    if isinstance(found, Dim) or (isinstance(found, int) and not isinstance(found, bool) and found >= 0):
        return found
    build.fail("E303", f"a size is a whole number, not {spoken(found)}", formula.span)


def shape_of(build: Build, frame: Frame, formulas: Sequence[Formula]) -> tuple[Size, ...]:
    """The sizes that formulas stand for."""
    return tuple(size_of(build, frame, formula) for formula in formulas)


def said(pattern: Pattern) -> str:
    """A pattern as it was written."""
    return f"[{', '.join([*(['...'] if pattern.rest else []), *map(str, pattern.sizes or ())])}]"
