"""The numbers of a class as code: for each a name or an expression that is right in every instance of the class.

A number that is the same in all instances is written as it is. One that differs is, in this order, what the spec's own
expression says in the class's names; for a size that follows from an input, what made it so large; what has its name;
else it becomes an argument of the constructor. Whatever is chosen has been compared with the true values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from graphc.expr import Expr
from graphc.graph import Binding, Scope
from graphc.tensor import Shape
from graphc_torch.names import plain
from graphc_torch.operators import ATOM, STRENGTH
from graphc_torch.term import (
    Parameter,
    Place,
    Row,
    Term,
    UnresolvedError,
    Wanted,
    all_same,
    binding_of,
    known,
    literal,
    wrapped,
)
from graphc_torch.translation import Translation

MOST_DIGITS = 8
"""A longer fraction is written as the calculation that it came from."""
MOST_NAMELESS = 2
"""So many numbers may be the block's own arguments that are not sizes of inputs and that the spec has no name for."""
LAST = 1_000
"""Where arguments stand that the spec does not declare."""


@dataclass(slots=True)
class Numbers:
    """The numbers of one class. `scopes` are its instances, `shapes` those of the inputs in each.

    `seen` are the terms in use with their values in every instance, `untold` the arguments that stand for expressions
    which Python can't say.
    """

    scopes: Sequence[Scope]
    shapes: Sequence[Sequence[Shape]]
    parameters: dict[str, Parameter] = field(default_factory=dict)
    seen: list[tuple[Term, list[object]]] = field(default_factory=list)
    untold: dict[Expr, str] = field(default_factory=dict)

    def state(self) -> tuple[dict[str, Parameter], int]:
        """What there is so far."""
        return dict(self.parameters), len(self.seen)

    def restore(self, state: tuple[dict[str, Parameter], int]) -> None:
        """Forgets what came after a state."""
        self.parameters, count = dict(state[0]), state[1]
        del self.seen[count:]

    def code(self, wanted: Wanted) -> str:
        """Code that has the wanted values.

        Raises:
            UnresolvedError: there is none.
        """
        return self.term(wanted).code

    def term(self, wanted: Wanted) -> Term:
        """As `code`, with how strongly it binds."""
        if all_same(wanted.values):
            named = self.found(wanted) if self.is_part(wanted.rows) else None
            return named or self.readable(wanted) or known(wanted.values)
        return self.found(wanted) or self.new(wanted)

    def readable(self, wanted: Wanted) -> Term | None:
        """The calculation of a number that has too many digits."""
        first = wanted.written[0] if wanted.written else None
        if first is None or len(literal(wanted.values[0])) <= MOST_DIGITS or not isinstance(wanted.values[0], float):
            return None
        term = Translation(self, wanted.rows, wanted.places, is_spelt=True).try_term(first)
        return term if term is not None and term.values == wanted.values else None

    def found(self, wanted: Wanted) -> Term | None:
        """What the spec, or the flow of values, has for a number."""
        if wanted.origins is None:
            sized = not any(wanted.written) and wanted.name not in self.scopes[0].bindings
            return self.from_spec(wanted) or self.from_name(wanted) or (self.from_sizes(wanted) if sized else None)
        origins = wanted.origins()
        return (
            self.from_flow(origins, wanted)
            or self.from_seen(wanted)
            or self.from_ramp(origins, wanted)
            or self.from_parameters(wanted)
        )

    def from_spec(self, wanted: Wanted) -> Term | None:
        """What the spec says, where that is one expression for all rows."""
        first = wanted.written[0]
        if first is None or any(expression != first for expression in wanted.written):
            return None
        return self.verified(first, wanted)

    def from_flow(self, origins: Sequence[Expr | None], wanted: Wanted) -> Term | None:
        """What made a size as large as it is; where that differs, what is right everywhere."""
        for origin in dict.fromkeys(origins):
            term = self.verified(origin, wanted) if origin is not None else None
            if term is not None:
                return term
        return None

    def verified(self, expression: Expr, wanted: Wanted) -> Term | None:
        """The code of an expression, if it has the wanted values."""
        before = self.state()
        term = Translation(self, wanted.rows, wanted.places, wanted.loop).try_term(expression)
        if term is None or term.values != wanted.values:
            self.restore(before)
            return self.from_name(replace(wanted, name=self.untold[expression])) if self.is_untold(expression) else None
        if not wanted.loop:
            self.remember(term, wanted.rows)
        return term

    def is_untold(self, expression: Expr) -> bool:
        """Whether an argument stands for an expression."""
        return self.untold.get(expression) in self.parameters

    def from_name(self, wanted: Wanted) -> Term | None:
        """What has the number's own name."""
        values = self.values_of(wanted.name)
        if values is None or tuple(values[row] for row in wanted.rows) != wanted.values:
            return None
        if wanted.name in self.parameters:
            return Term(plain(wanted.name), ATOM, wanted.values)
        return self.argument(wanted.name, wanted.rows)

    def from_sizes(self, wanted: Wanted) -> Term | None:
        """A size of an input that is the same in all rows."""
        sizes = [name for name, binding in self.scopes[0].bindings.items() if binding.source == "size"]
        for name in dict.fromkeys([*sizes, *(p.name for p in self.parameters.values() if p.axis)]):
            term = self.from_name(replace(wanted, name=name))
            if term is not None:
                return term
        return None

    def values_of(self, name: str) -> Sequence[object] | None:
        """The value of an argument, or of a name of the spec, in every instance."""
        if name in self.parameters:
            return self.parameters[name].values
        bindings = [scope.bindings.get(name) for scope in self.scopes]
        return None if None in bindings else [binding.value for binding in bindings if binding]

    def is_part(self, rows: Sequence[Row]) -> bool:
        """Whether some instances have no such number: then a name says more than the number of the others."""
        return len(set(rows)) < len(self.scopes)

    def remember(self, term: Term, rows: Sequence[Row]) -> None:
        """Keeps a term for sizes of the same values."""
        if len(set(rows)) == len(rows) == len(self.scopes):
            by_row = dict(zip(rows, term.values, strict=True))
            self.seen.append((term, [by_row[row] for row in range(len(self.scopes))]))

    def from_seen(self, wanted: Wanted) -> Term | None:
        """A size in use that is the same in all rows."""
        for term, values in reversed(self.seen):
            if tuple(values[row] for row in wanted.rows) == wanted.values:
                return Term(term.code, term.strength, wanted.values)
        return None

    def from_parameters(self, wanted: Wanted) -> Term | None:
        """An argument that is as large in all rows."""
        for name, parameter in self.parameters.items():
            if tuple(parameter.values[row] for row in wanted.rows) == wanted.values:
                return Term(plain(name), ATOM, wanted.values)
        return None

    def from_ramp(self, origins: Sequence[Expr | None], wanted: Wanted) -> Term | None:
        """The size of what goes from copy to copy, where each adds as much to it: that of the first, and so on."""
        firsts = {row: n for n, row in enumerate(wanted.rows) if wanted.places[n].copy == 0}
        values = [value if isinstance(value, int) else 0 for value in wanted.values]
        if not wanted.loop or len(firsts) < len(set(wanted.rows)):
            return None
        steps = {
            Fraction(value - values[firsts[row]], place.copy)
            for value, row, place in zip(values, wanted.rows, wanted.places, strict=True)
            if place.copy > 0
        }
        step = steps.pop() if len(steps) == 1 else Fraction(0)
        if step <= 0 or step.denominator > 1:
            return None
        numbers = list(firsts.values())
        start = Wanted(
            wanted.name,
            tuple(values[n] for n in numbers),
            list(firsts),
            (),
            [wanted.places[n] for n in numbers],
            lambda: [origins[n] for n in numbers],
        )
        code = f"{wrapped(self.term(start), STRENGTH['+'])} + {int(step)} * {plain(wanted.loop)}"
        return Term(code, STRENGTH["+"], wanted.values)

    def new(self, wanted: Wanted) -> Term:
        """A new argument; an instance that has no such number never uses it.

        Raises:
            UnresolvedError: an instance has several such numbers, or its argument of that name is another.
        """
        name, column, rows = wanted.name, wanted.values, wanted.rows
        by_row: dict[Row, object] = {}
        for row, value in zip(rows, column, strict=True):
            if by_row.setdefault(row, value) != value:
                raise UnresolvedError(name)
        if name in self.parameters:
            values = tuple(self.parameters[name].values[row] for row in rows)
            if not all(all_same(pair) for pair in zip(values, column, strict=True)):
                raise UnresolvedError(name)
            return Term(plain(name), ATOM, column)
        rank = (1, LAST + len(self.parameters)) if wanted.origins is None else (0, len(self.parameters))
        made = Parameter(name, [by_row.get(row, column[0]) for row in range(len(self.scopes))], rank=rank)
        if wanted.default:
            made.default, made.has_default, made.rank = wanted.default[0], True, (2, len(self.parameters))
        self.parameters[name] = made
        if wanted.written and wanted.written[0] is not None and len(set(wanted.written)) == 1:
            self.untold[wanted.written[0]] = name
        return Term(plain(name), ATOM, column)

    def axis(self, index: int, axis: int, rows: Sequence[Row]) -> Term:
        """The size of an axis of an input: by the spec's name of it, or else an argument.

        Raises:
            UnresolvedError: the instances have inputs of different ranks.
        """
        values = self.sizes(index, axis)
        column = tuple(values[row] for row in rows)
        if all_same(values):
            return known(column)
        for name, binding in self.scopes[0].bindings.items():
            if binding.source == "size" and self.values_of(name) == values:
                return self.argument(name, rows) if name not in self.parameters else Term(plain(name), ATOM, column)
        name = name_of_axis(len(self.shapes[0][index]), axis)
        self.new(Wanted(name, tuple(values), range(len(values)), (), (), origins=list))
        self.parameters[name].axis = index, axis
        return Term(plain(name), ATOM, column)

    def sizes(self, index: int, axis: int) -> list[object]:
        """The size of an axis of an input in every instance."""
        shapes = [shapes[index] for shapes in self.shapes]
        if len({len(shape) for shape in shapes}) > 1:
            raise UnresolvedError(f"{index}")
        return [shape[axis] for shape in shapes]

    def named(self, name: str, by: Translation) -> Term:
        """What a name of the spec stands for, as code.

        Raises:
            UnresolvedError: it has no code.
        """
        bindings = [binding_of(name, place) for place in by.places]
        column = tuple(binding.value for binding in bindings)
        whole = self.bound(name)
        if name in self.parameters and tuple(self.parameters[name].values[row] for row in by.rows) == column:
            return Term(plain(name), ATOM, column)
        if all_same(column) and (whole is None or all_same(whole)):
            return known(column)
        if whole is None:
            return self.variable(name, column, by)
        derived = self.derived(bindings, by)
        if derived is not None and derived.values == column:
            return derived
        return self.argument(name, by.rows)

    def variable(self, name: str, column: tuple[object, ...], by: Translation) -> Term:
        """The variable of a loop in the constructor.

        Raises:
            UnresolvedError: there is none of that name.
        """
        if name != by.loop or name in self.parameters:
            raise UnresolvedError(name)
        return Term(plain(name), ATOM, column)

    def bound(self, name: str) -> list[object] | None:
        """What the spec binds a name to, in every instance; None where it does only further inside."""
        try:
            return [binding_of(name, Place(scope)).value for scope in self.scopes]
        except UnresolvedError:
            return None

    def derived(self, bindings: Sequence[Binding], by: Translation) -> Term | None:
        """A name that the block computes itself: by `let`, or by a default that no caller overrides."""
        first = bindings[0]
        own = all(
            b.expression == first.expression and not b.given and b.source in ("parameter", "let") for b in bindings
        )
        if first.expression is None or not own:
            return None
        return by.try_term(first.expression)

    def argument(self, name: str, rows: Sequence[Row]) -> Term:
        """An argument that the spec names."""
        bindings = [binding_of(name, Place(scope)) for scope in self.scopes]
        values = [binding.value for binding in bindings]
        if name in self.parameters and self.parameters[name].values != values:
            raise UnresolvedError(name)
        if any(isinstance(value, list) for value in values):
            raise UnresolvedError(name)
        binding = bindings[0]
        order = list(self.scopes[0].bindings)
        rank = (0 if binding.source == "size" else 1, order.index(name) if name in order else -1)
        made = Parameter(name, values, rank=rank, declared=True)
        if binding.source == "size":
            made.axis = self.axis_of(values)
        default = self.scopes[0].bindings[name].default if name in order else None
        if default is not None:
            made.default, made.has_default = default, True
        self.parameters[name] = made
        return Term(plain(name), ATOM, tuple(values[row] for row in rows))

    def axis_of(self, values: list[object]) -> tuple[int, int] | None:
        """The axis of an input that has these sizes."""
        for index, shape in enumerate(self.shapes[0]):
            for axis in range(len(shape)):
                if all(len(shapes[index]) > axis for shapes in self.shapes) and self.sizes_at(index, axis) == values:
                    return index, axis
        return None

    def sizes_at(self, index: int, axis: int) -> list[object]:
        """As `sizes`, whatever the ranks."""
        return [shapes[index][axis] for shapes in self.shapes]

    def is_crowded(self) -> bool:
        """Whether a class takes more sizes without a name in the spec than it has inputs, or too much else."""
        nameless = [p for p in self.parameters.values() if not p.declared and not p.has_default]
        sizes = sum(parameter.rank[0] == 0 for parameter in nameless)
        return sizes > max(1, len(self.shapes[0])) or len(nameless) - sizes > MOST_NAMELESS


def name_of_axis(rank: int, axis: int) -> str:
    """What PyTorch calls the size of an axis of an input."""
    return "in_features" if axis == rank - 1 else "in_channels" if axis == 1 else f"size{axis}"
