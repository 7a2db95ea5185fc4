"""Aligns two sequences: unique elements first (patience), then by Myers 1986, in windows that keep it linear."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias, TypeVar

T = TypeVar("T")
Pairs: TypeAlias = list[tuple[int, int]]

MOST_EDITS = 96
"""So many insertions and deletions are looked ahead before a choice is made."""
MOST_CELLS = 2500
"""Tables of at most so many cells are filled as a whole."""
WINDOW = 32


def common(left: Sequence[int], right: Sequence[int]) -> Pairs:
    """A long common subsequence, as pairs of places."""
    start, end = 0, 0
    shorter = min(len(left), len(right))
    while start < shorter and left[start] == right[start]:
        start += 1
    while end < shorter - start and left[-1 - end] == right[-1 - end]:
        end += 1
    middle = _middle(left[start : len(left) - end], right[start : len(right) - end])
    tail = ((len(left) - end + k, len(right) - end + k) for k in range(end))
    return [*((k, k) for k in range(start)), *((i + start, j + start) for i, j in middle), *tail]


def weighted(rows: int, columns: int, score: Callable[[int, int], float]) -> Pairs:
    """The pairs in order with the highest sum of scores, as Needleman and Wunsch 1970; in windows where it is large."""
    found: Pairs = []
    i = j = 0
    while i < rows and j < columns:
        if (rows - i) * (columns - j) <= MOST_CELLS:
            return found + _table((i, rows), (j, columns), score)
        pairs = _table((i, min(rows, i + WINDOW)), (j, min(columns, j + WINDOW)), score)
        kept = [pair for pair in pairs if pair[0] < i + WINDOW // 2 and pair[1] < j + WINDOW // 2]
        found += kept
        i, j = (kept[-1][0] + 1, kept[-1][1] + 1) if kept else (i + WINDOW // 2, j + WINDOW // 2)
    return found


def gaps(pairs: Pairs, rows: int, columns: int) -> Iterator[tuple[range, range]]:
    """The stretches between pairs that are in order."""
    i = j = 0
    for row, column in (*pairs, (rows, columns)):
        yield range(i, row), range(j, column)
        i, j = row + 1, column + 1


def _middle(left: Sequence[int], right: Sequence[int]) -> Pairs:
    if not left or not right:
        return []
    anchors = _anchors(left, right)
    if not anchors:
        return _myers(left, right)
    found: Pairs = []
    for number, (rows, columns) in enumerate(gaps(anchors, len(left), len(right))):
        inner = common(left[rows.start : rows.stop], right[columns.start : columns.stop])
        found += [(i + rows.start, j + columns.start) for i, j in inner]
        found += anchors[number : number + 1]
    return found


def _anchors(left: Sequence[int], right: Sequence[int]) -> Pairs:
    """The longest rising run of elements that are once on each side."""
    counts = Counter(left)
    others = Counter(right)
    places = {it: j for j, it in enumerate(right) if others[it] == 1}
    once = [(i, places[it]) for i, it in enumerate(left) if counts[it] == 1 and it in places]
    ends: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for number, (_, j) in enumerate(once):
        place = bisect_left(ends, j)
        before.append(last[place - 1] if place else -1)
        ends[place : place + 1] = [j]
        last[place : place + 1] = [number]
    chain: Pairs = []
    number = last[-1] if last else -1
    while number >= 0:
        chain.append(once[number])
        number = before[number]
    return chain[::-1]


def _myers(left: Sequence[int], right: Sequence[int]) -> Pairs:
    found: Pairs = []
    i = j = 0
    while i < len(left) and j < len(right):
        pairs, i, j = _advance(left, right, i, j)
        found += pairs
    return found


def _advance(left: Sequence[int], right: Sequence[int], i: int, j: int) -> tuple[Pairs, int, int]:
    """The path that gets furthest from a place with a limited number of edits, and where it ends."""
    rows, columns = len(left) - i, len(right) - j
    reach = {1: 0}
    trace: list[dict[int, int]] = []
    for edits in range(min(rows + columns, MOST_EDITS) + 1):
        trace.append(dict(reach))
        for k in range(-edits, edits + 1, 2):
            down = k == -edits or (k != edits and reach[k - 1] < reach[k + 1])
            x = reach[k + 1] if down else reach[k - 1] + 1
            while x < rows and x - k < columns and left[i + x] == right[j + x - k]:
                x += 1
            reach[k] = x
            if x >= rows and x - k >= columns:
                return _back(trace, k, x, i, j), i + rows, j + columns
    inside = [k for k, x in reach.items() if x <= rows and 0 <= x - k <= columns and (k - edits) % 2 == 0]
    k = max(inside, key=lambda it: (2 * reach[it] - it, -abs(it)))
    return _back(trace, k, reach[k], i, j), i + reach[k], j + reach[k] - k


def _back(trace: list[dict[int, int]], k: int, x: int, i: int, j: int) -> Pairs:
    """The matches on the way to (x, x - k)."""
    found: Pairs = []
    for edits in range(len(trace) - 1, -1, -1):
        reach = trace[edits]
        down = k == -edits or (k != edits and reach[k - 1] < reach[k + 1])
        before = k + 1 if down else k - 1
        start = (reach[before] if down else reach[before] + 1) if edits else 0
        found += [(i + y, j + y - k) for y in range(x - 1, start - 1, -1)]
        k, x = before, reach.get(before, 0)
    return found[::-1]


def _table(rows: tuple[int, int], columns: tuple[int, int], score: Callable[[int, int], float]) -> Pairs:
    """Filled from behind, so that of equal choices the pairs come early and what is left over late."""
    height, width = rows[1] - rows[0], columns[1] - columns[0]
    scores = [[score(rows[0] + i, columns[0] + j) for j in range(width)] for i in range(height)]
    best = [[0.0] * (width + 1) for _ in range(height + 1)]
    for i in range(height - 1, -1, -1):
        row, below, line = best[i], best[i + 1], scores[i]
        for j in range(width - 1, -1, -1):
            paired = below[j + 1] + line[j] if line[j] > 0 else 0.0
            row[j] = max(paired, below[j], row[j + 1])
    found: Pairs = []
    i = j = 0
    while i < height and j < width:
        if scores[i][j] > 0 and best[i][j] == best[i + 1][j + 1] + scores[i][j]:
            found.append((i + rows[0], j + columns[0]))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i][j + 1]:
            j += 1
        else:
            i += 1
    return found
