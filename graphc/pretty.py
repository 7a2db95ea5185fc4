"""Sizes as a person would write them, under the rules that a spec declares for its free sizes.

Where the spec says that H is a multiple of 32, `(H - 1)//32 + 1` is `H/32`: H is replaced by 32·k, and where no floor
is left, the result is put back in terms of H.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import gcd, lcm, prod

from graphc.demands import Rule
from graphc.dims import Dim, Size, Symbol, substitute, symbol, symbols, terms_of
from graphc.graph import Graph
from graphc.tensor import Tensor

_STEP = "graphc.pretty k"


def pretty(size: Size, rules: Mapping[str, Rule]) -> str:
    """A size as text, simplified under the rules of its free sizes."""
    names = symbols(size)
    if isinstance(size, int) or len(names) != 1:
        return _of_several(size, {name: rules.get(name, Rule()) for name in names})
    (name,) = names
    rule = rules.get(name, Rule())
    steps = substitute(size, {name: symbol(_STEP) * rule.multiple + rule.plus})
    linear = _linear(steps)
    if linear is None:
        return str(size)
    slope, start = linear
    return _fraction(slope, start * rule.multiple - slope * rule.plus, rule.multiple, name)


def pretty_shape(tensor: Tensor, rules: Mapping[str, Rule]) -> str:
    """A shape as text: `[N, 64, H/2, W/2]`."""
    return f"[{', '.join(pretty(size, rules) for size in tensor.shape)}]"


def rules_of(graph: Graph) -> dict[str, Rule]:
    """The declared rules of a graph's free sizes."""
    return {name: size.rule for name, size in graph.sizes.items()}


def _of_several(size: Size, rules: Mapping[str, Rule]) -> str:
    """A size of several names, for multiples of each: `H*W/1024` for `(H//32)*(W//32)`."""
    if not any(rule.multiple > 1 for rule in rules.values()) or any(rule.plus for rule in rules.values()):
        return str(size)
    steps = substitute(size, {name: symbol(name) * rule.multiple for name, rule in rules.items()})
    atoms = {atom for monomial, _ in terms_of(steps) for atom in monomial}
    if not all(isinstance(atom, Symbol) for atom in atoms):
        return str(size)
    divisors = [prod(rules[str(atom)].multiple for atom in monomial) for monomial, _ in terms_of(steps)]
    whole = lcm(*divisors)
    factors = [factor * (whole // divisor) for (_, factor), divisor in zip(terms_of(steps), divisors, strict=True)]
    common = gcd(whole, *factors)
    numerator = Dim(tuple((m, f // common) for (m, _), f in zip(terms_of(steps), factors, strict=True)))
    text = str(numerator)
    if whole == common:
        return text
    return f"({text})/{whole // common}" if len(factors) > 1 else f"{text}/{whole // common}"


def _linear(size: Size) -> tuple[int, int] | None:
    """(a, b) where the size is a·k + b."""
    slope = start = 0
    for monomial, coefficient in terms_of(size):
        if not monomial:
            start = coefficient
        elif monomial == (Symbol(_STEP),):
            slope = coefficient
        else:
            return None
    return slope, start


def _fraction(slope: int, start: int, divisor: int, name: str) -> str:
    """(slope·name + start) / divisor, in lowest terms."""
    common = gcd(slope, start, divisor)
    slope, start, divisor = slope // common, start // common, divisor // common
    numerator = str(_plain(slope, start, name))
    if divisor == 1:
        return numerator
    return f"({numerator})/{divisor}" if start else f"{numerator}/{divisor}"


def _plain(slope: int, start: int, name: str) -> Size:
    size: Size = symbol(name) * slope + start
    return size if isinstance(size, Dim) else start
