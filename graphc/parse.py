"""Text → expression: a small grammar with columns. Parsing runs no code.

    expression   choice ['for' name 'in' choice]
    choice       or ['if' or 'else' choice]
    or, and, not, comparison (== != < <= > >=), + -, * / // % @, unary -, **      as in Python
    postfix      primary ('.' part | '[' subscripts ']')*
    part         name | 0 | -1 | * | $name | $(expression)
    primary      number | 'text' | true | false | none | name | name '(' arguments ')' | '(' expression ')' | '[' … ']'

Comparisons are not chained. Length, depth and the number of operators are limited.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache, partial
from typing import NoReturn

from graphc.expr import (
    Binary,
    Call,
    Choice,
    Comprehension,
    Expr,
    Items,
    Literal,
    Literalish,
    Member,
    Name,
    Slice,
    Subscript,
    Unary,
)

LONGEST = 2_000
DEEPEST = 20
MOST_OPERATORS = 64


class ExpressionError(Exception):
    """Text that is no expression: what is wrong, and where in the text."""

    def __init__(self, message: str, start: int, end: int, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.start, self.end, self.hint = message, start, end, hint


@lru_cache(maxsize=1 << 12)
def parse(text: str) -> Expr:
    """The expression that `text` is.

    Raises:
        ExpressionError: it is none; with the offsets of what is wrong.
    """
    if len(text) > LONGEST:
        raise ExpressionError(f"an expression has at most {LONGEST} characters, this one {len(text)}", 0, 1)
    return _Parser(text).whole()


_TOKEN = re.compile(
    r"""\s*(?:
    (?P<number>[0-9][0-9_]*(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)
  | (?P<text>'[^']*'|"[^"]*")
  | (?P<name>[^\W\d]\w*)
  | (?P<symbol>\*\*|//|==|!=|<=|>=|[-+*/%@<>()\[\],:.=])
  )""",
    re.VERBOSE,
)
_PART = re.compile(r"-?[0-9]+|\*|[^\W\d]\w*|\$[^\W\d]\w*|\$\(")
_WORDS: dict[str, Literalish] = {"true": True, "false": False, "none": None}
_RESERVED = {"and", "or", "not", "if", "else", "for", "in"}
_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
_STRENGTH = dict.fromkeys(("+", "-"), 1) | dict.fromkeys(("*", "/", "//", "%", "@"), 2)
_INSTEAD = {
    "!": "not",
    "&&": "and",
    "||": "or",
    "^": "**",
    "?": "a if condition else b",
    "×": "*",
    "·": "*",
    "−": "-",
    "–": "-",
    "≥": ">=",
    "≤": "<=",
    "≠": "!=",
}


class _Parser:
    """Precedence climbing over the text; one token of look-ahead."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = self.before = self.start = self.end = 0
        self.kind, self.token = "", ""
        self.depth = self.operators = 0
        self.advance()

    # --- tokens

    def advance(self) -> None:
        """Reads the next token; `before` is the end of the one before it."""
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
        if found in "'\"":
            raise ExpressionError(f"the text has no closing {found}", at, len(self.text))
        instead = _INSTEAD.get(self.text[at : at + 2]) or _INSTEAD.get(found)
        hint = f"write `{instead}`" if instead else ""
        raise ExpressionError(f"`{found}` has no meaning in an expression", at, at + 1, hint)

    def fail(self, message: str, hint: str = "") -> NoReturn:
        raise ExpressionError(message, self.start, max(self.end, self.start + 1), hint)

    def next_is(self, *symbols: str) -> bool:
        return self.kind == "symbol" and self.token in symbols

    def take(self, *symbols: str) -> bool:
        """Whether the next token is one of these; it is then read."""
        found = self.next_is(*symbols)
        if found:
            self.advance()
        return found

    def expect(self, symbol: str, what: str) -> None:
        if not self.take(symbol):
            self.fail(f"expected `{symbol}` {what}" + (f", got `{self.token}`" if self.token else ""))

    def count(self) -> None:
        """One operator more; their number bounds the depth of the tree."""
        self.operators += 1
        if self.operators > MOST_OPERATORS:
            self.fail(f"an expression has at most {MOST_OPERATORS} operators")

    # --- the grammar, from the weakest binding to the strongest

    def whole(self) -> Expr:
        if self.kind == "end":
            self.fail("expected an expression")
        found = self.expression()
        if self.kind != "end":
            hint = "`==` compares" if self.token == "=" else ""
            self.fail(f"unexpected `{self.token}` after the expression", hint)
        return found

    def expression(self) -> Expr:
        self.depth += 1
        if self.depth > DEEPEST:
            self.fail(f"an expression nests at most {DEEPEST} deep")
        element = self.choice()
        if self.take("for"):
            element = self.comprehension(element)
        self.depth -= 1
        return element

    def comprehension(self, element: Expr) -> Expr:
        if self.kind != "name":
            self.fail("expected a name after `for`")
        variable = self.token
        self.advance()
        self.expect("in", "after the name")
        items = self.choice()
        return Comprehension(element.start, items.end, element, variable, items)

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
            left = self.joined(left, "or", self.both)
        return left

    def both(self) -> Expr:
        left = self.negated()
        while self.take("and"):
            left = self.joined(left, "and", self.negated)
        return left

    def negated(self) -> Expr:
        start = self.start
        if not self.take("not"):
            return self.comparison()
        self.count()
        operand = self.negated()
        return Unary(start, operand.end, "not", operand)

    def comparison(self) -> Expr:
        left, operator = self.arithmetic(1), self.token
        if not self.take(*_COMPARISONS):
            return left
        compared = self.joined(left, operator, partial(self.arithmetic, 1))
        if self.next_is(*_COMPARISONS):
            self.fail("comparisons can't be chained", "write `a < b and b < c`")
        return compared

    def arithmetic(self, least: int) -> Expr:
        left = self.unary()
        while self.next_is(*_STRENGTH) and _STRENGTH[self.token] >= least:
            operator = self.token
            self.advance()
            left = self.joined(left, operator, partial(self.arithmetic, _STRENGTH[operator] + 1))
        return left

    def unary(self) -> Expr:
        operator, start = self.token, self.start
        if not self.take("-", "+"):
            return self.power()
        self.count()
        operand = self.unary()
        return Unary(start, operand.end, operator, operand)

    def power(self) -> Expr:
        base = self.postfix()
        return self.joined(base, "**", self.unary) if self.take("**") else base

    def joined(self, left: Expr, operator: str, read: Callable[[], Expr]) -> Expr:
        """Two operands; the operator has been read."""
        self.count()
        right = read()
        return Binary(left.start, right.end, left, operator, right)

    def postfix(self) -> Expr:
        base = self.primary()
        while self.next_is(".", "["):
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
        bounds = [self.bound()]
        while len(bounds) < 3 and self.take(":"):
            bounds.append(self.bound())
        if len(bounds) == 1:
            return bounds[0] or self.fail("expected an index")
        first, last, step = (*bounds, None)[:3]
        return Slice(start, self.before, first, last, step)

    def bound(self) -> Expr | None:
        return None if self.next_is(":", ",", "]") else self.expression()

    def several(self, close: str, read: Callable[[], Expr]) -> tuple[Expr, ...]:
        """Items up to the closing bracket, which is read."""
        found: list[Expr] = []
        while not self.take(close):
            found.append(read())
            if not self.next_is(close):
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
            return replace(inner, start=start, end=self.before)
        if self.take("["):
            items = self.several("]", self.expression)
            made_by_for = len(items) == 1 and isinstance(items[0], Comprehension)
            return replace(items[0], start=start, end=self.before) if made_by_for else Items(start, self.before, items)
        self.fail(f"`{token}` can't begin an expression" if token else "the expression ends too early")

    def named(self) -> Expr:
        start, name = self.start, self.token
        self.advance()
        if name in _WORDS:
            return Literal(start, self.before, _WORDS[name])
        if not self.take("("):
            return Name(start, self.before, name)
        arguments: list[Expr] = []
        keywords: dict[str, Expr] = {}
        while not self.take(")"):
            self.argument(arguments, keywords)
            if not self.next_is(")"):
                self.expect(",", "or `)`")
        return Call(start, self.before, name, tuple(arguments), tuple(keywords.items()))

    def argument(self, arguments: list[Expr], keywords: dict[str, Expr]) -> None:
        value = self.expression()
        if isinstance(value, Name) and self.take("="):
            if value.id in keywords:
                raise ExpressionError(f"`{value.id}` is given twice", value.start, value.end)
            keywords[value.id] = self.expression()
        elif keywords:
            raise ExpressionError("an argument without a name stands before those with one", value.start, value.end)
        else:
            arguments.append(value)


def _number(token: str) -> int | float:
    digits = token.replace("_", "")
    return int(digits) if digits.isdigit() else float(digits)
