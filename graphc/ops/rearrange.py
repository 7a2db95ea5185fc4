"""Axes split, joined and brought into another order, in the notation of einops."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from math import prod
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from graphc.dims import Size, product
from graphc.ops.base import Count, Rearranged, Requirement, Symbolic, not_smaller, same_size
from graphc.ops.reach import ALL, Along, Digit, Divided, Moved, Seen, Sight
from graphc.ops.shape import quotient
from graphc.tensor import Tensor

Group: TypeAlias = tuple[str, ...]
"""The axes that one axis of a value is made of: none for `1`, several in parentheses."""

_SIDE = re.compile(r"(\s*(\([^()]*\)|[^\s()]+))*\s*")
_GROUP = re.compile(r"[^\s()]+|\([^()]*\)")


class PatternError(Exception):
    """What is wrong with a pattern, to be read behind its name."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """The axes of a value as they are, and as they stand afterwards."""

    left: tuple[Group, ...]
    right: tuple[Group, ...]

    @property
    def names(self) -> Group:
        """The axes, all split, in their order."""
        return joined(self.left)

    @property
    def order(self) -> tuple[int, ...]:
        """The number that each axis had, in the order afterwards."""
        return tuple(map(self.names.index, joined(self.right)))


@lru_cache(maxsize=1 << 10)
def parsed(text: str) -> Pattern:
    """A pattern such as `N (h p) C -> N C h p`.

    Raises:
        PatternError: it is none.
    """
    left, arrow, right = text.partition("->")
    if not arrow or "->" in right:
        raise PatternError("needs one `->`")
    found = Pattern(_side(left), _side(right))
    for names, others, side in ((found.left, found.right, "left"), (found.right, found.left, "right")):
        for name in joined(names):
            if name not in joined(others):
                raise PatternError(f"has the axis `{name}` on the {side} only")
    return found


def _side(text: str) -> tuple[Group, ...]:
    """The axes on one side of the arrow."""
    if not _SIDE.fullmatch(text):
        raise PatternError(f"has parentheses that are not closed, or inside others: `{text.strip()}`")
    groups = tuple(tuple(_names(group.strip("()"))) for group in _GROUP.findall(text))
    names = joined(groups)
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise PatternError(f"has the axis `{twice}` twice on one side")
    return groups


def _names(text: str) -> Iterator[str]:
    for name in text.split():
        if name != "1":
            if not name.isidentifier():
                raise PatternError(f"has `{name}`, which is no name of an axis")
            yield name


def joined(groups: tuple[Group, ...]) -> Group:
    """The axes of all groups."""
    return tuple(name for group in groups for name in group)


def _checked(text: str) -> str:
    try:
        parsed(text)
    except PatternError as error:
        raise PydanticCustomError("pattern", "{said}", {"said": str(error)}) from error
    return text


class Rearrange(Rearranged):
    """Axes split, joined and brought into another order: `N C h w -> N (h w) C` (`einops.rearrange`).

    Each axis has a name; parentheses are an axis that is made of several, of which the last runs fastest; 1 is an axis
    of that size. Where an axis is split, all its parts but one get their sizes as further attributes:
    `{pattern: N (h p) C -> N C h p, p: 7}`.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Count | Symbolic] = Field(init=False)

    name = "rearrange"
    main = "pattern"
    example = "N C h w -> N (h w) C"
    pattern: Annotated[str, AfterValidator(_checked)]
    """The axes before and after the arrow. Sizes of their parts are further attributes: `h: 7`."""

    @property
    def parsed(self) -> Pattern:
        """The pattern, read."""
        return parsed(self.pattern)

    @property
    def sizes(self) -> Mapping[str, Size]:
        """The sizes of axes that are given."""
        return self.__pydantic_extra__

    @cached_property
    def exact(self) -> tuple[object, ...]:
        return type(self), self.pattern, *sorted(self.sizes.items())

    @property
    def canonical(self) -> tuple[object, ...]:
        pattern = self.parsed
        number = {name: place for place, name in enumerate(pattern.names)}
        sides = (
            tuple(tuple(number[name] for name in group) for group in side) for side in (pattern.left, pattern.right)
        )
        return type(self), *sides, *sorted((number[name], size) for name, size in self.sizes.items() if name in number)

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        pattern = self.parsed
        for name in self.sizes:
            yield Requirement(name in pattern.names, f"the pattern has no axis `{name}`: {self.pattern}")
        count = len(pattern.left)
        yield Requirement(count == input.rank, f"the pattern begins with {count} axes, {input} has {input.rank}")
        for group, size in zip(pattern.left, input.shape, strict=True):
            yield from self._fits(group, size)

    def _fits(self, group: Group, size: Size) -> Iterator[Requirement]:
        """An axis can be split so."""
        left = [name for name in group if name not in self.sizes]
        given = [self.sizes[name] for name in group if name in self.sizes]
        for part in given:
            yield not_smaller(part, 1, f"a size of {part} is not positive")
        said = " ".join(group)
        if len(left) > 1:
            wanted = " or ".join(f"`{name}`" for name in left)
            yield Requirement(False, f"needs the size of {wanted}: ({said}) is an axis of {size}")
        elif not left:
            what = f"({said}), which is {product(given)}," if group else "1"
            yield same_size(size, product(given), f"the pattern has {what} for an axis of {size}")
        elif given:
            rest = quotient([size], given)
            yield Requirement(rest is not None, f"it is not certain what `{left[0]}` is in ({said}) of {size}")
            yield same_size(
                size, (rest or 0) * product(given), f"{size} can't be split into ({said}): {self.given(group)}"
            )

    def given(self, group: Group) -> str:
        """The sizes that are given for some axes, in words."""
        return ", ".join(f"{name} is {self.sizes[name]}" for name in group if name in self.sizes)

    def infer(self, input: Tensor) -> Tensor:
        sizes = self.split(input)
        return input.with_shape(tuple(product(sizes[name] for name in group) for group in self.parsed.right))

    def split(self, input: Tensor) -> dict[str, Size]:
        """The size of every axis, in the order of the value."""
        found: dict[str, Size] = {}
        for group, size in zip(self.parsed.left, input.shape, strict=True):
            rest = quotient([size], [self.sizes[name] for name in group if name in self.sizes])
            found.update({name: self.sizes.get(name, rest or 0) for name in group})
        return found

    def shares(self, training: bool) -> bool:
        """Whether no axes are joined that did not stand beside each other in this order."""
        places = [[self.parsed.names.index(name) for name in group] for group in self.parsed.right]
        return all(b == a + 1 for group in places for a, b in pairwise(group))

    def sees(self, input: Tensor) -> Seen:
        sizes, pattern = self.split(input), self.parsed
        before, after = (
            [tuple(name for name in group if sizes[name] != 1) for group in side]
            for side in (pattern.left, pattern.right)
        )
        return (tuple(_seen(group, after, sizes) for group in before),)


def _seen(group: Group, after: Sequence[Group], sizes: Mapping[str, Size]) -> Sight:
    """What is read along an axis that is made of these; those of size 1 are left out."""
    if not group:
        return ALL
    if group in after:
        return Along(after.index(group))
    axes = {name: axis for axis, names in enumerate(after) for name in names}
    fixed = {name: size for name, size in sizes.items() if isinstance(size, int)}
    if any(name not in fixed for axis in {axes[name] for name in group} for name in (*group, *after[axis])):
        return Moved(frozenset(axes[name] for name in group))
    return Divided(
        tuple(
            Digit(fixed[name], _behind(name, group, fixed), axes[name], _behind(name, after[axes[name]], fixed))
            for name in group
        )
    )


def _behind(name: str, group: Group, sizes: Mapping[str, int]) -> int:
    """How many positions along an axis one step of a part of it is."""
    return prod(sizes[other] for other in group[group.index(name) + 1 :])
