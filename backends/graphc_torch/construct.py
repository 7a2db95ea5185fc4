"""The right-hand sides of a constructor: how each module of a class is made, in all of its instances at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from graphc.expr import Expr
from graphc.graph import Node, Scope, Skipped
from graphc_torch.body import Item
from graphc_torch.layer import Argument, layer_of
from graphc_torch.layout import Bracket, Choice, Code, Generator, Keyword, flat
from graphc_torch.sizes import free_sizes
from graphc_torch.template import Template, Templates, is_sequential
from graphc_torch.term import Numbers, Parameter, Row, Term, Translation, UnresolvedError, Wanted, all_same

MOST_LISTED = 12
"""A longer run of copies is written as a loop."""


@dataclass(slots=True)
class Class:
    """A class being written: its template, its name, its numbers."""

    template: Template
    name: str
    numbers: Numbers = field(init=False)

    def __post_init__(self) -> None:
        self.numbers = Numbers([body.scope for body in self.template.bodies])

    def parameters(self) -> list[Parameter]:
        """The constructor's arguments: sizes first, then as the spec declares them, those with a default last."""
        return sorted(self.numbers.parameters.values(), key=lambda p: (p.has_default, p.rank))


@dataclass(frozen=True, slots=True)
class Column:
    """One item in some instances of a class: `hosts` are the scopes that it stands in."""

    items: Sequence[Item]
    rows: Sequence[Row]
    hosts: Sequence[Scope]

    def present(self) -> Column:
        """Without the instances that skip it."""
        kept = [
            triple
            for triple in zip(self.items, self.rows, self.hosts, strict=True)
            if not isinstance(triple[0].thing, Skipped)
        ]
        return Column(*(list(part) for part in zip(*kept, strict=True))) if kept else Column([], [], [])


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
        return Choice(made, self.condition(of, column), "nn.Identity()")

    def condition(self, of: Class, column: Column) -> str:
        """When the module is there."""
        flags = tuple(not isinstance(item.thing, Skipped) for item in column.items)
        written = [item.thing.condition for item in column.items]
        if written[0] is not None and all(expression == written[0] for expression in written):
            term = Translation(of.numbers, column.rows, column.hosts).try_term(written[0])
            if term is not None and tuple(map(bool, term.values)) == flags:
                return term.code
        return of.numbers.new(f"has_{column.items[0].name}", flags, column.rows).code

    def made(self, of: Class, column: Column) -> Code:
        thing = column.items[0].thing
        if column.items[0].role == "use" or self.templates.inside(column.items[0]):
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
            part = Column([body.items[number] for body in bodies], column.rows, scopes)
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
            values = [parameter.values[row] for row in at]
            if parameter.has_default and all(value == parameter.default for value in values):
                continue
            written = [given_expression(scope, parameter.name) for scope in scopes]
            wanted = Wanted(parameter.name, tuple(values), column.rows, written, column.hosts)
            code = of.numbers.code(wanted)
            positional = positional and not parameter.has_default and is_leading(parameter, template)
            arguments.append(code if positional else Keyword(parameter.code, code))
        return Bracket(made.name, tuple(arguments))

    # --- copies

    def group(self, of: Class, column: Column) -> Code:
        """A list of copies, each written where they are few, else the first and a loop over the rest."""
        copies = self.listed(of, column)
        if copies is None:
            copies = self.looped(of, column)
        if all(is_sequential(item) for item in column.items):
            return Bracket("nn.Sequential", tuple(copies))
        if len(copies) == 1 and isinstance(copies[0], Generator):
            return Bracket("nn.ModuleList", (replace(copies[0], star=False),))
        return Bracket("nn.ModuleList", (Bracket("", tuple(copies), "[]"),))

    def listed(self, of: Class, column: Column) -> list[Code] | None:
        """Every copy written, equal ones in a row together; None where instances differ in number or have many."""
        counts = {len(item.copies) for item in column.items}
        alone = len({scope_of(item).home for item in column.items}) == 1
        if len(counts) > 1 or (not alone and max(counts) > 2):
            return None
        codes = [self.code(of, self.copies(column, number)) for number in range(counts.pop())]
        runs = _runs(codes)
        return runs if len(runs) <= MOST_LISTED or alone else None

    def copies(self, column: Column, number: int) -> Column:
        groups = [scope_of(item) for item in column.items]
        return Column([item.copies[number] for item in column.items], column.rows, groups)

    def looped(self, of: Class, column: Column) -> list[Code]:
        """The first copy, then the rest in a loop."""
        counts = [len(item.copies) for item in column.items]
        if min(counts) == 0:
            raise UnresolvedError(column.items[0].name)
        first = self.code(of, self.copies(column, 0))
        rest = self.code(of, self.rest(column))
        written = [scope_of(item).bindings[""].expression for item in column.items]
        name = f"{column.items[0].name}_count"
        count = of.numbers.code(Wanted(name, tuple(counts), column.rows, written, column.hosts))
        if flat(first) == flat(rest):
            return [Generator(first, f"range({count})")]
        return [first, Generator(rest, f"range({_less_one(count)})")]

    def rest(self, column: Column) -> Column:
        """All copies but the first, of all instances."""
        triples = [
            (copy, row, scope_of(item))
            for item, row in zip(column.items, column.rows, strict=True)
            for copy in item.copies[1:]
        ]
        if not triples:
            raise UnresolvedError(column.items[0].name)
        return Column(*(list(part) for part in zip(*triples, strict=True)))


def argument_code(of: Class, arguments: Sequence[Argument], nodes: Sequence[Node], column: Column) -> Code | None:
    """One argument of a layer; None where it is the default everywhere."""
    if is_default(arguments):
        return None
    code = argument_term(of, arguments, nodes, column.rows).code
    return code if arguments[0].positional else Keyword(arguments[0].name, code)


def is_default(arguments: Sequence[Argument]) -> bool:
    """Whether an argument is the default in all instances."""
    values, default = tuple(argument.value for argument in arguments), arguments[0].default
    return all_same(values) and values[0] == default and type(values[0]) is type(default)


def argument_term(of: Class, arguments: Sequence[Argument], nodes: Sequence[Node], rows: Sequence[Row]) -> Term:
    """The value of one argument of a layer, in the names of the constructor."""
    first = arguments[0]
    values = tuple(argument.value for argument in arguments)
    if any(list(free_sizes(value)) for value in values):
        raise UnresolvedError(first.name)
    written = [node.written.get(first.attribute) for node in nodes]
    return of.numbers.term(Wanted(first.name, values, rows, written, [node.scope for node in nodes]))


def scope_of(item: Item) -> Scope:
    """The scope of an item that is one."""
    if not isinstance(item.thing, Scope):
        raise TypeError(f"{item.name} is no scope")
    return item.thing


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


def _runs(codes: Sequence[Code]) -> list[Code]:
    """Three equal copies or more as a loop."""
    found: list[Code] = []
    start = 0
    while start < len(codes):
        end = start
        while end < len(codes) and flat(codes[end]) == flat(codes[start]):
            end += 1
        length = end - start
        found += [Generator(codes[start], f"range({length})")] if length > 2 else codes[start:end]
        start = end
    return found


def _less_one(count: str) -> str:
    return str(int(count) - 1) if count.isdigit() else f"{count} - 1"
