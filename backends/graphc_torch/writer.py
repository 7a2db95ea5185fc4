"""Graph → one Python file that needs nothing but torch: a class a block, the whole network last."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from textwrap import dedent

import graphc_torch.lowerings
from graphc import __version__
from graphc.axes import unshown
from graphc.diagnostics import Diagnostic, SpecError
from graphc.graph import Graph, Paper
from graphc.pretty import rules_of
from graphc_torch.construct import Class, Column, Constructor
from graphc_torch.forward import result_type, written
from graphc_torch.initialise import FUNCTION, Initialisation
from graphc_torch.layer import layer_of
from graphc_torch.layout import WIDTH, Bracket, lines, signature, statement
from graphc_torch.names import HELPERS, RESERVED, TORCHVISION_HELPERS, with_needed
from graphc_torch.program import Program
from graphc_torch.program import program as program_of
from graphc_torch.shared import modules, unlike
from graphc_torch.template import Template, Templates, templates
from graphc_torch.term import Parameter, Place, UnresolvedError, literal
from graphc_torch.trained import freezing, trained_by
from graphc_torch.uses import needs_module

__all__ = ["class_name", "source", "training_name"]
LOWERINGS = graphc_torch.lowerings
"""Imported for what it registers."""
SHORT = 3
"""Axes that a module can have sizes for: a tuple of no more is one of just so many numbers."""


def source(graph: Graph, *, torchvision_ops: bool = False) -> str:
    """The file of a graph; it may call torchvision's compiled ops, or needs torch alone.

    Raises:
        graphc.diagnostics.SpecError: the graph has an op that this backend can't express; located.
    """
    program = program_of(graph)
    found = templates(program)
    _require_one_class(program.whole, found)
    classes = list(_classes(program, found))
    if unlike := found.unlike():
        classes = list(_classes(program, templates(program, unlike)))
    init = "\n".join(Initialisation(program).function())
    helpers = _helpers(program.whole, TORCHVISION_HELPERS if torchvision_ops else HELPERS)
    code = "\n\n\n".join(filter(None, [*helpers, init, *classes]))
    imports = _imports(code)
    return f"{_header(graph, imports)}\n\n{imports}\n\n\n{code}\n"


def _require_one_class(graph: Graph, found: Templates) -> None:
    """A shared block is one class, wherever it is used."""
    for home, scopes in modules(graph.root).items():
        other = next((scope for scope in scopes if found.of.get(scope) is not found.of.get(scopes[0])), None)
        if other:
            raise unlike(home, scopes[0], other)


def class_name(graph: Graph) -> str:
    """The name of the network's class: U-Net is `UNet`, resnet50 of ResNet is `ResNet50`."""
    title = re.sub(r"\W", "", graph.title) if " " not in graph.title else ""
    beginning = re.match("_?".join(title), graph.name, re.IGNORECASE)
    rest = graph.name[beginning.end() :] if beginning else ""
    name = title + camel(rest) if title and beginning else camel(graph.name)
    return f"{name}Net" if name in _taken(graph) else name


def _taken(graph: Graph) -> set[str]:
    """The names that no class may have: arguments and sizes are called as in the spec."""
    of_the_spec = {name for scope in graph.root.scopes() for name in (*scope.bindings, *scope.inputs)}
    return of_the_spec | _helpers_called(graph, HELPERS) | RESERVED | {FUNCTION}


def training_name(graph: Graph) -> str:
    """The name of the class that holds the network and gives its losses."""
    return f"{class_name(graph)}Training"


def camel(name: str) -> str:
    """conv_bn_relu → ConvBnRelu."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def _classes(program: Program, found: Templates) -> Iterator[str]:
    """The code of each class, each after those it uses."""
    written = _Writer(program, found)
    number = 0
    while number < len(found.all):
        template = found.all[number]
        if not template.is_written:
            number += 1
            continue
        try:
            code = written.write(template)
        except CrowdedError:
            continue
        except UnresolvedError as error:
            if found.split(template):
                continue
            scope = template.scope
            message = f"the torch backend can't write `{scope.path or program.graph.name}`"
            hint = unshown(program.graph.sizes, program.graph.inputs.values())
            raise SpecError([Diagnostic("E901", message, scope.span, hint=hint)]) from error
        if code:
            yield code
        number += 1


class CrowdedError(Exception):
    """A class would take more numbers than the spec has names for; it is several now."""


class _Writer:
    """Writes classes one after the other."""

    def __init__(self, program: Program, found: Templates) -> None:
        self.program, graph = program, program.graph
        self.rules = rules_of(graph)
        self.initialisation = Initialisation(program)
        self.classes: dict[Template, Class] = {}
        self.written: dict[tuple[str, ...], Class] = {}
        self.names = {*_taken(program.whole), class_name(graph), training_name(graph)}
        self.templates = found
        self.constructor = Constructor(found, self.classes)

    def write(self, template: Template) -> str:
        """The code of a class; none where a part of the same split is already written so."""
        self.classes[template] = of = Class(template, self.name(template))
        modules = list(self.modules(of))
        forward = written(of, self.rules, self.templates)
        if of.numbers.is_crowded() and self.templates.split(template):
            raise CrowdedError
        brief = not of.parameters() and len(modules) == len(template.operands)
        if brief and self.templates.put_inline(template):
            return ""
        if not (modules or of.parameters()) and self.templates.may_be_inside(template):
            self.templates.written_inside.add(template)
            return ""
        if not all(template.agree(parameter.values) for parameter in of.parameters()):
            raise UnresolvedError(of.name)
        stored = [f"        self.{attribute} = {name}" for name, attribute in forward.code.attributes.stored.items()]
        init = signature("__init__", ["self", *map(declared, of.parameters())], "None", 1)
        made = [*init, "        super().__init__()", *stored, *modules, *self.first_state(template), ""]
        methods = [*self.methods(template, forward.out), *forward.out]
        body = [*made, *methods] if stored or modules else methods
        self.classes[template] = self.written.setdefault((template.scope.definition, *body), of)
        if self.classes[template] is not of:
            return ""
        self.names.add(of.name)
        return "\n".join([f"class {of.name}(nn.Module):", *self.doc(template), *body])

    def first_state(self, template: Template) -> Iterator[str]:
        """The end of a constructor: the first values of the weights, and which of them are not trained."""
        yield from self.initialisation.of_scope(template.scope)
        if template.names:
            yield from freezing(self.program)

    def methods(self, template: Template, forward: Sequence[str]) -> Iterator[str]:
        """The methods before the one that calculates."""
        if template.names:
            yield from trained_by(self.program)
        yield from self.outputs_alone(template, forward)

    def outputs_alone(self, template: Template, all_outputs: Sequence[str]) -> Iterator[str]:
        """The method `forward` of a network of which training reads more than its outputs."""
        count = len(self.program.graph.outputs)
        if template.method == "forward":
            return
        (head,) = ast.parse(dedent("\n".join(all_outputs))).body
        if not isinstance(head, ast.FunctionDef):
            raise TypeError(template.method)
        names = [argument.arg for argument in head.args.args[1:]]
        yield from signature("forward", ["self", *(f"{name}: Tensor" for name in names)], result_type(count), 1)
        call = Bracket(f"self.{template.method}", tuple(names))
        which = "0" if count == 1 else f":{count}"
        yield from lines(call, 2, "return ", f"[{which}]")
        yield ""

    def modules(self, of: Class) -> Iterator[str]:
        """The lines that make the submodules."""
        rows = range(len(of.template.bodies))
        places = [Place(body.scope) for body in of.template.bodies]
        for number in range(len(of.template.operands)):
            if needs_module(of, number, self.templates):
                column = Column(of.template.column(number), rows, places)
                name = of.template.sample(number).name
                yield from statement(f"self.{name}", self.constructor.code(of, column), 2)

    def name(self, template: Template) -> str:
        scope = template.scope
        if scope is self.program.model:
            return class_name(self.program.graph)
        if scope.kind == "root":
            return training_name(self.program.graph)
        base = camel(scope.label)
        if scope.kind == "branch" and scope.parent is not None:
            base = camel(scope.parent.label) + base
        number, name = 1, base
        while name in self.names:
            number += 1
            name = f"{base}{number}"
        return name

    def doc(self, template: Template) -> Iterator[str]:
        scope = template.scope
        graph = self.program.graph
        text = f"{_title(graph)}. {scope.doc}" if scope is self.program.model and scope.doc else scope.doc
        if scope.kind == "root" and self.program.has_training:
            text = f"{_title(graph)} in training: it gives its losses."
        if text:
            yield from docstring(text, 1)
            yield ""


def declared(parameter: Parameter) -> str:
    """A constructor's argument with its type and default."""
    if not parameter.has_default:
        return f"{parameter.code}: {_annotation(parameter.values)}"
    return f"{parameter.code}: {_annotation([*parameter.values, parameter.default])} = {literal(parameter.default)}"


def docstring(text: str, indent: int) -> list[str]:
    """A docstring, broken at the line's width."""
    margin = "    " * indent
    escaped = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    rows = [""]
    for word in escaped.split():
        if rows[-1] and len(margin) + 6 + len(rows[-1]) + 1 + len(word) > WIDTH:
            rows.append("")
        rows[-1] = f"{rows[-1]} {word}".strip()
    if rows[-1].endswith('"'):
        rows[-1] = f'{rows[-1][:-1]}\\"'
    if len(rows) == 1:
        return [f'{margin}"""{rows[0]}"""']
    return [f'{margin}"""{rows[0]}', *(f"{margin}{row}" for row in rows[1:]), f'{margin}"""']


def _annotation(values: list[object]) -> str:
    """The type of an argument that has these values; a tuple of one length up to three says it, as modules ask."""
    kinds = {type(value) for value in values} - {tuple}
    if kinds >= {int, float}:
        kinds.remove(int)
    names = ["None" if kind is type(None) else kind.__name__ for kind in kinds]
    tuples = [value for value in values if isinstance(value, tuple)]
    if tuples:
        part = _annotation([part for value in tuples for part in value]) or "int"
        lengths = {len(value) for value in tuples}
        is_exact = len(lengths) == 1 and 0 < max(lengths) <= SHORT
        parts = [part] * max(lengths) if is_exact else [part, "..."]
        names.append(f"tuple[{', '.join(parts)}]")
    return " | ".join(sorted(names))


def _title(graph: Graph) -> str:
    """U-Net for unet, ResNet (resnet50) for a variant."""
    plain = re.sub(r"\W", "", graph.title).lower()
    if not graph.title or plain == graph.name.lower().replace("_", ""):
        return graph.title or graph.name
    return f"{graph.title} ({graph.name})"


def _header(graph: Graph, imports: str) -> str:
    about, cited = _title(graph), _cited(graph.paper)
    if cited:
        about = cited if cited.startswith(f"{about}:") else f"{about}: {cited}"
    needs = "torch and torchvision" if "torchvision" in imports else "torch alone"
    origin = f"Written by graphc {__version__} from {graph.file} (sha256 {graph.digest[:16]}); it needs {needs}."
    first, *rest = docstring(f"{about}.", 0)
    lines = [first.removesuffix('"""') if not rest else first, *(row for row in rest if row != '"""')]
    return "\n".join([*lines, "", origin, '"""'])


def _cited(paper: Paper | None) -> str:
    if paper is None:
        return ""
    where = f"arXiv {paper.arxiv}" if paper.arxiv else ""
    said = ", ".join(filter(None, (paper.authors, str(paper.year or ""), where)))
    return f"{paper.title} ({said})" if said else paper.title


def _imports(code: str) -> str:
    used = {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)}
    lines = ["from collections import OrderedDict\n"] if "OrderedDict" in used else []
    lines += [f"import {name}" for name in ("torch", "torchvision") if name in used]
    lines += ["from torch import Tensor, nn"]
    lines += ["from torch.nn import functional"] if "functional" in used else []
    return "\n".join(lines)


def _helpers(graph: Graph, helpers: Mapping[str, str]) -> Iterator[str]:
    """The helper functions and modules that the graph's ops call, as they stand in this package."""
    calls = _helpers_called(graph, helpers)
    yield from (text for name, text in helpers.items() if name in calls)


def _helpers_called(graph: Graph, helpers: Mapping[str, str]) -> set[str]:
    """The names of the helpers that the graph's ops call, and those that its initial values need."""
    layers = [layer for node in graph.nodes if (layer := layer_of(node)).helper]
    called = {call.name for layer in layers for call in (layer.module, layer.function) if call is not None}
    return with_needed(called | ({f"{rule.distribution.name}_" for rule in graph.init} & helpers.keys()), helpers)
