"""Input patterns: `[N, C, H, W]` binds the sizes that come in, or demands that they are equal to what is known."""

from __future__ import annotations

from collections.abc import Sequence

from graphc.demands import equal
from graphc.diagnostics import Note
from graphc.dims import Dim, Size
from graphc.elaborate.build import Build
from graphc.elaborate.evaluate import evaluate
from graphc.elaborate.frame import Frame, Place
from graphc.elaborate.things import spoken
from graphc.graph import Binding, Value
from graphc.reader.scalars import is_name
from graphc.spec import Formula, Pattern


def match(build: Build, frame: Frame, pattern: Pattern, value: Value, place: Place) -> None:
    """Binds the new names of a pattern and demands that the other sizes agree; `place` is that of the call.

    Raises:
        Failed: the value can't be what the pattern says; reported.
    """
    shape, wanted, name = value.type.shape, pattern.sizes, f"`{pattern.name}` of `{frame.block.name}`"
    notes = (build.giver(value), Note(f"{name} is {said(pattern)}", pattern.span))
    if len(shape) < len(wanted) or (len(shape) > len(wanted) and not pattern.rest):
        build.fail("E501", f"{name} has {len(wanted)} axes, got {value.type}", place.span, notes=notes)
    if pattern.dtype not in (None, value.type.dtype):
        build.fail("E501", f"{name} is {pattern.dtype}, got {value.type.dtype}", place.span, notes=notes)
    for formula, size in zip(wanted, shape[len(shape) - len(wanted) :], strict=True):
        known = bound(build, frame, formula, size)
        detail = "" if str(formula) == str(known) else f": `{formula}` is {known}, not {size}"
        build.demand(equal(known, size), place, f"{name} is {said(pattern)}, got {value.type}{detail}", notes)


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
    if isinstance(found, Dim) or (isinstance(found, int) and not isinstance(found, bool) and found >= 1):
        return found
    build.fail("E303", f"a size is a whole number of at least 1, not {spoken(found)}", formula.span)


def shape_of(build: Build, frame: Frame, formulas: Sequence[Formula]) -> tuple[Size, ...]:
    """The sizes that formulas stand for."""
    return tuple(size_of(build, frame, formula) for formula in formulas)


def said(pattern: Pattern) -> str:
    """A pattern as it was written."""
    return f"[{', '.join([*(['...'] if pattern.rest else []), *map(str, pattern.sizes)])}]"
