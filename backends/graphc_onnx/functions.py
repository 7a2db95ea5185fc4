"""The functions of a model: blocks under names of their own, so that equal blocks are one function."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from onnx import FunctionProto, NodeProto, TensorProto, helper

from graphc.graph import Scope, Value
from graphc_onnx.origin import NODE, PATH, trace_block
from graphc_onnx.sizes import PREFIX

DOMAIN = "graphc"
"""Of the functions; those in it call each other."""


@dataclass(frozen=True, slots=True)
class Functions:
    """The functions made so far, an inner one before those that call it.

    `names` has the ONNX names of the graph's values, `paths` the paths of these by their names.
    """

    names: Mapping[Value, str]
    paths: Mapping[str, str]
    opset: int
    made: list[FunctionProto] = field(default_factory=list)
    known: dict[bytes, str] = field(default_factory=dict)

    def call(
        self, block: Scope, nodes: Sequence[NodeProto], constants: Sequence[TensorProto], given: Sequence[str]
    ) -> NodeProto:
        """The call of the function that has a block's nodes and constants, of which some names are read outside."""
        own = [*(tensor.name for tensor in constants), *(name for node in nodes for name in node.output)]
        inside = _Names(block, {self.names[value]: name for name, value in reversed(block.inputs.items())})
        taken = inside.take({name for node in nodes for name in node.input if name}.difference(own), nodes)
        inside.give(own, self.paths)
        function = FunctionProto(domain=DOMAIN, doc_string=block.doc)
        function.input.extend(map(inside, taken))
        function.output.extend(map(inside, given))
        function.node.extend(_constant(tensor, inside) for tensor in constants)
        function.node.extend(_renamed(node, inside) for node in nodes)
        call = NodeProto(op_type=self._shared(function, block), domain=DOMAIN, name=block.path)
        call.input.extend(taken)
        call.output.extend(given)
        trace_block(block, call)
        return call

    def _shared(self, function: FunctionProto, block: Scope) -> str:
        """The name of a function, which is that of an equal one where there is one."""
        text = function.SerializeToString(deterministic=True)
        if text not in self.known:
            function.name = self.known[text] = self._new_name(block)
            function.opset_import.append(helper.make_opsetid("", self.opset))
            if any(node.domain for node in function.node):
                function.opset_import.append(helper.make_opsetid(DOMAIN, 1))
            self.made.append(function)
        return self.known[text]

    def _new_name(self, block: Scope) -> str:
        """BasicBlock for `basic_block`, with a number where another has that name."""
        _, _, name = block.definition.rpartition("#")
        base = "".join(part[:1].upper() + part[1:] for part in name.split("_"))
        taken = set(self.known.values())
        if base not in taken:
            return base
        return next(f"{base}_{number}" for number in range(2, len(taken) + 3) if f"{base}_{number}" not in taken)


@dataclass(slots=True)
class _Names:
    """What is called how inside a block: what has a path below the block's, by the rest of that."""

    block: Scope
    inputs: Mapping[str, str]
    names: dict[str, str] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def __call__(self, name: str) -> str:
        return self.names[name] if name else name

    def take(self, outside: Iterable[str], nodes: Sequence[NodeProto]) -> list[str]:
        """Names what comes from outside; gives it in the order of a function's inputs, the block's own first."""
        wanted = set(outside)
        read = dict.fromkeys(name for node in nodes for name in node.input if name in wanted)
        taken = [name for name in self.inputs if name in read] + [name for name in read if name not in self.inputs]
        for name in taken:
            self._name(name, self.inputs.get(name) or self._of_outside(name))
        return taken

    def give(self, own: Iterable[str], paths: Mapping[str, str]) -> None:
        """Names what is made inside; `paths` has that of a value whose name is another."""
        for name in own:
            self._name(name, self.below(paths.get(name, name)))

    def below(self, path: str) -> str:
        """A path as it is seen from the block."""
        for home in (self.block.path, self.block.home):
            if home and path.startswith(f"{home}."):
                return path.removeprefix(f"{home}.")
        return path

    def _of_outside(self, name: str) -> str:
        below = self.below(name)
        if below != name:
            return below
        return "size" if name.startswith(PREFIX) else "outer"

    def _name(self, name: str, wanted: str) -> None:
        """Gives a name, with a number behind it where it is taken."""
        chosen, number = wanted, 1
        while chosen in self.used:
            number += 1
            chosen = f"{wanted}_{number}"
        self.used.add(chosen)
        self.names[name] = chosen


def _constant(tensor: TensorProto, inside: _Names) -> NodeProto:
    """A function has no initializers: its constants are nodes."""
    value = TensorProto()
    value.CopyFrom(tensor)
    value.name = ""
    name = inside(tensor.name)
    made: NodeProto = helper.make_node("Constant", [], [name], name=name, value=value)
    return made


def _renamed(node: NodeProto, inside: _Names) -> NodeProto:
    """A node, as it is inside a function."""
    made = NodeProto()
    made.CopyFrom(node)
    made.name = inside.below(node.name)
    for names in (made.input, made.output):
        names[:] = [inside(name) for name in names]
    said = [entry for entry in node.metadata_props if entry.key != NODE]  # it says widths, in which equal blocks differ
    del made.metadata_props[:]
    for entry in said:
        made.metadata_props.add(key=entry.key, value=inside.below(entry.value) if entry.key == PATH else entry.value)
    return made
