"""Expressions: Python's precedence, exact columns, and limits that nothing passes."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import fields
from functools import singledispatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphc.expr import (
    Binary,
    Call,
    Choice,
    Comprehension,
    Expr,
    Items,
    Literal,
    Member,
    Name,
    Slice,
    Subscript,
    Unary,
)
from graphc.parse import DEEPEST, LONGEST, MOST_OPERATORS, ExpressionError, parse

ARITHMETIC = ["+", "-", "*", "/", "//", "%", "@", "**"]
COMPARISONS = ["==", "!=", "<", "<=", ">", ">="]

names = st.sampled_from(["width", "H", "i", "größe"])
numbers = st.integers(0, 10**6).map(str) | st.sampled_from(["0.5", "1e-5", "2.25e3", "1_000"])
atoms = names | numbers | st.sampled_from(["'text'", '"more"'])


def joined(template: str, *parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*parts).map(lambda found: template.format(*found))


def grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Any expression that Python has too, with and without parentheses."""
    return st.one_of(
        joined("{} {} {}", inner, st.sampled_from([*ARITHMETIC, "and", "or"]), inner),
        joined("{}{}{}", inner, st.sampled_from(ARITHMETIC), inner),
        joined("({}) {} ({})", inner, st.sampled_from(COMPARISONS), inner),
        joined("{}{}", st.sampled_from(["-", "+", "not "]), inner),
        joined("({})", inner),
        joined("{} if {} else {}", inner, inner, inner),
        joined("[{}, {}]", inner, inner),
        joined("[{} for i in {}]", inner, names),
        joined("max({}, {})", inner, inner),
        joined("f({}, key={})", inner, inner),
        joined("{}[{}]", names, inner),
        joined("{}[{}:{}, ::{}]", names, inner, inner, inner),
        joined("{}.part.{}", names, names),
    )


texts = st.recursive(atoms, grown, max_leaves=8)


def python(text: str) -> ast.expr | None:
    """The text as Python reads it; None where it is no Python, or has something that we refuse."""
    try:
        tree = ast.parse(text, mode="eval").body
    except SyntaxError:
        return None
    chained = any(isinstance(node, ast.Compare) and len(node.ops) > 1 for node in ast.walk(tree))
    return None if chained else tree


@singledispatch
def code(e: Expr) -> str:
    """The tree as Python, with parentheses around everything."""
    raise NotImplementedError(type(e))


@code.register
def _(e: Literal) -> str:
    return repr(e.value)


@code.register
def _(e: Name) -> str:
    return e.id


@code.register
def _(e: Member) -> str:
    return f"{code(e.base)}.{e.part}"


@code.register
def _(e: Call) -> str:
    given_ = [*map(code, e.arguments), *(f"{name}={code(value)}" for name, value in e.keywords)]
    return f"{e.function}({', '.join(given_)})"


@code.register
def _(e: Unary) -> str:
    return f"({e.operator} {code(e.operand)})"


@code.register
def _(e: Binary) -> str:
    return f"({code(e.left)} {e.operator} {code(e.right)})"


@code.register
def _(e: Choice) -> str:
    return f"({code(e.yes)} if {code(e.condition)} else {code(e.no)})"


@code.register
def _(e: Items) -> str:
    return f"[{', '.join(map(code, e.items))}]"


@code.register
def _(e: Comprehension) -> str:
    return f"[{code(e.element)} for {e.variable} in {code(e.items)}]"


@code.register
def _(e: Slice) -> str:
    first, last, step = ("" if bound is None else code(bound) for bound in (e.first, e.last, e.step))
    return f"{first}:{last}:{step}"


@code.register
def _(e: Subscript) -> str:
    return f"{code(e.base)}[{', '.join(map(code, e.parts))}]"


@given(texts)
def test_precedence_is_pythons(text: str) -> None:
    wanted = python(text)
    if wanted is not None:
        assert normal(ast.parse(code(parse(text)), mode="eval").body) == normal(wanted)


def normal(tree: ast.expr) -> str:
    """What Python writes: `a or b or c` is one node there, `-1` in a slice and `a:b:` have several forms."""
    flat: ast.expr = Flat().visit(tree)
    return ast.unparse(flat)


class Flat(ast.NodeTransformer):
    """Nests `a or b or c` to the left, as our trees do."""

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        first: ast.expr
        first, *rest = [self.visit(value) for value in node.values]
        for value in rest:
            first = ast.BoolOp(node.op, [first, value])
        return ast.fix_missing_locations(first)


def every(e: object) -> Iterator[Expr]:
    """The expression and all in it."""
    if isinstance(e, tuple):
        for part in e:
            yield from every(part)
    if isinstance(e, Expr):
        yield e
        for field in fields(e):
            yield from every(getattr(e, field.name))


def places(e: Expr, by: int = 0) -> list[tuple[int, int]]:
    return [(piece.start + by, piece.end + by) for piece in every(e)]


@given(texts)
def test_the_place_of_each_piece_is_exact(text: str) -> None:
    if python(text) is None:
        return
    for piece in every(parse(text)):
        if not isinstance(piece, Slice):
            alone = parse(text[piece.start : piece.end])
            assert plain(alone) == plain(piece)
            assert places(alone, piece.start) == places(piece)


def shape(text: str) -> str:
    """The tree without places."""
    return plain(parse(text))


def plain(e: object) -> str:
    if isinstance(e, tuple):
        return f"({', '.join(map(plain, e))})"
    if not isinstance(e, Expr):
        return repr(e)
    inner = (plain(getattr(e, field.name)) for field in fields(e) if field.name not in ("start", "end"))
    return f"{type(e).__name__}({', '.join(inner)})"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("true", "Literal(True)"),
        ("none", "Literal(None)"),
        ("1_000", "Literal(1000)"),
        ("4.09e9", "Literal(4090000000.0)"),
        ("1e-5", "Literal(1e-05)"),
        ("stage.0.unit.-1", "Member(Member(Member(Name('stage'), 0), 'unit'), -1)"),
        ("level.*.boxes", "Member(Member(Name('level'), '*'), 'boxes')"),
        ("down.$i", "Member(Name('down'), Name('i'))"),
        ("down.$(n - i).skip", "Member(Member(Name('down'), Binary(Name('n'), '-', Name('i'))), 'skip')"),
        ("width * 2**i for i in range(depth)", None),
        ("(a)", "Name('a')"),
        ("m[:, none, 0]", "Subscript(Name('m'), (Slice(None, None, None), Literal(None), Literal(0)))"),
        ("a[1:]", "Subscript(Name('a'), (Slice(Literal(1), None, None)))"),
        ("center_crop(skip, x)", "Call('center_crop', (Name('skip'), Name('x')), ())"),
        ("is", "Name('is')"),
        ("lambda", "Name('lambda')"),
        ("a.for", "Member(Name('a'), 'for')"),
        ("[]", "Items(())"),
    ],
)
def test_what_python_does_not_have(text: str, wanted: str | None) -> None:
    if wanted is None:
        assert isinstance(parse(text), Comprehension)
    else:
        assert shape(text) == wanted


WRONG: list[tuple[str, int, str, str]] = [
    ("", 0, "expected an expression", ""),
    ("   ", 3, "expected an expression", ""),
    ("a +", 3, "the expression ends too early", ""),
    ("* a", 0, "`*` can't begin an expression", ""),
    ("a b", 2, "unexpected `b` after the expression", ""),
    ("max(1", 5, "expected `,` or `)`", ""),
    ("(a", 2, "expected `)` to close `(`", ""),
    ("a = 1", 2, "unexpected `=` after the expression", "`==` compares"),
    ("a[", 2, "the expression ends too early", ""),
    ("a[,]", 2, "expected an index", ""),
    ("a.", 1, "expected a name, a number or `*` after `.`", ""),
    ("!x", 0, "`!` has no meaning in an expression", "write `not`"),
    ("a && b", 2, "`&` has no meaning in an expression", "write `and`"),
    ("a ? b : c", 2, "`?` has no meaning in an expression", "write `a if condition else b`"),
    ("2 × 3", 2, "`×` has no meaning in an expression", "write `*`"),
    ("a if b", 6, "expected `else` after the condition: `a if condition else b`", ""),
    ("a for 1 in b", 6, "expected a name after `for`", ""),
    ("a for i of b", 8, "expected `in` after the name, got `of`", ""),
    ("1 < 2 < 3", 6, "comparisons can't be chained", "write `a < b and b < c`"),
    ("f(a=1, a=2)", 7, "`a` is given twice", ""),
    ("f(a=1, 2)", 7, "an argument without a name stands before those with one", ""),
    ("'abc", 0, "the text has no closing '", ""),
    ("a + 'b", 4, "the text has no closing '", ""),
    ("a;b", 1, "`;` has no meaning in an expression", ""),
    ("{}", 0, "`{` has no meaning in an expression", ""),
    ("-" * (MOST_OPERATORS + 1) + "1", MOST_OPERATORS + 1, f"an expression has at most {MOST_OPERATORS} operators", ""),
    ("(" * (DEEPEST + 1), DEEPEST, f"an expression nests at most {DEEPEST} deep", ""),
    ("1" * (LONGEST + 1), 0, f"an expression has at most {LONGEST} characters, this one {LONGEST + 1}", ""),
]


@pytest.mark.parametrize(("text", "column", "message", "hint"), WRONG, ids=[row[0][:20] for row in WRONG])
def test_what_is_wrong_is_said_at_its_column(text: str, column: int, message: str, hint: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    error = caught.value
    assert (error.message, error.start, error.hint) == (message, column, hint)
    assert error.end > error.start


BOMBS = [
    "-{}",
    "not {}",
    "({})",
    "[{}]",
    "f({})",
    "a[{}]",
    "a.$({})",
    "1**{}",
    "1 if 1 else {}",
    "{}.a",
    "{}[0]",
    "{}+1",
]


@pytest.mark.parametrize("template", BOMBS)
def test_no_nesting_reaches_a_limit_of_python(template: str) -> None:
    before, after = template.split("{}")
    for depth in (DEEPEST - 1, MOST_OPERATORS - 1):
        check_text(before * depth + "1" + after * depth)
    for depth in (10**3, 10**5):
        with pytest.raises(ExpressionError, match="at most"):
            parse(before * depth + "1" + after * depth)


@given(
    st.lists(st.sampled_from([*"()[].,:=$*+-<>!&'\"% \t", "a", "if", "else", "for", "in", "not", "or", "1", "1.5e3"]))
)
def test_any_text_is_an_expression_or_a_located_error(tokens: list[str]) -> None:
    check_text("".join(tokens))
    check_text(" ".join(tokens))


@given(st.text())
def test_so_is_any_text_at_all(text: str) -> None:
    check_text(text)


def check_text(text: str) -> None:
    """The text parses, or the error has a place in it."""
    start, end = extent(text)
    assert 0 <= start <= len(text)
    assert end > start


def extent(text: str) -> tuple[int, int]:
    try:
        found = parse(text)
    except ExpressionError as error:
        return error.start, error.end
    return found.start, found.end


def frames() -> int:
    """How deep Python's stack is."""
    depth, frame = 0, sys._getframe()
    while frame.f_back is not None:
        depth, frame = depth + 1, frame.f_back
    return depth


def test_the_deepest_expressions_leave_room_on_the_stack() -> None:
    worst = "-" * (MOST_OPERATORS - 3 * (DEEPEST - 1)) + "(1 + 1 * 1 ** " * (DEEPEST - 1)
    outside = used = frames()

    def count(*_: object) -> None:
        nonlocal used
        used = max(used, frames())

    sys.setprofile(count)
    try:
        start, _ = extent(worst)
    finally:
        sys.setprofile(None)
    assert start == len(worst)
    assert used - outside < 500
