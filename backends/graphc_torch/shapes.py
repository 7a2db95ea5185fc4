"""The shape comments of a class: in its own names where it has several instances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from graphc.demands import Rule
from graphc.dims import Dim, Size, substitute, symbol, symbols
from graphc.graph import Value
from graphc.pretty import pretty_shape
from graphc_torch.construct import Class
from graphc_torch.term import Wanted

AXES = {2: "NC", 3: "NTC", 4: "NCHW", 5: "NCDHW"}


def comment(of: Class, values: Sequence[Value], rules: Mapping[str, Rule]) -> str:
    """The shape of a value in all instances; empty where the class has no words for it."""
    if values and values[0].type.rank == 0:
        return ""
    if len(values) == 1:
        return pretty_shape(values[0].type, rules)
    if len({value.type.rank for value in values}) > 1:
        return ""
    columns = [
        [_reduced(size, rules) for size in axis] for axis in zip(*(value.type.shape for value in values), strict=True)
    ]
    known = _inputs(of, rules)
    words = [_word(of, column, known) for column in columns]
    return f"[{', '.join(words)}]".replace(" * ", "*") if all(words) else ""


def _reduced(size: Size, rules: Mapping[str, Rule]) -> Size:
    """The size under the declared rules: H = 32·k for a multiple of 32."""
    rule = {name: rules.get(name, Rule()) for name in symbols(size)}
    return substitute(size, {name: symbol(name) * r.multiple + r.plus for name, r in rule.items()})


def _inputs(of: Class, rules: Mapping[str, Rule]) -> dict[str, list[Size]]:
    """Sizes that the class has words for, in every instance: the spec's own, then those of its first input's axes."""
    inputs = [body.inputs[0] for body in of.template.bodies if body.inputs]
    found = _bound(of, rules)
    if not inputs or len({value.type.rank for value in inputs}) > 1:
        return found
    for axis, name in enumerate(AXES.get(inputs[0].type.rank, "")):
        sizes = [_reduced(value.type.shape[axis], rules) for value in inputs]
        if name not in found and sizes not in found.values():
            found[name] = sizes
    return found


def _bound(of: Class, rules: Mapping[str, Rule]) -> dict[str, list[Size]]:
    """The sizes that the inputs of the block bind, by the names that the spec gives them."""
    bindings = [body.scope.bindings for body in of.template.bodies]
    sizes = {
        name: [each[name].value for each in bindings if name in each]
        for name, binding in bindings[0].items()
        if binding.source == "size"
    }
    return {
        name: [_reduced(size, rules) for size in column if isinstance(size, int | Dim)]
        for name, column in sizes.items()
        if len(column) == len(bindings) and all(isinstance(size, int | Dim) for size in column)
    }


def _word(of: Class, column: list[Size], known: Mapping[str, list[Size]]) -> str:
    if all(isinstance(size, int) for size in column):
        return _number(of, column)
    for name, sizes in known.items():
        word = _related(of, name, sizes, column)
        if word:
            return word
    return ""


def _number(of: Class, column: list[Size]) -> str:
    if len(set(column)) == 1:
        return str(column[0])
    rows = range(len(column))
    term = of.numbers.from_seen(Wanted("", tuple(column), rows, (), ()))
    if term is not None:
        return term.code
    return next((p.code for p in of.numbers.parameters.values() if p.values == column), "")


def _related(of: Class, name: str, sizes: list[Size], column: list[Size]) -> str:
    """The column as a size of the input: the same, with some more or less, a part or a multiple of it."""
    differences = {b - a for a, b in zip(sizes, column, strict=True)}
    if len(differences) == 1 and isinstance(difference := differences.pop(), int):
        return name if difference == 0 else f"{name} {'+' if difference > 0 else '-'} {abs(difference)}"
    for factor in (2, 4, 8, 16, 32):
        if all(size == part * factor for size, part in zip(sizes, column, strict=True)):
            return f"{name}/{factor}"
        if all(size * factor == whole for size, whole in zip(sizes, column, strict=True)):
            return f"{factor}*{name}"
    for parameter in of.numbers.parameters.values():
        steps = [value if isinstance(value, int) else 0 for value in parameter.values]
        if all(size == part * step for size, part, step in zip(sizes, column, steps, strict=True)):
            return f"{name}/{parameter.code}"
    return ""
