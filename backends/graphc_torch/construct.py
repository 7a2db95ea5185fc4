"""The right-hand sides of a constructor: how each module of a class is made, in all of its instances at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from graphc.expr import Expr
from graphc.graph import Node, Scope, Skipped, Value
from graphc_torch.body import Item, scope_of
from graphc_torch.feeds import is_sequential
from graphc_torch.flow import Flow, taken_axis
from graphc_torch.layer import REQUIRED, Argument, layer_of
from graphc_torch.layout import Bracket, Choice, Code, Generator, Keyword
from graphc_torch.numbers import Numbers
from graphc_torch.repeated import Repeated
from graphc_torch.sizes import free_sizes
from graphc_torch.template import Template, Templates
from graphc_torch.term import Parameter, Place, Row, Term, UnresolvedError, Wanted, all_same
from graphc_torch.translation import Translation


@dataclass(slots=True)
class Class:
    """A class being written: its template, its name, its numbers."""

    template: Template
    name: str
    numbers: Numbers = field(init=False)
    flows: list[Flow] = field(init=False)

    def __post_init__(self) -> None:
        bodies = self.template.bodies
        shapes = [[value.type.shape for value in body.inputs] for body in bodies]
        self.numbers = Numbers([body.scope for body in bodies], shapes)
        self.flows = [Flow(body.scope, {value: i for i, value in enumerate(body.inputs)}) for body in bodies]

    def origins(self, values: Sequence[Value], axis: int, rows: Sequence[Row]) -> list[Expr | None]:
        """What made an axis of a value as large as it is, in some instances."""
        return [self.flows[row].origin(value, axis) for value, row in zip(values, rows, strict=True)]

    def parameters(self) -> list[Parameter]:
        """The constructor's arguments: sizes first, then as the spec declares them, those with a default last."""
        return sorted(self.numbers.parameters.values(), key=lambda p: (p.has_default, p.rank))


@dataclass(frozen=True, slots=True)
class Column:
    """One item in some instances of a class: `places` says where each stands; `loop` is a variable that has a name."""

    items: Sequence[Item]
    rows: Sequence[Row]
    places: Sequence[Place]
    loop: str = ""

    def present(self) -> Column:
        """Without the instances that skip it."""
        kept = [
            triple
            for triple in zip(self.items, self.rows, self.places, strict=True)
            if not isinstance(triple[0].thing, Skipped)
        ]
        items, rows, places = zip(*kept, strict=True) if kept else ((), (), ())
        return Column(items, rows, places, self.loop)


@dataclass(slots=True)
class Constructor:
    """Writes constructors; `classes` has what is already written."""

    templates: Templates
    classes: dict[Template, Class]

    def code(self, of: Class, column: Column) -> Code:
        """How a module is made; `nn.Identity()` in the instances that skip it.

        Raises:
            UnresolvedError: no code is right in all of the instances.
        """
        present = column.present()
        made = self.made(of, present)
        if len(present.items) == len(column.items):
            return made
        return Choice(made, condition(of, column), "nn.Identity()")

    def made(self, of: Class, column: Column) -> Code:
        thing = column.items[0].thing
        absent = {item.role == "use" or self.templates.inside(item) is not None for item in column.items}
        if len(absent) > 1:
            raise UnresolvedError(column.items[0].name)
        if True in absent:
            return "nn.Identity()"
        if isinstance(thing, Node):
            return self.layer(of, column)
        if isinstance(thing, Scope) and thing.kind == "copies":
            return self.group(of, column)
        template, *others = {self.templates.of[scope_of(item)]: None for item in column.items}
        if others:
            raise UnresolvedError(column.items[0].name)
        if template.inline:
            return self.sequence(of, column, template)
        return self.instance(of, column, template) if template.is_written else "nn.Identity()"

    def layer(self, of: Class, column: Column) -> Code:
        nodes = [item.thing for item in column.items if isinstance(item.thing, Node)]
        calls = [layer_of(node).module for node in nodes]
        if calls[0] is None:
            return "nn.Identity()"
        columns = zip(*(call.arguments for call in calls if call), strict=True)
        written = [argument_code(of, arguments, nodes, column) for arguments in columns]
        return Bracket(calls[0].name, tuple(code for code in written if code is not None))

    def sequence(self, of: Class, column: Column, template: Template) -> Code:
        """A branch that is a chain: an `nn.Sequential` with the names of its steps."""
        scopes = [scope_of(item) for item in column.items]
        bodies = [self.templates.bodies[scope] for scope in scopes]
        parts = []
        for number, sample in enumerate(bodies[0].items):
            part = Column([body.items[number] for body in bodies], column.rows, list(map(Place, scopes)), column.loop)
            if part.present().items:
                parts.append(Keyword(sample.name, self.code(of, part)))
        return Bracket("nn.Sequential", (Bracket("OrderedDict", tuple(parts)),))

    def instance(self, of: Class, column: Column, template: Template) -> Code:
        """A call of the class of a scope."""
        made = self.classes[template]
        scopes = [scope_of(item) for item in column.items]
        at = [template_row(template, scope) for scope in scopes]
        arguments: list[Code] = []
        positional = True
        for parameter in made.parameters():
            values = tuple(parameter.values[row] for row in at)
            if parameter.has_default and all(value == parameter.default for value in values):
                continue
            code = of.numbers.code(self.given(of, column, parameter, values))
            positional = positional and not parameter.has_default and is_leading(parameter, template)
            arguments.append(code if positional else Keyword(parameter.code, code))
        return Bracket(made.name, tuple(arguments))

    def given(self, of: Class, column: Column, parameter: Parameter, values: tuple[object, ...]) -> Wanted:
        """What a class is given for an argument: what the spec says there, or where the size of its input is from."""
        scopes = [scope_of(item) for item in column.items]
        written = [given_expression(scope, parameter.name) for scope in scopes]
        wanted = Wanted(parameter.name, values, column.rows, written, column.places, loop=column.loop)
        if parameter.axis is None:
            return wanted
        index, axis = parameter.axis
        inputs = [self.templates.bodies[scope].inputs[index] for scope in scopes]
        return replace(wanted, origins=lambda: of.origins(inputs, axis, column.rows))

    # --- copies

    def group(self, of: Class, column: Column) -> Code:
        """A list of copies."""
        copies = Repeated(self, of, column).codes() if any(item.copies for item in column.items) else []
        if all(is_sequential(item) for item in column.items):
            return Bracket("nn.Sequential", tuple(copies))
        if len(copies) == 1 and isinstance(copies[0], Generator):
            return Bracket("nn.ModuleList", (replace(copies[0], star=False),))
        return Bracket("nn.ModuleList", (Bracket("", tuple(copies), "[]"),))


def condition(of: Class, column: Column) -> str:
    """When an item is there."""
    flags = tuple(not isinstance(item.thing, Skipped) for item in column.items)
    written = [item.thing.condition for item in column.items]
    if written[0] is not None and all(expression == written[0] for expression in written):
        term = Translation(of.numbers, column.rows, column.places, column.loop).try_term(written[0])
        if term is not None and tuple(map(bool, term.values)) == flags:
            return term.code
    return of.numbers.new(Wanted(f"has_{column.items[0].name}", flags, column.rows, (), ())).code


def argument_code(of: Class, arguments: Sequence[Argument], nodes: Sequence[Node], column: Column) -> Code | None:
    """One argument of a layer; None where it is the default everywhere."""
    if is_default(arguments):
        return None
    code = argument_term(of, arguments, nodes, column).code
    return code if arguments[0].positional else Keyword(arguments[0].name, code)


def is_default(arguments: Sequence[Argument]) -> bool:
    """Whether an argument is the default in all instances."""
    values, default = tuple(argument.value for argument in arguments), arguments[0].default
    return all_same(values) and values[0] == default and type(values[0]) is type(default)


def argument_term(of: Class, arguments: Sequence[Argument], nodes: Sequence[Node], column: Column) -> Term:
    """The value of one argument of a layer, in the names of the constructor."""
    first = arguments[0]
    values = tuple(argument.value for argument in arguments)
    if any(list(free_sizes(value)) for value in values):
        raise UnresolvedError(first.name)
    written = [node.written.get(first.attribute) for node in nodes]
    default = () if first.default is REQUIRED or first.positional else (first.default,)
    places = [
        place if place.scope is node.scope else Place(node.scope)
        for place, node in zip(column.places, nodes, strict=True)
    ]
    wanted = Wanted(first.name, values, column.rows, written, places, loop=column.loop, default=default)
    axis = None if first.attribute else taken_axis(nodes, values)
    if axis is None:
        return of.numbers.term(wanted)
    operands = [node.operands[0] for node in nodes]
    return of.numbers.term(replace(wanted, origins=lambda: of.origins(operands, axis, column.rows)))


def template_row(template: Template, scope: Scope) -> Row:
    """Which instance of its class a scope is."""
    return next(row for row, body in enumerate(template.bodies) if body.scope is scope)


def given_expression(scope: Scope, name: str) -> Expr | None:
    """What the caller wrote for a parameter."""
    binding = scope.bindings.get(name)
    return binding.expression if binding and binding.given else None


def is_leading(parameter: Parameter, template: Template) -> bool:
    """Whether an argument goes without its name: the sizes, and a block's main parameter."""
    return parameter.rank[0] == 0 or (template.scope.kind == "block" and parameter.rank == (1, 0))
