"""The attributes of functions as code of a forward method: numbers, free sizes, and what the constructor was given."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from graphc.dims import Dim
from graphc.graph import Node
from graphc_torch.construct import Class, Column, argument_term, is_default
from graphc_torch.layer import Argument, Call, layer_of
from graphc_torch.layout import Bracket, Code, Loose, flat
from graphc_torch.operators import ATOM
from graphc_torch.sizes import Sizes, free_sizes
from graphc_torch.term import Place, Term, UnresolvedError, Wanted, literal

_NAME = re.compile(r"(?<![\w.\"'])[^\W\d]\w*")
"""A name in an expression of the constructor."""


@dataclass(slots=True)
class Attributes:
    """Writes the attributes of nodes, which are one item in all instances of a class.

    `stored` are the constructor's arguments that the method reads, each with its name as an attribute of the module.
    """

    of: Class
    sizes: Sizes
    stored: dict[str, str] = field(default_factory=dict)

    def given(self, nodes: Sequence[Node]) -> list[tuple[Argument, Code]]:
        """The arguments that are not the default everywhere, with their values."""
        return [(same[0], self.value(nodes, same)) for same in columns(nodes) if not is_default(same)]

    def value(self, nodes: Sequence[Node], arguments: Sequence[Argument]) -> Code:
        """The value of one argument.

        Raises:
            UnresolvedError: no code gives it in all instances.
        """
        values = tuple(argument.value for argument in arguments)
        if arguments[0].parts and len(set(values)) > 1:
            return self.several(nodes, arguments[0].parts, values)
        if self.is_shown(values):
            return self.size(values)
        term = self.stored_term(argument_term(self.of, arguments, nodes, in_all(nodes)))
        if isinstance(values[0], tuple) and term.code == literal(values[0]):
            return listed(values[0])
        return term.code if term.strength == ATOM else Loose(term.code, term.strength)

    def term(self, wanted: Wanted) -> Term:
        """A number that is no attribute."""
        return self.stored_term(self.of.numbers.term(wanted))

    def stored_term(self, term: Term) -> Term:
        """A term in the constructor's names in those of the method."""
        return replace(term, code=_NAME.sub(lambda found: self.name(found[0]), term.code))

    def is_shown(self, values: tuple[object, ...]) -> bool:
        """Whether values are read of the inputs: free sizes, and what differs between the uses of one module."""
        bodies = self.of.template.bodies
        return is_free(values) or (len(values) == len(bodies) and not self.of.template.agree(values))

    def several(self, nodes: Sequence[Node], names: Sequence[str], values: Sequence[object]) -> Code:
        """Tuples whose numbers come from attributes of these names."""
        rows = [value for value in values if isinstance(value, tuple)]
        parts = [self.part(nodes, name, same) for name, same in zip(names, zip(*rows, strict=True), strict=True)]
        return f"({', '.join(map(flat, parts))}{',' * (len(parts) == 1)})"

    def part(self, nodes: Sequence[Node], name: str, values: tuple[object, ...]) -> Code:
        """A number that the inputs show, or that the spec has an expression for, or that follows from the inputs."""
        written = [node.written.get(name) for node in nodes]
        sizes = tuple(value for value in values if isinstance(value, (int, Dim)))
        shown = self.sizes.read(sizes) if len(set(sizes)) > 1 else None
        if shown or None in written or is_free(values) or len(set(sizes)) == 1:
            return shown or self.size(values)
        column = in_all(nodes)
        term = self.term(Wanted(name, values, column.rows, written, column.places))
        return term.code if term.strength == ATOM else Loose(term.code, term.strength)

    def size(self, values: tuple[object, ...]) -> Code:
        """Sizes, some of them free, or tuples of such, in every instance."""
        lists = [value for value in values if isinstance(value, tuple)]
        if len(lists) == len(values) and len({len(value) for value in lists}) == 1:
            parts = [flat(self.size(same)) for same in zip(*lists, strict=True)]
            return f"({', '.join(parts)}{',' * (len(parts) == 1)})"
        sizes = tuple(value for value in values if isinstance(value, (int, Dim)))
        if len(sizes) < len(values):
            raise UnresolvedError(str(values[0]))
        return self.sizes.code(sizes)

    def read(self, nodes: Sequence[Node]) -> set[int]:
        """The inputs of which free sizes are read, by number."""
        self.sizes.used.clear()
        for arguments in columns(nodes):
            if self.is_shown(tuple(argument.value for argument in arguments)):
                self.value(nodes, arguments)
        return set(self.sizes.used)

    def flag(self, name: str, code: str) -> str:
        """A condition in the constructor's names as the method reads it: an attribute, as such an argument is."""
        if code.isidentifier():
            return self.name(code)
        self.stored.setdefault(code, self.free(name))
        return f"self.{self.stored[code]}"

    def free(self, name: str) -> str:
        """The name for an attribute, where a submodule or another attribute may have it."""
        template = self.of.template
        taken = {template.sample(number).name for number in range(len(template.operands))} | {*self.stored.values()}
        while name in taken:
            name += "_"
        return name

    def name(self, name: str) -> str:
        """What a name in the constructor is in the method: an argument there is an attribute here."""
        if all(parameter.code != name for parameter in self.of.numbers.parameters.values()):
            return name
        if name not in self.stored:
            self.stored[name] = self.free(name)
        return f"self.{self.stored[name]}"


def listed(value: object) -> Code:
    """A value that can be broken into lines where it is a tuple, of tuples perhaps."""
    if isinstance(value, tuple) and len(value) > 1:
        return Bracket("", tuple(map(listed, value)))
    return literal(value)


def in_all(nodes: Sequence[Node]) -> Column:
    """Nodes that are one in each instance of a class, as a column."""
    return Column([], range(len(nodes)), [Place(node.scope) for node in nodes])


def call_of(node: Node) -> Call:
    """How the function of a node is called, where it has one."""
    call = layer_of(node).function
    if call is None:
        raise TypeError(node.path)
    return call


def columns(nodes: Sequence[Node]) -> list[tuple[Argument, ...]]:
    """The arguments of a function, each in all instances."""
    return list(zip(*(call_of(node).arguments for node in nodes), strict=True))


def is_free(values: object) -> bool:
    """Whether there is a free size in them."""
    return next(free_sizes(values), None) is not None
