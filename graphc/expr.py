"""The expressions of a spec: a small grammar with columns. Parsing runs no code; evaluation is `graphc.elaborate`'s.

    expression   choice ['for' name 'in' choice]
    choice       or ['if' or 'else' choice]
    or, and, not, comparison (== != < <= > >=), + -, * / // % @, unary -, **      as in Python
    postfix      primary ('.' part | '[' subscripts ']')*
    part         name | 0 | -1 | * | $name | $(expression)
    primary      number | 'text' | true | false | none | name | name '(' arguments ')' | '(' expression ')' | '[' … ']'
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import NoReturn, TypeAlias

LONGEST = 2_000
DEEPEST = 40
MOST_OPERATORS = 150

Literalish: TypeAlias = int | float | bool | str | None


@dataclass(frozen=True, slots=True)
class Expr:
    """A piece of an expression; `start` and `end` are offsets into its text."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Literal(Expr):
    value: Literalish


@dataclass(frozen=True, slots=True)
class Name(Expr):
    id: str


@dataclass(frozen=True, slots=True)
class Member(Expr):
    """base.part, where a part is a name, a number, `*` for all copies, or an expression (`$i`)."""

    base: Expr
    part: str | int | Expr


@dataclass(frozen=True, slots=True)
class Call(Expr):
    function: str
    arguments: tuple[Expr, ...]
    keywords: tuple[tuple[str, Expr], ...]


@dataclass(frozen=True, slots=True)
class Unary(Expr):
    operator: str
    operand: Expr


@dataclass(frozen=True, slots=True)
class Binary(Expr):
    left: Expr
    operator: str
    right: Expr


@dataclass(frozen=True, slots=True)
class Choice(Expr):
    """yes if condition else no."""

    yes: Expr
    condition: Expr
    no: Expr


@dataclass(frozen=True, slots=True)
class Items(Expr):
    """[a, b, …]."""

    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Comprehension(Expr):
    """element for variable in items."""

    element: Expr
    variable: str
    items: Expr


@dataclass(frozen=True, slots=True)
class Slice(Expr):
    """start:stop:step inside a subscript."""

    first: Expr | None
    last: Expr | None
    step: Expr | None


@dataclass(frozen=True, slots=True)
class Subscript(Expr):
    base: Expr
    parts: tuple[Expr, ...]


class ExpressionError(Exception):
    """Text that is no expression: what is wrong, and where in the text."""

    def __init__(self, message: str, start: int, end: int, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.start, self.end, self.hint = message, start, end, hint


def parse(text: str) -> Expr:
    """The expression that `text` is.

    Raises:
        ExpressionError: it is none; with the offsets of what is wrong.
    """
    if len(text) > LONGEST:
        raise ExpressionError(f"an expression has at most {LONGEST} characters, this one {len(text)}", 0, 1)
    return _Parser(text).whole()


def names(expression: Expr) -> Iterator[str]:
    """The names that an expression reads, without the variables of its own comprehensions."""
    if isinstance(expression, Name):
        yield expression.id
    bound = expression.variable if isinstance(expression, Comprehension) else None
    for part in children(expression):
        yield from (name for name in names(part) if name != bound)


def children(expression: Expr) -> Iterator[Expr]:
    """The direct parts of an expression, left to right."""
    for field in fields(expression):
        yield from _expressions(getattr(expression, field.name))


def _expressions(value: object) -> Iterator[Expr]:
    if isinstance(value, Expr):
        yield value
    if isinstance(value, tuple):
        for part in value:
            yield from _expressions(part)


_TOKEN = re.compile(
    r"""\s*(?:
    (?P<number>\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?)
  | (?P<text>'[^']*'|"[^"]*")
  | (?P<name>[^\W\d]\w*)
  | (?P<symbol>\*\*|//|==|!=|<=|>=|[-+*/%@<>()\[\],:.=])
  )""",
    re.VERBOSE,
)
_PART = re.compile(r"-?\d+|\*|[^\W\d]\w*|\$[^\W\d]\w*|\$\(")
_WORDS: dict[str, Literalish] = {"true": True, "false": False, "none": None}
_RESERVED = {"and", "or", "not", "if", "else", "for", "in"}
_BINDING = {
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">="), 4),
    **dict.fromkeys(("+", "-"), 5),
    **dict.fromkeys(("*", "/", "//", "%", "@"), 6),
}
_INSTEAD = {"!": "not", "&&": "and", "||": "or", "^": "**", "?": "a if condition else b", "!x": "not x"}


class _Parser:
    """Precedence climbing over the text; one token of look-ahead."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.depth = 0
        self.operators = 0
        self.kind, self.token, self.start, self.end = "", "", 0, 0
        self.advance()

    def advance(self) -> None:
        """Reads the next token."""
        self.before = self.end
        match = _TOKEN.match(self.text, self.position)
        if match is None:
            self._end_or_fail()
            return
        self.kind = str(match.lastgroup)
        self.token = match.group(self.kind)
        self.start, self.end = match.span(self.kind)
        self.position = self.end
        if self.kind == "name" and self.token in _RESERVED:
            self.kind = "symbol"

    def _end_or_fail(self) -> None:
        rest = self.text[self.position :]
        at = self.position + len(rest) - len(rest.lstrip())
        if at == len(self.text):
            self.kind, self.token, self.start, self.end = "end", "", at, at
            return
        found = self.text[at]
        instead = _INSTEAD.get(self.text[at : at + 2]) or _INSTEAD.get(found)
        hint = f"write `{instead}`" if instead else ""
        raise ExpressionError(f"`{found}` has no meaning in an expression", at, at + 1, hint)

    def fail(self, message: str) -> NoReturn:
        raise ExpressionError(message, self.start, max(self.end, self.start + 1))

    def take(self, *symbols: str) -> bool:
        """Whether the next token is one of these; it is then read."""
        if self.kind == "symbol" and self.token in symbols:
            self.advance()
            return True
        return False

    def expect(self, symbol: str, what: str) -> None:
        if not self.take(symbol):
            self.fail(f"expected `{symbol}` {what}" + (f", got `{self.token}`" if self.token else ""))

    def count(self) -> None:
        """One operator more; their number bounds the depth of the tree."""
        self.operators += 1
        if self.operators > MOST_OPERATORS:
            self.fail(f"an expression has at most {MOST_OPERATORS} operators")

    def name(self, what: str) -> str:
        if self.kind != "name":
            self.fail(f"expected {what}")
        name = self.token
        self.advance()
        return name

    def whole(self) -> Expr:
        if self.kind == "end":
            self.fail("expected an expression")
        found = self.expression()
        if self.kind != "end":
            self.fail(f"unexpected `{self.token}` after the expression")
        return found

    def expression(self) -> Expr:
        self.depth += 1
        if self.depth > DEEPEST:
            self.fail(f"an expression nests at most {DEEPEST} deep")
        element = self.choice()
        if self.take("for"):
            variable = self.name("a name after `for`")
            self.expect("in", "after the name")
            items = self.choice()
            element = Comprehension(element.start, items.end, element, variable, items)
        self.depth -= 1
        return element

    def choice(self) -> Expr:
        yes = self.either()
        if not self.take("if"):
            return yes
        condition = self.either()
        self.expect("else", "after the condition: `a if condition else b`")
        self.count()
        no = self.choice()
        return Choice(yes.start, no.end, yes, condition, no)

    def either(self) -> Expr:
        left = self.both()
        while self.take("or"):
            self.count()
            right = self.both()
            left = Binary(left.start, right.end, left, "or", right)
        return left

    def both(self) -> Expr:
        left = self.negated()
        while self.take("and"):
            self.count()
            right = self.negated()
            left = Binary(left.start, right.end, left, "and", right)
        return left

    def negated(self) -> Expr:
        start = self.start
        if not self.take("not"):
            return self.binary(4)
        self.count()
        operand = self.negated()
        return Unary(start, operand.end, "not", operand)

    def binary(self, least: int) -> Expr:
        left = self.unary()
        while self.kind == "symbol" and _BINDING.get(self.token, 0) >= least:
            operator = self.token
            self.count()
            self.advance()
            right = self.binary(_BINDING[operator] + 1)
            left = Binary(left.start, right.end, left, operator, right)
        return left

    def unary(self) -> Expr:
        if not (self.kind == "symbol" and self.token in ("-", "+")):
            return self.power()
        operator, start = self.token, self.start
        self.count()
        self.advance()
        operand = self.unary()
        return Unary(start, operand.end, operator, operand)

    def power(self) -> Expr:
        base = self.postfix()
        if not self.take("**"):
            return base
        self.count()
        exponent = self.unary()
        return Binary(base.start, exponent.end, base, "**", exponent)

    def postfix(self) -> Expr:
        base = self.primary()
        while self.kind == "symbol" and self.token in (".", "["):
            self.count()
            base = self.member(base) if self.token == "." else self.subscript(base)
        return base

    def member(self, base: Expr) -> Expr:
        match = _PART.match(self.text, self.position)
        if match is None:
            self.fail("expected a name, a number or `*` after `.`")
        part, self.position = match.group(), match.end()
        self.end = match.end()
        self.advance()
        if part == "$(":
            inner = self.expression()
            self.expect(")", "to close `$(`")
            return Member(base.start, self.before, base, inner)
        if part.startswith("$"):
            return Member(base.start, match.end(), base, Name(match.start() + 1, match.end(), part[1:]))
        number = part.lstrip("-").isdigit()
        return Member(base.start, match.end(), base, int(part) if number else part)

    def subscript(self, base: Expr) -> Expr:
        self.advance()
        parts = self.several("]", self.slice)
        return Subscript(base.start, self.before, base, parts)

    def slice(self) -> Expr:
        start = self.start
        bounds: list[Expr | None] = []
        while True:
            at_edge = self.kind == "symbol" and self.token in (":", ",", "]")
            bounds.append(None if at_edge else self.expression())
            if len(bounds) == 3 or not self.take(":"):
                break
        if len(bounds) == 1:
            return bounds[0] or self.fail("expected an index")
        first, last, step = (*bounds, None, None)[:3]
        return Slice(start, self.before, first, last, step)

    def several(self, close: str, item: object = None) -> tuple[Expr, ...]:
        """Items up to the closing bracket, which is read."""
        read = item if callable(item) else self.expression
        found: list[Expr] = []
        while not self.take(close):
            found.append(read())
            if not (self.kind == "symbol" and self.token == close):
                self.expect(",", f"or `{close}`")
        return tuple(found)

    def primary(self) -> Expr:
        if self.kind == "name":
            return self.named()
        start, token = self.start, self.token
        if self.kind in ("number", "text"):
            value = token[1:-1] if self.kind == "text" else _number(token)
            self.advance()
            return Literal(start, self.before, value)
        if self.take("("):
            inner = self.expression()
            self.expect(")", "to close `(`")
            return inner
        if self.take("["):
            items = self.several("]")
            return items[0] if len(items) == 1 and isinstance(items[0], Comprehension) else Items(start, self.before, items)
        self.fail(f"`{token}` can't begin an expression" if token else "the expression ends too early")

    def named(self) -> Expr:
        start, name = self.start, self.token
        self.advance()
        if name in _WORDS:
            return Literal(start, self.before, _WORDS[name])
        if not self.take("("):
            return Name(start, self.before, name)
        arguments: list[Expr] = []
        keywords: list[tuple[str, Expr]] = []
        while not self.take(")"):
            self.argument(arguments, keywords)
            if not (self.kind == "symbol" and self.token == ")"):
                self.expect(",", "or `)`")
        return Call(start, self.before, name, tuple(arguments), tuple(keywords))

    def argument(self, arguments: list[Expr], keywords: list[tuple[str, Expr]]) -> None:
        value = self.expression()
        if isinstance(value, Name) and self.take("="):
            keywords.append((value.id, self.expression()))
        elif keywords:
            raise ExpressionError("an argument without a name stands before those with one", value.start, value.end)
        else:
            arguments.append(value)


def _number(token: str) -> int | float:
    digits = token.replace("_", "")
    return int(digits) if digits.isdigit() else float(digits)
