"""Sizes as texts: `2*H + W//2`, `max(H, 8)*W`. What `str` writes of a size is read back as the same size."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from graphc.dims import Size, floor_divide, larger, smaller, symbol

LONGEST = 100_000
DEEPEST = 50
_TOKEN = re.compile(r"\s*(?:(\d+)|([^\W\d]\w*(?:\.\w+)*)|(//|[-+*(),]))")
_TWO: dict[str, Callable[[Size, Size], Size]] = {"min": smaller, "max": larger}


class SizeError(ValueError):
    """A text that is no size."""


def size_of(text: str) -> Size:
    """The size that a text is.

    Raises:
        SizeError: it is none.
        graphc.dims.ComplexityError: it has too many terms.
    """
    if len(text) > LONGEST:
        raise SizeError(f"a size has at most {LONGEST} characters")
    return _Reader(text, list(_tokens(text))).whole()


def _tokens(text: str) -> Iterator[str]:
    at, end = 0, len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at)
        if found is None:
            raise SizeError(f"`{text[:60]}` is no size")
        yield found.group().strip()
        at = found.end()
    yield ""


@dataclass(slots=True)
class _Reader:
    """Reads tokens from the left: a sum of products of atoms."""

    text: str
    tokens: list[str]
    place: int = 0
    depth: int = 0

    def whole(self) -> Size:
        found = self.sum()
        return found if self.token == "" else self.fail()

    @property
    def token(self) -> str:
        return self.tokens[self.place]

    def take(self, *tokens: str) -> str:
        """The next token where it is one of these; it is read then."""
        found = self.token if self.token in tokens else ""
        self.place += bool(found)
        return found

    def fail(self) -> Size:
        raise SizeError(f"`{self.text[:60]}` is no size")

    def sum(self) -> Size:
        self.depth += 1
        if self.depth > DEEPEST:
            raise SizeError(f"a size nests at most {DEEPEST} deep")
        total = self.product()
        while sign := self.take("+", "-"):
            term = self.product()
            total = total + term if sign == "+" else total - term
        self.depth -= 1
        return total

    def product(self) -> Size:
        """Factors from left to right; a sign in front is that of the whole product, as `str` writes it."""
        if self.take("-"):
            return self.product() * -1
        total = self.atom()
        while sign := self.take("*", "//"):
            total = total * self.atom() if sign == "*" else self.quotient(total, self.atom())
        return total

    def quotient(self, above: Size, below: Size) -> Size:
        return self.fail() if below == 0 else floor_divide(above, below)

    def atom(self) -> Size:
        token = self.token
        self.place += 1
        if token.isdecimal():
            return int(token)
        if token in _TWO and self.token == "(":
            left, right = self.between("(", ","), self.between(",", ")")
            return _TWO[token](left, right)
        if token == "(":
            self.place -= 1
            return self.between("(", ")")
        return symbol(token) if token.partition(".")[0].isidentifier() else self.stop()

    def between(self, first: str, last: str) -> Size:
        """A sum from one sign to another; a comma is left for what comes behind it."""
        if not self.take(first):
            return self.fail()
        found = self.sum()
        if self.token != last:
            return self.fail()
        self.place += last != ","
        return found

    def stop(self) -> Size:
        self.place -= 1
        return self.fail()
