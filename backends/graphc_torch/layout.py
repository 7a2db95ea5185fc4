"""Breaks code into lines as `ruff format` leaves it: on one line where it fits, else between brackets and indented."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

WIDTH = 88
INDENT = "    "

Code: TypeAlias = "str | Bracket | Generator | Choice | Keyword | Joined"


@dataclass(frozen=True, slots=True)
class Bracket:
    """head(items) or head[items]."""

    head: str
    items: tuple[Code, ...]
    brackets: str = "()"


@dataclass(frozen=True, slots=True)
class Keyword:
    """name=code."""

    name: str
    code: Code


@dataclass(frozen=True, slots=True)
class Generator:
    """*(element for variable in items); without `star` what a call takes as its only argument."""

    element: Code
    items: str
    star: bool = True


@dataclass(frozen=True, slots=True)
class Choice:
    """yes if condition else no."""

    yes: Code
    condition: str
    no: str


@dataclass(frozen=True, slots=True)
class Joined:
    """Operands with an operator between them, or with commas: several values that are returned."""

    parts: tuple[str, ...]
    operator: str = ","

    @property
    def text(self) -> str:
        """All on one line."""
        return (", " if self.operator == "," else f" {self.operator} ").join(self.parts)

    @property
    def rows(self) -> list[str]:
        """A line for each, in parentheses."""
        if self.operator == ",":
            return [f"{part}," for part in self.parts]
        return [self.parts[0], *(f"{self.operator} {part}" for part in self.parts[1:])]


def flat(code: Code) -> str:
    """The code on one line."""
    match code:
        case Bracket(head, items, brackets):
            return f"{head}{brackets[0]}{', '.join(map(flat, items))}{brackets[1]}"
        case Keyword(name, inner):
            return f"{name}={flat(inner)}"
        case Generator(element, items, star):
            inside = f"{flat(element)} for _ in {items}"
            return f"*({inside})" if star else inside
        case Choice(yes, condition, no):
            return f"{flat(yes)} if {condition} else {no}"
    return code if isinstance(code, str) else code.text


def lines(code: Code, indent: int, before: str = "", after: str = "") -> list[str]:
    """The code as lines at a depth of indentation, with text before its first and after its last character."""
    single = f"{INDENT * indent}{before}{flat(code)}{after}"
    if len(single) <= WIDTH or isinstance(code, str):
        return [single]
    if isinstance(code, Keyword):
        return lines(code.code, indent, f"{before}{code.name}=", after)
    return _broken(code, indent, before, after)


def _broken(code: Joined | Generator | Choice | Bracket, indent: int, before: str, after: str) -> list[str]:
    """The code on several lines."""
    margin = INDENT * indent
    match code:
        case Generator(element, items, False):
            return [*lines(element, indent), f"{margin}for _ in {items}"]
        case Generator(element, items):
            inside = [*lines(element, indent + 1), f"{margin}{INDENT}for _ in {items}"]
            return [f"{margin}{before}*(", *inside, f"{margin}){after}"]
        case Joined():
            return [f"{margin}{before}(", *(f"{margin}{INDENT}{row}" for row in code.rows), f"{margin}){after}"]
        case Choice():
            return _choice(code, indent, before, after)
        case Bracket(head, items, brackets):
            inside = _inside(items, indent + 1)
            return [f"{margin}{before}{head}{brackets[0]}", *inside, f"{margin}{brackets[1]}{after}"]


def statement(target: str, code: Code, indent: int, comment: str = "") -> list[str]:
    """`target = code`, or `return code`; the comment behind it, or above it where the line would be too long."""
    before = f"{target} " if target == "return" else f"{target} = " if target else ""
    written = _parenthesised(code, indent, before) if isinstance(code, Choice) else lines(code, indent, before)
    if not comment:
        return written
    if len(written) == 1 and len(written[0]) + len(comment) + 4 <= WIDTH:
        return [f"{written[0]}  # {comment}"]
    return [f"{INDENT * indent}# {comment}", *written]


def signature(name: str, parameters: Sequence[str], result: str, indent: int) -> list[str]:
    """The line `def name(parameters) -> result:`."""
    return lines(Bracket(name, tuple(parameters)), indent, "def ", f" -> {result}:")


def _inside(items: Sequence[Code], indent: int) -> list[str]:
    """What stands between brackets: on one line, or a line each; a comma behind a single item would only disturb."""
    single = INDENT * indent + ", ".join(map(flat, items))
    if len(single) <= WIDTH:
        return [single]
    comma = "," if len(items) > 1 or isinstance(items[0], str | Keyword) else ""
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
    return [f"{margin}{before}(", *_choice(code, indent + 1, "", ""), f"{margin})"]
