"""Layouts of elements that were only moved: against PyTorch, which moves them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphc.dims import symbol
from graphc.layout import Layout, begin, one_op
from graphc.ops.rearrange import joined

Move: TypeAlias = Callable[[Layout], "Layout | None"]
N = symbol("N")


def in_torch(layout: Layout, value: torch.Tensor) -> torch.Tensor:
    """What the one op of a layout makes of a value, by torch alone."""
    op = one_op(layout)
    assert op is not None
    pattern = op.parsed
    sizes: dict[str, int] = {}
    for group, size in zip(pattern.left, value.shape, strict=True):
        given_ = {name: int(str(op.sizes[name])) for name in group if name in op.sizes}
        rest = size // torch.tensor(list(given_.values()), dtype=torch.int64).prod().item()
        sizes |= {name: given_.get(name, int(rest)) for name in group}
    moved = value.reshape([sizes[name] for name in pattern.names]).permute(pattern.order)
    axes = [[sizes[name] for name in group] for group in pattern.right]
    return moved.reshape([int(torch.tensor(each, dtype=torch.int64).prod()) for each in axes])


@given(st.data())
def test_a_chain_of_moves_is_one_op(data: st.DataObject) -> None:
    shape = data.draw(st.lists(st.sampled_from([1, 2, 3, 4, 6]), min_size=1, max_size=4))
    value = torch.arange(int(torch.tensor(shape).prod())).reshape(shape)
    found, moved = begin(tuple(shape)), value
    for _ in range(data.draw(st.integers(0, 4))):
        if data.draw(st.booleans()):
            order = data.draw(st.permutations(range(moved.ndim)))
            found, moved = found.permuted(order), moved.permute(order)
        else:
            wanted = data.draw(st.sampled_from(factored(moved.numel())))
            after = found.reshaped(wanted)
            if after is None:
                continue
            found, moved = after, moved.reshape(wanted)
    assert found.shape() == tuple(moved.shape)
    assert torch.equal(in_torch(found, value), moved)
    if found.is_identity:
        assert torch.equal(value, moved)


def factored(count: int) -> list[tuple[int, ...]]:
    """Some shapes of so many elements."""
    pairs = [(a, count // a) for a in range(1, count + 1) if count % a == 0]
    triples = [(a, b, c // b) for a, c in pairs for b in range(1, c + 1) if c % b == 0]
    return [(count,), *pairs, *triples[:40], (1, count, 1)]


def test_there_and_back_is_nothing() -> None:
    start = begin((N, 12, 5, 64))
    there = start.permuted((2, 0, 1, 3)).reshaped((5, N * 12, 64))
    assert there is not None
    assert not there.is_identity
    back = there.reshaped((5, N, 12, 64))
    assert back is not None
    assert back.permuted((1, 2, 0, 3)).is_identity


def test_equal_layouts_are_written_alike() -> None:
    """Axes that are joined and split again on the way, or 1 for a while, leave no trace."""
    plain = begin((2, 6, 4)).permuted((1, 0, 2))
    detour = begin((2, 6, 4)).reshaped((2, 1, 3, 2, 4))
    assert detour is not None
    turned = detour.permuted((2, 3, 1, 0, 4)).reshaped((6, 2, 4))
    assert turned is not None
    assert one_op(turned) == one_op(plain)
    assert joined(one_op(plain).parsed.left) == ("a0", "a1", "a2")  # type: ignore[union-attr]  # it is one


@pytest.mark.parametrize(("before", "after"), [((6, 4), (8, 3)), ((N, 4), (2, N * 2)), ((4,), (4, 2)), ((4, 2), (4,))])
def test_what_becomes_which_axis_is_not_guessed(before: tuple[int, ...], after: tuple[int, ...]) -> None:
    assert begin(before).reshaped(after) is None


def test_of_an_atom_one_place_is_taken() -> None:
    packed = begin((N, 5, 24)).reshaped((N, 5, 3, 2, 4))
    assert packed is not None
    part = packed.at(2, 1)
    assert part is not None
    assert part.shape() == (N, 5, 2, 4)
    assert list(part.taken.values()) == [1]
    assert not part.is_identity
    whole = begin((6, 4)).reshaped((24,))
    assert whole is not None
    assert whole.at(0, 1) is None
