"""Tree → typed spec. Everything wrong in a file is reported in one run; what is wrong is left out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from hashlib import sha256
from keyword import iskeyword
from typing import TypeVar, get_args

from graphc.demands import Rule
from graphc.diagnostics import Diagnostic, Note, Span, SpecError, did_you_mean, listed
from graphc.expr import ExpressionError, Literalish, Name, parse
from graphc.graph import FreeSize, Paper
from graphc.source import KINDS, Mapping, Scalar, Sequence, Tree
from graphc.spec import (
    Block,
    Branch,
    Expectation,
    Formula,
    Named,
    Operand,
    Parameter,
    ParameterKind,
    Pattern,
    Spec,
    Step,
)

FILE_KEYS = (
    *("graphc", "name", "title", "paper", "doc", "params", "variants", "default", "dims"),
    *("inputs", "blocks", "graph", "outputs", "expect"),
)
BLOCK_KEYS = ("doc", "params", "inputs", "graph", "outputs")
STEP_KEYS = ("id", "from", "for", "repeat", "when", "doc")
KINDS_OF_PARAMETER = get_args(ParameterKind)
MODULE_NAMES = frozenset(
    "T_destination add_module apply bfloat16 buffers call_super_init children compile cpu cuda double dump_patches eval "
    "extra_repr float forward get_buffer get_extra_state get_parameter get_submodule half ipu load_state_dict modules mtia "
    "named_buffers named_children named_modules named_parameters parameters register_backward_hook register_buffer "
    "register_forward_hook register_forward_pre_hook register_full_backward_hook register_full_backward_pre_hook "
    "register_load_state_dict_post_hook register_load_state_dict_pre_hook register_module register_parameter "
    "register_state_dict_post_hook register_state_dict_pre_hook requires_grad_ set_extra_state set_submodule share_memory "
    "state_dict to to_empty train training type xpu zero_grad".split()
)
"""What every `torch.nn.Module` already has: a submodule of that name would be shadowed without a word."""

_INTEGER = re.compile(r"[-+]?\d[\d_]*$")
_FLOAT = re.compile(r"[-+]?\d[\d_]*(\.\d+)?([eE][-+]?\d+)?$")
_CONSTANTS: dict[str, Literalish] = {"true": True, "false": False, "null": None, "none": None, "~": None, "": None}
_T = TypeVar("_T")


def read(tree: Tree, file: str, text: str) -> Spec:
    """The spec that a tree says.

    Raises:
        SpecError: something is wrong with the file's form; all of it.
    """
    reader = _Reader(file)
    spec = reader.file(tree, sha256(text.encode()).hexdigest())
    if reader.found or spec is None:
        raise SpecError(reader.found)
    return spec


def plain(scalar: Scalar) -> Literalish:
    """What a scalar means by itself: YAML 1.2's numbers and constants, else its text."""
    if scalar.quoted:
        return scalar.text
    if scalar.text in _CONSTANTS:
        return _CONSTANTS[scalar.text]
    if _INTEGER.match(scalar.text) and len(scalar.text) <= 20:
        return int(scalar.text.replace("_", ""))
    return float(scalar.text.replace("_", "")) if _FLOAT.match(scalar.text) else scalar.text


def formula(scalar: Scalar) -> Formula:
    """The expression that a scalar is; `$(…)` and `$name` mean the same as what they enclose.

    Raises:
        SpecError: it is none.
    """
    text, offset = scalar.text, 0
    if text.startswith("$(") and text.endswith(")"):
        text, offset = text[2:-1], 2
    elif text.startswith("$"):
        text, offset = text[1:], 1
    try:
        return Formula(parse(text), scalar, offset)
    except ExpressionError as error:
        span = scalar.part(offset + error.start, offset + error.end)
        raise SpecError([Diagnostic("E301", error.message, span, hint=error.hint)]) from error


class _Reader:
    """Reads pieces of a tree; reports what is wrong and goes on."""

    def __init__(self, file: str) -> None:
        self.name = file
        self.found: list[Diagnostic] = []

    def report(self, code: str, message: str, span: Span, hint: str = "", notes: tuple[Note, ...] = ()) -> None:
        self.found.append(Diagnostic(code, message, span, notes, hint))

    # --- pieces

    def kind(self, tree: Tree | None, wanted: type[_T], what: str) -> _T | None:
        """The tree where it is of that kind, else a report."""
        if tree is None or isinstance(tree, wanted):
            return tree
        self.report("E201", f"{what} must be {KINDS[wanted]}, not {KINDS[type(tree)]}", tree.span)
        return None

    def mapping(self, tree: Tree | None, what: str, known: Iterable[str] | None = None) -> dict[str, Tree]:
        """The values of a mapping by key; with `known`, other keys are reported."""
        mapping = self.kind(tree, Mapping, what)
        if mapping is None:
            return {}
        for key in mapping.keys.values() if known is not None else ():
            if key.text not in known:
                self.report("E202", f"unknown key `{key.text}` of {what}", key.span, _key_hint(key.text, known))
        return mapping.values

    def items(self, tree: Tree | None, what: str) -> list[Tree]:
        sequence = self.kind(tree, Sequence, what)
        return sequence.items if sequence else []

    def text(self, tree: Tree | None, what: str) -> str:
        scalar = self.kind(tree, Scalar, what)
        return scalar.text if scalar else ""

    def number(self, tree: Tree | None, what: str, least: int, default: int) -> int:
        scalar = self.kind(tree, Scalar, what)
        if scalar is None:
            return default
        value = plain(scalar)
        if isinstance(value, int) and not isinstance(value, bool) and value >= least:
            return value
        self.report("E207", f"{what} must be a whole number of at least {least}, not `{scalar.text}`", scalar.span)
        return default

    def formula(self, tree: Tree | None, what: str) -> Formula | None:
        scalar = self.kind(tree, Scalar, what)
        if scalar is None:
            return None
        try:
            return formula(scalar)
        except SpecError as error:
            self.found += error.diagnostics
            return None

    def names(self, tree: Tree | None, read: Callable[[str, Tree], _T | None], what: str) -> dict[str, _T]:
        """A mapping whose keys are new names."""
        result = {}
        mapping = self.kind(tree, Mapping, what)
        for key, value in zip(mapping.keys.values(), mapping.values.values(), strict=True) if mapping else ():
            self.new_name(key)
            piece = read(key.text, value)
            if piece is not None:
                result[key.text] = piece
        return result

    def new_name(self, key: Scalar) -> None:
        if not key.text.isidentifier():
            self.report("E205", f"`{key.text}` can't be a name: letters, digits and _, no digit first", key.span)
        elif iskeyword(key.text) or key.text in ("x", "none", "true", "false"):
            self.report("E205", f"`{key.text}` has a meaning of its own and can't be a name", key.span, f"write `{key.text}_`")
        elif key.text in MODULE_NAMES:
            message = f"`{key.text}` is a name that every torch module already has"
            self.report("E205", message, key.span, f"write `{key.text}_`")

    # --- the file

    def file(self, tree: Tree, digest: str) -> Spec | None:
        root = self.kind(tree, Mapping, "a spec")
        if root is None:
            return None
        top = self.mapping(root, "a spec", FILE_KEYS)
        self.version(root)
        name = self.text(top.get("name"), "name")
        if "name" not in top:
            self.report("E203", "a spec needs a `name`", root.span)
        main = self.block(name, root)
        if main.graph and not main.inputs:
            self.report("E203", "a spec with a graph needs `inputs`", root.span, "inputs: {image: [N, 3, H, W]}")
        variants = {key: self.mapping(value, "a variant") for key, value in self.mapping(top.get("variants"), "variants").items()}
        return Spec(
            name=name,
            title=self.text(top.get("title"), "title"),
            paper=self.paper(top.get("paper")),
            main=main,
            blocks=self.names(top.get("blocks"), self.read_block, "blocks"),
            variants=variants,
            default=self.default(top.get("default"), variants),
            sizes=self.names(top.get("dims"), self.size, "dims"),
            expect=self.expectations(top.get("expect"), variants),
            span=root.span,
            digest=digest,
        )

    def version(self, root: Mapping) -> None:
        version = root.values.get("graphc")
        if version is None:
            self.report("E203", "a spec begins with the version of the language", root.span, "graphc: 1")
        elif not (isinstance(version, Scalar) and version.text == "1"):
            self.report("E207", "the version of the language is 1", version.span, "graphc: 1")

    def paper(self, tree: Tree | None) -> Paper | None:
        if tree is None:
            return None
        fields = self.mapping(tree, "paper", ("title", "authors", "year", "arxiv"))
        year = self.number(fields.get("year"), "year", 1900, 0) or None
        title, authors, arxiv = (self.text(fields.get(key), key) for key in ("title", "authors", "arxiv"))
        return Paper(title, authors, year, arxiv)

    def default(self, tree: Tree | None, variants: Iterable[str]) -> str | None:
        scalar = self.kind(tree, Scalar, "default")
        if scalar is not None and scalar.text not in variants:
            hint = did_you_mean(scalar.text, variants, f"the variants are {listed(list(variants))}")
            self.report("E206", f"no variant `{scalar.text}`", scalar.span, hint)
        return scalar.text if scalar else next(iter(variants), None)

    def size(self, name: str, tree: Tree) -> FreeSize | None:
        if isinstance(tree, Scalar):
            return FreeSize(name, self.number(tree, f"the example of {name}", 1, 1), Rule(), frozenset(), tree.span)
        fields = self.mapping(tree, f"the dim {name}", ("example", "multiple", "plus", "min"))
        if "example" not in fields and isinstance(tree, Mapping):
            self.report("E203", f"the dim {name} needs an `example`", tree.span, "H: {multiple: 32, example: 224}")
        multiple = self.number(fields.get("multiple"), "multiple", 1, 1)
        plus = self.number(fields.get("plus"), "plus", 0, 0)
        least = self.number(fields.get("min"), "min", 1, 1)
        rule = Rule(multiple, plus % multiple, max(least, 1))
        example = self.number(fields.get("example"), "example", 1, multiple)
        if example not in rule.sizes():
            self.report("E207", f"the example {example} of {name} is not {rule}", fields["example"].span)
        return FreeSize(name, example, rule, frozenset(fields) - {"example"}, tree.span)

    def expectations(self, tree: Tree | None, variants: Iterable[str]) -> dict[str, Expectation]:
        """By variant; under the file's own name where it has no variants."""
        if not isinstance(tree, Mapping):
            self.mapping(tree, "expect")
            return {}
        if not variants:
            return {"": self.expectation(tree)}
        self.mapping(tree, "expect", variants)
        return {key: self.expectation(value) for key, value in tree.values.items()}

    def expectation(self, tree: Tree) -> Expectation:
        fields = self.mapping(tree, "an expectation", ("params", "macs", "outputs"))
        params, macs = (self.kind(fields.get(key), Scalar, key) for key in ("params", "macs"))
        outputs = self.mapping(fields.get("outputs"), "outputs")
        shapes = {name: self.formulas(shape, "a shape") for name, shape in outputs.items()}
        return Expectation(params, macs, shapes, tree.span)

    # --- blocks

    def read_block(self, name: str, tree: Tree) -> Block:
        self.mapping(tree, f"the block {name}", BLOCK_KEYS)
        block = self.block(name, tree)
        if not block.graph:
            self.report("E203", f"the block {name} needs a `graph`", tree.span)
        return block

    def block(self, name: str, tree: Tree) -> Block:
        fields = tree.values if isinstance(tree, Mapping) else {}
        return Block(
            name=name,
            file=self.name,
            span=tree.span,
            doc=self.text(fields.get("doc"), "doc"),
            params=self.names(fields.get("params"), self.parameter, "params"),
            inputs=self.names(fields.get("inputs"), self.pattern, "inputs"),
            graph=self.steps(fields.get("graph"), "graph"),
            outputs=self.names(fields.get("outputs"), lambda _, value: self.formula(value, "an output"), "outputs"),
        )

    def parameter(self, name: str, tree: Tree) -> Parameter:
        kind = tree.text if isinstance(tree, Scalar) and not tree.quoted else ""
        for known in KINDS_OF_PARAMETER:
            if kind == known:
                return Parameter(name, known, None, tree.span)
        return Parameter(name, None, tree, tree.span)

    def pattern(self, name: str, tree: Tree) -> Pattern:
        if isinstance(tree, Mapping):
            fields = self.mapping(tree, f"the input {name}", ("shape", "dtype"))
            if "shape" not in fields:
                self.report("E203", f"the input {name} needs a `shape`", tree.span)
            dtype = self.text(fields.get("dtype"), "dtype") or "float32"
            shape = fields.get("shape")
        else:
            dtype, shape = "float32", tree
        items = self.items(shape, f"the shape of {name}")
        rest = bool(items) and isinstance(items[0], Scalar) and items[0].text == "..."
        sizes = [self.formula(item, "a size") for item in items[rest:]]
        for known in ("float32", "int64", "bool"):
            if dtype == known:
                return Pattern(name, tree.span, tuple(size for size in sizes if size), rest, known)
        self.report("E207", f"unknown dtype `{dtype}`", tree.span, did_you_mean(dtype, ("float32", "int64", "bool")))
        return Pattern(name, tree.span, tuple(size for size in sizes if size), rest)

    # --- steps

    def steps(self, tree: Tree | None, what: str) -> tuple[Step, ...]:
        steps = (self.step(item) for item in self.items(tree, what))
        return tuple(step for step in steps if step)

    def step(self, tree: Tree) -> Step | None:
        if isinstance(tree, Scalar):
            return Step(tree.span, tree.text)
        mapping = self.kind(tree, Mapping, "a step")
        if mapping is None:
            return None
        own = [key for key in mapping.keys.values() if key.text not in STEP_KEYS]
        if len(own) != 1:
            self.report("E204", *_no_single_op(own, mapping))
            return None
        return self.keyed(own[0], mapping)

    def keyed(self, op: Scalar, mapping: Mapping) -> Step:
        values = mapping.values
        id_ = self.kind(values.get("id"), Scalar, "id")
        if id_:
            self.new_name(id_)
        loops = values.get("for")
        argument = values[op.text]
        return Step(
            span=op.span,
            name=op.text,
            arguments=argument,
            body=self.steps(argument, "do") if op.text == "do" else None,
            lets=self.names(argument, lambda _, value: self.operand(value), "let") if op.text == "let" else None,
            id=id_,
            source=self.sources(values.get("from")),
            when=self.formula(values.get("when"), "when"),
            repeat=self.formula(values.get("repeat"), "repeat"),
            loops=self.names(loops, lambda _, value: self.loop(value), "for") if loops else None,
            keys=mapping.keys,
            doc=self.text(values.get("doc"), "doc"),
        )

    def sources(self, tree: Tree | None) -> Formula | tuple[Operand, ...] | Named | None:
        if tree is None or isinstance(tree, Scalar):
            return self.formula(tree, "from")
        if isinstance(tree, Sequence):
            operands = [self.operand(item) for item in tree.items]
            return tuple(operand for operand in operands if operand)
        return Named(self.names(tree, lambda _, value: self.operand(value), "from"), tree.keys)

    def operand(self, tree: Tree) -> Operand | None:
        if isinstance(tree, Scalar):
            return self.formula(tree, "an operand")
        if isinstance(tree, Sequence):
            return Branch(self.steps(tree, "a branch"), tree.span)
        return self.step(tree)

    def loop(self, tree: Tree) -> Formula | tuple[Formula, ...] | None:
        if isinstance(tree, Sequence):
            return self.formulas(tree, "for")
        return self.formula(tree, "for")

    def formulas(self, tree: Tree, what: str) -> tuple[Formula, ...]:
        formulas = (self.formula(item, what) for item in self.items(tree, what))
        return tuple(f for f in formulas if f)


def is_name(formula: Formula) -> str | None:
    """The name that an expression is, where it is nothing more."""
    return formula.expression.id if isinstance(formula.expression, Name) else None


def _no_single_op(own: list[Scalar], mapping: Mapping) -> tuple[str, Span, str]:
    if not own:
        return "a step needs an op, a block, `do` or `let`", mapping.span, ""
    first, *rest = own
    hints = (did_you_mean(key.text, STEP_KEYS) for key in reversed(own))
    hint = next(filter(None, hints), f"`- {first.text}` and `- {rest[0].text}` are two steps")
    misspelt = next((key for key in reversed(own) if did_you_mean(key.text, STEP_KEYS)), rest[0])
    return f"a step has one op, this one {listed([f'`{key.text}`' for key in own])}", misspelt.span, hint


def _key_hint(key: str, known: Iterable[str]) -> str:
    return did_you_mean(key, known, f"known are {', '.join(known)}")
