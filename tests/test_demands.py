"""Statements about sizes against looking at each size."""

from __future__ import annotations

from itertools import islice
from itertools import product as combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphc.demands import (
    EVERY_SIZE,
    LONGEST_PERIOD,
    PeriodError,
    Relation,
    Rule,
    SizeSet,
    Truth,
    allowed,
    at_least,
    divisible,
    equal,
    solve,
    under,
)
from graphc.dims import Size, larger, smaller, substitute, symbol

H, W = symbol("H"), symbol("W")
MANY = range(1, 301)


@st.composite
def linear(draw: st.DrawFn) -> Size:
    """A size that is linear in H between the steps of its floors, as those of real graphs are."""
    size: Size = H * draw(st.integers(-2, 3)) + draw(st.integers(-9, 9))
    for _ in range(draw(st.integers(0, 3))):
        size = (size + draw(st.integers(-4, 4))) // draw(st.integers(1, 4)) * draw(st.integers(1, 3))
        size = size + H * draw(st.integers(-1, 1)) + draw(st.integers(-9, 9))
    return size


relations = st.builds(Relation, linear(), st.sampled_from(["==", ">="]), linear())


@st.composite
def size_sets(draw: st.DrawFn) -> SizeSet:
    """Any set that a `SizeSet` can hold, with a small period."""
    period = draw(st.integers(1, 6))
    ranges: list[tuple[int, int | None] | None] = []
    for residue in range(1, period + 1):
        first = residue + period * draw(st.integers(0, 4))
        more = draw(st.one_of(st.none(), st.integers(0, 5)))
        last = None if more is None else first + more * period
        ranges.append(draw(st.sampled_from([None, (first, last)])))
    return SizeSet(tuple(ranges))


rules = st.builds(Rule, multiple=st.integers(1, 9), plus=st.integers(0, 12), min=st.integers(0, 40))


def members(sizes: SizeSet) -> set[int]:
    return {size for size in MANY if size in sizes}


def holding(relation: Relation) -> set[int]:
    return {size for size in MANY if relation.holds({"H": size})}


# --- statements about one size


@given(relations)
def test_solved_is_what_trying_each_size_gives(relation: Relation) -> None:
    solution = solve(relation)
    if solution is not None:
        assert members(solution) == holding(relation)


@given(relations)
def test_certain_is_what_holds_always_or_never(relation: Relation) -> None:
    decided = (equal if relation.kind == "==" else at_least)(relation.left, relation.right)
    if isinstance(decided, bool):
        assert holding(relation) == (set(MANY) if decided else set())
    else:
        solution = solve(relation)
        assert solution is not None
        assert solution
        assert EVERY_SIZE.without(solution, 1)


@given(linear(), st.integers(1, 12))
def test_divisible_is_no_rest(size: Size, divisor: int) -> None:
    wanted = {h for h in MANY if substitute(size, {"H": h}) % divisor == 0}
    assert wanted == decided_sizes(divisible(size, divisor))


def decided_sizes(truth: Truth) -> set[int]:
    if isinstance(truth, Relation):
        return holding(truth)
    return set(MANY) if truth else set()


@given(st.lists(relations, max_size=4))
def test_allowed_is_where_all_hold(several: list[Relation]) -> None:
    solvable = [relation for relation in several if solve(relation) is not None]
    assert members(allowed(several)) == set(MANY).intersection(*map(holding, solvable))


@pytest.mark.parametrize(
    ("relation", "text"),
    [
        (Relation(H % 16, "==", 0), "a multiple of 16"),
        (Relation(H % 16, "==", 12), "a multiple of 16 plus 12"),
        (Relation((H - 3) // 2, ">=", 10), "at least 23"),
        (Relation(2 * H, "==", 7), "no size at all"),
        (Relation(2 * H, "==", 8), "4"),
        (Relation(3, ">=", H), "from 1 to 3"),
        (Relation(40, ">=", 2 * H + H % 2), "from 1 to 20"),
        (Relation(40, ">=", H + 40 * (H % 2)), "one of 2, 4, 6, 8, 10, 12, 14, 16, …, 40"),
        (Relation(H // 2 * 2 + (H + 1) // 3 * 3, "==", 2 * H - 1), "one of 3, 4, 9, 10, 15, 16, 21, 22, …"),
        (Relation(3, ">=", H % 32), "one of 1 to 3, 32 to 35, 64 to 67, …"),
        (Relation(3, ">=", (H + 1) % 32), "one of 1, 2, 31 to 34, 63 to 66, …"),
    ],
    ids=str,
)
def test_solutions_are_said_as_a_person_would(relation: Relation, text: str) -> None:
    assert str(solve(relation)) == text


def test_what_is_not_linear_in_one_size_is_not_solved() -> None:
    unsolvable = [H * H, H * W, H + W, 5 // H, smaller(H, 3), H // (LONGEST_PERIOD + 1)]
    assert [solve(Relation(size, ">=", 4)) for size in unsolvable] == [None] * len(unsolvable)


# --- statements about several sizes


@st.composite
def of_two(draw: st.DrawFn) -> Size:
    """A size with two free sizes in it, products, quotients and extremes included."""
    size: Size = draw(st.sampled_from([H, W, H + W, H * W, H // W, smaller(H, W), larger(2 * H, W + 3)]))
    size = size * draw(st.integers(-2, 3)) + H * draw(st.integers(-1, 2)) + draw(st.integers(-6, 6))
    return size // draw(st.integers(1, 3))


@given(of_two(), of_two())
def test_certain_about_two_sizes_is_certain(left: Size, right: Size) -> None:
    for relation in (Relation(left, "==", right), Relation(left, ">=", right)):
        decided = (equal if relation.kind == "==" else at_least)(left, right)
        if isinstance(decided, bool):
            held = {relation.holds({"H": h, "W": w}) for h, w in combinations(range(1, 13), repeat=2)}
            assert held == {decided}


def test_a_quotient_does_not_grow_with_its_divisor() -> None:
    assert at_least(H // W, 1) is not True
    assert at_least(H * W, 1) is True
    assert at_least(H + W // 2, 1) is True


@given(of_two(), of_two(), rules, rules)
def test_certain_under_rules_is_certain_for_their_sizes(left: Size, right: Size, h: Rule, w: Rule) -> None:
    firsts = [list(islice(rule.sizes(), 6)) for rule in (h, w)]
    for relation in (Relation(left, "==", right), Relation(left, ">=", right)):
        decided = under(relation, {"H": h, "W": w})
        if isinstance(decided, bool):
            held = {relation.holds({"H": a, "W": b}) for a, b in combinations(*firsts)}
            assert held == {decided}


def test_rules_decide_what_is_open_without_them() -> None:
    windows = Relation((H // 7) * (W // 7) * 49, "==", H * W)
    assert equal(windows.left, windows.right) == windows
    assert under(windows, {"H": Rule(7), "W": Rule(14)}) is True
    assert under(windows, {"H": Rule(7), "W": Rule(3)}) is not True


def test_a_size_may_have_any_name() -> None:
    assert Relation(symbol("self"), "==", 3).holds({"self": 3})
    with pytest.raises(KeyError):
        Relation(H, "==", W).holds({"H": 3})


# --- sets


@given(size_sets(), size_sets())
def test_both_are_the_common_sizes(left: SizeSet, right: SizeSet) -> None:
    assert members(left & right) == members(left) & members(right)


@given(size_sets(), size_sets())
def test_less_is_a_subset(left: SizeSet, right: SizeSet) -> None:
    assert (left <= right) == (members(left) <= members(right))
    assert left & right <= left


@given(size_sets(), size_sets(), st.integers(0, 5))
def test_without_is_what_only_the_first_has(left: SizeSet, right: SizeSet, how_many: int) -> None:
    wanted = sorted(members(left) - members(right))
    assert left.without(right, how_many) == wanted[:how_many]


@given(size_sets())
def test_sizes_come_in_order(sizes: SizeSet) -> None:
    wanted = sorted(members(sizes))
    assert list(islice(sizes, 20)) == wanted[:20]
    assert bool(sizes) == bool(wanted)


@given(size_sets())
def test_a_rule_says_exactly_the_set(sizes: SizeSet) -> None:
    rule = sizes.rule()
    if rule is not None:
        assert members(rule.sizes()) == members(sizes)
        assert {size for size in MANY if size in rule} == members(sizes)


@given(rules)
def test_the_sizes_of_a_rule_have_a_rule(rule: Rule) -> None:
    assert members(rule.sizes()) == {size for size in MANY if size in rule}
    again = rule.sizes().rule()
    assert again is not None
    assert members(again.sizes()) == members(rule.sizes())


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (Rule(), "at least 1"),
        (Rule(16), "a multiple of 16"),
        (Rule(16, 12), "a multiple of 16 plus 12"),
        (Rule(16, 12, 188), "a multiple of 16 plus 12 and at least 188"),
        (Rule(min=188), "at least 188"),
    ],
)
def test_rules_are_said_as_a_person_would(rule: Rule, text: str) -> None:
    assert str(rule) == text


def test_large_sizes_are_no_slower_than_small_ones() -> None:
    far = Rule(16, 12, 10**12).sizes()
    assert list(islice(far, 2)) == [10**12 + 12, 10**12 + 28]
    assert EVERY_SIZE.without(far, 2) == [1, 2]
    assert far.without(Rule(min=10**12 + 20).sizes(), 3) == [10**12 + 12]
    assert list(SizeSet.only(10**12)) == [10**12]


def test_periods_that_are_too_long_are_refused() -> None:
    with pytest.raises(PeriodError, match="repeat only after"):
        Rule(9973).sizes() & Rule(9967).sizes()
