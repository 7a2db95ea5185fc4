"""Sizes as they are told, under the rules of their names: what is written is the size, for all sizes of the kind."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from graphc.demands import Rule
from graphc.dims import Size, floor_divide, substitute, symbol
from graphc.pretty import pretty

H, W, N = symbol("H"), symbol("W"), symbol("N")
RULES = {"H": Rule(32), "W": Rule(32)}


def test_products_of_parts_lose_their_floors_where_these_are_exact() -> None:
    patches = floor_divide(H, 16) * floor_divide(W, 16)
    assert pretty(patches, RULES) == "H*W/256"
    assert pretty(patches + floor_divide(H, 32) * floor_divide(W, 32), RULES) == "5*H*W/1024"
    assert pretty(patches + 1, RULES) == "(H*W + 256)/256"
    assert pretty(patches * N * 256, RULES) == "H*N*W"


def test_what_no_rule_makes_exact_stays() -> None:
    for size in (floor_divide(H, 64) * W, floor_divide(H * W, 3)):
        assert pretty(size, RULES) == str(size)
    patches = floor_divide(H, 16) * floor_divide(W, 16)
    assert pretty(patches, {}) == str(patches)
    assert pretty(patches, {"H": Rule(16, plus=12), "W": Rule(16)}) == str(patches)


@given(
    st.lists(
        st.tuples(st.integers(-3, 9), st.sampled_from([1, 2, 4, 8, 16, 32]), st.booleans()), min_size=1, max_size=4
    ),
    st.integers(1, 9),
    st.integers(1, 9),
)
def test_what_is_written_is_the_size(terms: list[tuple[int, int, bool]], rows: int, columns: int) -> None:
    size: Size = 0
    for factor, divisor, both in terms:
        size = size + factor * floor_divide(H, divisor) * (floor_divide(W, divisor) if both else 1)
    at = {"H": 32 * rows, "W": 32 * columns}
    assert value(pretty(size, RULES), at) == substitute(size, at)


def value(text: str, at: dict[str, int]) -> object:
    """What a text comes to, read by another program."""
    import sympy

    return sympy.sympify(re.sub("//", "/", text), locals={name: sympy.Integer(number) for name, number in at.items()})
