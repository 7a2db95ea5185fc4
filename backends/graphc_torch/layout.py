"""Breaks code into lines as `ruff format` leaves it: on one line where it fits, else between brackets and indented."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from graphc_torch.operators import ATOM, STRENGTH, UNARY, chains, gap, is_bare

WIDTH = 88
LONGEST = 120
"""A longer comment says nothing."""
INDENT = "    "

Code: TypeAlias = "str | Bracket | Chain | Generator | Choice | Keyword | Entry | Joined | Loose | Several"


@dataclass(frozen=True, slots=True)
class Bracket:
    """head(items) or head[items]; without a head a literal."""

    head: str
    items: tuple[Code, ...]
    brackets: str = "()"


@dataclass(frozen=True, slots=True)
class Keyword:
    """name=code."""

    name: str
    code: Code


@dataclass(frozen=True, slots=True)
class Entry:
    """An item of a dict: a text and code."""

    name: str
    code: Code


@dataclass(frozen=True, slots=True)
class Generator:
    """*(element for variable in items); without `star` what a call takes as its only argument, or a list has."""

    element: Code
    items: Code
    star: bool = True
    variable: str = "_"


@dataclass(frozen=True, slots=True)
class Choice:
    """yes if condition else no."""

    yes: Code
    condition: str
    no: str


@dataclass(frozen=True, slots=True)
class Joined:
    """Operands with operators between them, all of one strength."""

    parts: tuple[str, ...]
    operators: tuple[str, ...]

    @property
    def text(self) -> str:
        """All on one line."""
        text = self.parts[0]
        for operator, part in zip(self.operators, self.parts[1:], strict=True):
            space = gap(operator, text, part)
            text = f"{text}{space}{operator}{space}{part}"
        return text

    @property
    def rows(self) -> list[str]:
        """A line for each, in parentheses."""
        rest = zip(self.operators, self.parts[1:], strict=True)
        return [self.parts[0], *(f"{operator} {part}" for operator, part in rest)]


@dataclass(frozen=True, slots=True)
class Chain:
    """Methods that are called one after the other: head.first().second()."""

    head: str
    calls: tuple[str, ...]

    @property
    def text(self) -> str:
        """All on one line."""
        return ".".join((self.head, *self.calls))

    @property
    def rows(self) -> list[str]:
        """A line for each, in parentheses; the first call stays with a name."""
        first, *rest = [f".{call}" for call in self.calls]
        start = [f"{self.head}{first}"] if self.head.isidentifier() else [self.head, first]
        return [*start, *rest]


@dataclass(frozen=True, slots=True)
class Several:
    """Several values, with commas."""

    parts: tuple[str, ...]

    @property
    def text(self) -> str:
        """All on one line."""
        return ", ".join(self.parts)

    @property
    def rows(self) -> list[str]:
        """A line for each, in parentheses."""
        return [f"{part}," for part in self.parts]


@dataclass(frozen=True, slots=True)
class Loose:
    """A text that binds less strongly than a name or a call does: `-x`, `2 * width`."""

    text: str
    strength: int


def flat(code: Code) -> str:
    """The code on one line."""
    match code:
        case Bracket(head, items, brackets):
            return f"{head}{brackets[0]}{', '.join(map(flat, items))}{brackets[1]}"
        case Keyword(name, inner):
            return f"{name}={flat(inner)}"
        case Entry(name, inner):
            return f'"{name}": {flat(inner)}'
        case Generator(element, items, star, variable):
            inside = f"{flat(element)} for {variable} in {flat(items)}"
            return f"*({inside})" if star else inside
        case Choice(yes, condition, no):
            return f"{flat(yes)} if {condition} else {no}"
    return code if isinstance(code, str) else code.text


def strength(code: Code) -> int:
    """How strongly the code binds."""
    match code:
        case Joined():
            return STRENGTH[code.operators[0]]
        case Loose():
            return code.strength
        case Choice() | Several():
            return 0
    return ATOM


def joined(operands: Sequence[Code], operator: str) -> Joined:
    """Operands with an operator between them; what binds less strongly stands in parentheses."""
    first, *others = operands
    continued = isinstance(first, Joined) and chains(operator) and strength(first) == STRENGTH[operator]
    begun = first if isinstance(first, Joined) and continued else Joined((_operand(first, operator, first=True),), ())
    rest = tuple(_operand(code, operator, first=False) for code in others)
    return Joined((*begun.parts, *rest), (*begun.operators, *[operator] * len(rest)))


def number(value: int) -> Code:
    """A whole number."""
    return str(value) if value >= 0 else Loose(str(value), UNARY)


def prefixed(operator: str, operand: Code) -> Loose:
    """An operator in front of an operand."""
    return Loose(f"{operator}{atom(operand)}", UNARY)


def atom(code: Code) -> str:
    """The code on one line, in parentheses where it binds less strongly than a name."""
    return flat(code) if strength(code) == ATOM else f"({flat(code)})"


def _operand(code: Code, operator: str, *, first: bool) -> str:
    return flat(code) if is_bare(strength(code), operator, first=first) else f"({flat(code)})"


def lines(code: Code, indent: int, before: str = "", after: str = "") -> list[str]:
    """The code as lines at a depth of indentation, with text before its first and after its last character."""
    single = f"{INDENT * indent}{before}{flat(code)}{after}"
    if len(single) <= WIDTH or isinstance(code, str | Loose):
        return [single]
    if isinstance(code, Keyword):
        return lines(code.code, indent, f"{before}{code.name}=", after)
    if isinstance(code, Entry):
        return lines(code.code, indent, f'{before}"{code.name}": ', after)
    margin = INDENT * indent
    if before and isinstance(code, Bracket) and len(margin + before + code.head) >= WIDTH:
        return [f"{margin}{before}(", *lines(code, indent + 1), f"{margin}){after}"]
    return _broken(code, indent, before, after)


def _broken(
    code: Chain | Joined | Several | Generator | Choice | Bracket, indent: int, before: str, after: str
) -> list[str]:
    """The code on several lines."""
    margin = INDENT * indent
    match code:
        case Generator(element, items, False, variable):
            return [*lines(element, indent), *lines(items, indent, f"for {variable} in ")]
        case Generator(element, items, _, variable):
            inside = [*lines(element, indent + 1), *lines(items, indent + 1, f"for {variable} in ")]
            return [f"{margin}{before}*(", *inside, f"{margin}){after}"]
        case Chain() | Several():
            return _wrapped(code.rows, margin, before, after)
        case Joined():
            single = len(margin) + len(INDENT) + len(code.text) <= WIDTH
            return _wrapped([code.text] if single else code.rows, margin, before, after)
        case Choice():
            return _choice(code, indent, before, after)
        case Bracket(head, items, brackets):
            inside = _inside(items, indent + 1) if head else _each(items, indent + 1)
            return [f"{margin}{before}{head}{brackets[0]}", *inside, f"{margin}{brackets[1]}{after}"]


def _wrapped(rows: Sequence[str], margin: str, before: str, after: str) -> list[str]:
    """Rows between parentheses of their own."""
    return [f"{margin}{before}(", *(f"{margin}{INDENT}{row}" for row in rows), f"{margin}){after}"]


def statement(target: str, code: Code, indent: int, comment: str = "") -> list[str]:
    """`target = code`, or `return code`; the comment behind it, or above it where the line would be too long."""
    before = f"{target} " if target == "return" else f"{target} = " if target else ""
    written = _parenthesised(code, indent, before) if isinstance(code, Choice) else lines(code, indent, before)
    margin = INDENT * indent
    if ", " in target and len(margin + before) >= WIDTH:
        names = [f"{margin}{INDENT}{name}," for name in target.split(", ")]
        written = [f"{margin}(", *names, *lines(code, indent, ") = ")]
    if not comment or len(comment) + len(margin) + 2 > LONGEST:
        return written
    if len(written) == 1 and len(written[0]) + len(comment) + 4 <= WIDTH:
        return [f"{written[0]}  # {comment}"]
    return [f"{INDENT * indent}# {comment}", *written]


def is_settled(target: str, code: Code, indent: int) -> bool:
    """Whether the layout of `statement` is that of `ruff format` beyond doubt.

    It is not where even a broken line is too long, nor for one operator where there is a bracket: ruff may break
    inside.
    """
    written = statement(target, code, indent)
    if len(written) == 1 or isinstance(code, Several):
        return max(map(len, written)) <= WIDTH
    unclear = isinstance(code, Joined) and len(code.parts) == 2 and any(bracket in code.text for bracket in "([")
    return max(map(len, written)) <= WIDTH and not unclear


def signature(name: str, parameters: Sequence[str], result: str, indent: int) -> list[str]:
    """The line `def name(parameters) -> result:`; a tuple that is too long for it has a line for each of its parts."""
    *before, last = lines(Bracket(name, tuple(parameters)), indent, "def ", f" -> {result}:")
    if len(last) <= WIDTH or not before:
        return [*before, last]
    head, _, parts = last.partition("[")
    margin = INDENT * indent
    return [*before, f"{head}[", *(f"{margin}{INDENT}{part}," for part in parts[:-2].split(", ")), f"{margin}]:"]


def _inside(items: Sequence[Code], indent: int) -> list[str]:
    """What stands between brackets: on one line, or a line each; a comma behind a single item would only disturb."""
    single = INDENT * indent + ", ".join(map(flat, items))
    if len(single) <= WIDTH:
        return [single]
    comma = "," if len(items) > 1 or isinstance(items[0], str | Keyword) else ""
    return [line for item in items for line in lines(item, indent, after=comma)]


def _each(items: Sequence[Code], indent: int) -> list[str]:
    """What stands in a literal: a line each, or what makes its elements."""
    comma = "" if isinstance(items[0], Generator) and not items[0].star else ","
    return [line for item in items for line in lines(item, indent, after=comma)]


def _choice(code: Choice, indent: int, before: str, after: str) -> list[str]:
    margin = INDENT * indent
    yes = lines(code.yes, indent, before)
    return [*yes, f"{margin}if {code.condition}", f"{margin}else {code.no}{after}"]


def _parenthesised(code: Choice, indent: int, before: str) -> list[str]:
    """A choice that is too long for a line stands in parentheses, a line for each part."""
    margin = INDENT * indent
    single = f"{margin}{before}{flat(code)}"
    if len(single) <= WIDTH:
        return [single]
    inside = f"{margin}{INDENT}{flat(code)}"
    if len(inside) <= WIDTH:
        return [f"{margin}{before}(", inside, f"{margin})"]
    return [f"{margin}{before}(", *_choice(code, indent + 1, "", ""), f"{margin})"]
