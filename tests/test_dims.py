"""Symbolic sizes against integers and against sympy."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product as combinations
from typing import TypeAlias

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from graphc.dims import (
    Dim,
    Size,
    ceil_divide,
    floor_divide,
    larger,
    period,
    product,
    smaller,
    substitute,
    symbol,
    symbols,
)

H, W = symbol("H"), symbol("W")
POINTS = [*combinations((1, 2, 3, 5, 8), (1, 2, 7)), (64, 48), (61, 97)]

Tree: TypeAlias = "int | str | Apply"


@dataclass(frozen=True)
class Apply:
    """An operation on two trees."""

    name: str
    left: Tree
    right: Tree


POLYNOMIAL: dict[str, Callable[..., Size]] = {"+": operator.add, "-": operator.sub, "*": operator.mul}
ROUNDING: dict[str, Callable[..., Size]] = {"//": operator.floordiv, "%": operator.mod}
EXTREME: dict[str, Callable[..., Size]] = {"min": smaller, "max": larger}
OURS = POLYNOMIAL | ROUNDING | EXTREME
PYTHON: dict[str, Callable[[int, int], int]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "//": operator.floordiv,
    "%": operator.mod,
    "min": min,
    "max": max,
}

leaves: st.SearchStrategy[Tree] = st.one_of(st.integers(-9, 9), st.sampled_from(["H", "W"]))
divisors: st.SearchStrategy[Tree] = st.one_of(st.integers(1, 6), st.integers(-4, -1), st.sampled_from(["H", "W"]))


def grown(inner: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    apply = st.builds(Apply, st.sampled_from([*POLYNOMIAL, *EXTREME]), inner, inner)
    return apply | st.builds(Apply, st.sampled_from(list(ROUNDING)), inner, divisors)


trees = st.recursive(leaves, grown, max_leaves=8)
polynomials = st.recursive(
    leaves, lambda inner: st.builds(Apply, st.sampled_from(list(POLYNOMIAL)), inner, inner), max_leaves=8
)


def size_of(tree: Tree) -> Size:
    if isinstance(tree, int):
        return tree
    return symbol(tree) if isinstance(tree, str) else OURS[tree.name](size_of(tree.left), size_of(tree.right))


def number_of(tree: Tree, sizes: dict[str, int]) -> int:
    if isinstance(tree, int):
        return tree
    if isinstance(tree, str):
        return sizes[tree]
    return PYTHON[tree.name](number_of(tree.left, sizes), number_of(tree.right, sizes))


def sympy_of(tree: Tree) -> sympy.Expr:
    if isinstance(tree, int):
        return sympy.Integer(tree)
    if isinstance(tree, str):
        return sympy.Symbol(tree, integer=True, positive=True)
    left, right = sympy_of(tree.left), sympy_of(tree.right)
    return {"+": left + right, "-": left - right, "*": left * right}[tree.name]


@given(trees)
def test_a_size_has_the_value_of_its_expression_everywhere(tree: Tree) -> None:
    size = size_of(tree)
    for h, w in POINTS:
        assert substitute(size, {"H": h, "W": w}) == number_of(tree, {"H": h, "W": w})


@given(trees)
def test_substitution_one_size_at_a_time_gives_the_same(tree: Tree) -> None:
    size = size_of(tree)
    for h, w in POINTS[:6]:
        assert substitute(substitute(size, {"H": h}), {"W": w}) == number_of(tree, {"H": h, "W": w})


@given(trees)
def test_a_size_is_printed_as_what_it_is(tree: Tree) -> None:
    code = compile(str(size_of(tree)), "size", "eval")
    for h, w in POINTS:
        value = eval(code, {"H": h, "W": w, "min": min, "max": max})  # noqa: S307, an oracle for our own text
        assert value == number_of(tree, {"H": h, "W": w})


@given(trees, trees)
def test_equal_sizes_are_equal_for_all_inputs(left: Tree, right: Tree) -> None:
    if size_of(left) == size_of(right):
        assert hash(size_of(left)) == hash(size_of(right))
        for h, w in POINTS:
            assert number_of(left, {"H": h, "W": w}) == number_of(right, {"H": h, "W": w})


@given(polynomials, polynomials)
def test_polynomials_are_equal_where_sympy_says_so(left: Tree, right: Tree) -> None:
    same = sympy.expand(sympy_of(left) - sympy_of(right)) == 0
    assert (size_of(left) == size_of(right)) == same


@given(polynomials, st.integers(1, 12))
def test_floors_are_those_of_sympy(tree: Tree, divisor: int) -> None:
    found = floor_divide(size_of(tree), divisor)
    for h, w in POINTS[::3]:
        values = {sympy.Symbol("H", integer=True, positive=True): h, sympy.Symbol("W", integer=True, positive=True): w}
        wanted = sympy.floor(sympy_of(tree).subs(values) / divisor)
        assert substitute(found, {"H": h, "W": w}) == int(wanted)


@given(trees, trees, trees)
def test_the_order_of_sums_and_products_does_not_matter(a: Tree, b: Tree, c: Tree) -> None:
    x, y, z = size_of(a), size_of(b), size_of(c)
    assert x + y == y + x
    assert (x + y) + z == x + (y + z)
    assert x * y == y * x
    assert x * (y + z) == x * y + x * z
    assert x - x == 0


@given(trees, st.integers(1, 9), st.integers(1, 9))
def test_floors_nest_and_take_out_what_is_whole(tree: Tree, a: int, b: int) -> None:
    size = size_of(tree)
    assert (size * a + size * a * b) // a == size + size * b
    assert ceil_divide(size * a, a) == size
    for h, w in POINTS[:8]:
        sizes = {"H": h, "W": w}
        nested, at_once = (size // a) // b, size // (a * b)
        assert substitute(nested, sizes) == substitute(at_once, sizes)
        assert substitute(ceil_divide(size, a), sizes) == -(-number_of(tree, sizes) // a)


CANONICAL: list[tuple[Size, Size]] = [
    ((2 * H + 6) // 2, H + 3),
    ((H // 2) // 2, H // 4),
    ((H // 2 - 1) // 2, (H - 2) // 4),
    (((H - 1) // 2 + 1 - 1) // 2 + 1, (H - 1) // 4 + 1),
    ((4 * H + 2) // 6, (2 * H + 1) // 3),
    (H % 1, 0),
    ((6 * H) % 3, 0),
    (H * W // W, H),
    ((H * W * 3 + W) // W, 3 * H + 1),
    (smaller(H, H + 1), H),
    (smaller(H // 4, H), H // 4),
    (smaller(H // 4, H // 8), H // 8),
    (larger(H * W // 3, H * W), H * W),
    (larger(H, H - 3), H),
    (smaller(H, W), smaller(W, H)),
    (product((H, W, 2)), 2 * W * H),
    (H - H, 0),
    (0 * H, 0),
]


@pytest.mark.parametrize(("left", "right"), CANONICAL, ids=str)
def test_one_size_has_one_form(left: Size, right: Size) -> None:
    assert left == right
    assert str(left) == str(right)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (H, "H"),
        (2 * H - 3, "2*H - 3"),
        (3 - H, "3 - H"),
        (-(H // 2), "-(H//2)"),
        (-H - 1, "-(H + 1)"),
        ((H + 1) // 2, "(H + 1)//2"),
        (3 * (H // 2), "3*(H//2)"),
        (H * (W // 2), "H*(W//2)"),
        (H // W, "H//W"),
        (5 // H, "5//H"),
        (smaller(H, 3), "min(3, H)"),
        (H * H, "H*H"),
    ],
)
def test_sizes_are_written_as_in_a_spec(size: Size, text: str) -> None:
    assert str(size) == text


def test_division_by_zero_is_refused() -> None:
    with pytest.raises(ZeroDivisionError):
        H // 0
    with pytest.raises(ZeroDivisionError):
        substitute(5 // H, {"H": 0})


def test_symbols_are_those_inside_floors_too() -> None:
    assert symbols((H * 3 + W // 2) // 4 + smaller(symbol("N"), 2)) == {"H", "W", "N"}
    assert symbols(3) == set()


@given(st.integers(1, 6), st.integers(1, 6), st.integers(-9, 9), st.integers(1, 40))
def test_after_a_period_a_size_has_moved_linearly(a: int, b: int, c: int, h: int) -> None:
    size = (3 * ((H + c) // a) + H) // b
    step = period(size)
    assert step is not None
    first, second, third = (substitute(size, {"H": h + k * step}) for k in range(3))
    assert second - first == third - second


def test_the_period_of_minima_is_unknown() -> None:
    assert period(smaller(H, 3)) is None
    assert period(3 // H) is None
    assert period(4) == 1


def test_the_weight_counts_what_a_size_is_made_of() -> None:
    size: Size = H
    weights = []
    for _ in range(5):
        size = (3 * size + 1) // 2
        assert isinstance(size, Dim)
        weights.append(size.weight)
    assert weights == sorted(set(weights))
