"""Attention, and the masks that say what it may see."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce

from graphc.dims import Size, product
from graphc.ops.activation import Real
from graphc.ops.arithmetic import broadcast, broadcastable
from graphc.ops.base import (
    Count,
    Flag,
    Fraction,
    Free,
    Op,
    Requirement,
    Symbolic,
    holds,
    not_smaller,
    same_size,
)
from graphc.ops.reach import ALL, UNKNOWN, Along, Seen, Sights, broadcasted
from graphc.ops.saved import NOTHING, Saved
from graphc.tensor import Shape, Tensor


class Attention(Op):
    """softmax(q kᵀ · scale + bias) v over the rows, where `mask` is true (`functional.scaled_dot_product_attention`).

    query [*, T, C], key [*, S, C], value [*, S, D] → [*, T, D]; the mask and the bias are broadcast to [*, T, S]. With
    `heads` the last axes have that many heads side by side, each of which attends alone: [*, heads, T, S]. The scale is
    1/√(C of one head) if not given. A mask of real numbers is added; a row that sees nothing becomes 0. With
    `is_causal` token t sees only what stands at 0 … t (Vaswani et al. 2017, 3.2).
    """

    name = "attention"
    main = "heads"
    example = "{heads: 8}"
    operands = ("[N, T, 64]", "[N, S, 64]")
    heads: Count | None = None
    """How many heads lie side by side in the last axes; without it heads are an axis of the operands."""
    is_causal: Flag = False
    """Token t sees only tokens 0 … t."""
    scale: Real | None = None
    """The factor of the scores; 1/√(C of one head) if not given."""
    dropout_p: Fraction = 0.0
    """In training, how probable it is that a weight of the attention becomes 0."""

    def requires(
        self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None, bias: Tensor | None = None
    ) -> Iterator[Requirement]:
        for operand in (query, key, value):
            yield Requirement(operand.rank >= 2, f"needs values with two axes or more, got {operand}")
            yield holds(operand, "float32")
        yield from self._fit(query, key, value)
        alone = not self.is_causal or (mask is None and bias is None)
        yield Requirement(alone, "is_causal goes without a mask: multiply the mask by causal_mask(size=…)")
        scores = self.scores(query, key)
        if mask is not None:
            yield holds(mask, "bool", "float32")
            yield from _fits("mask", mask, scores)
        if bias is not None:
            yield holds(bias, "float32")
            yield from _fits("bias", bias, scores)

    def _fit(self, query: Tensor, key: Tensor, value: Tensor) -> Iterator[Requirement]:
        """The operands go together."""
        c, d, heads = query.shape[-1], key.shape[-1], 1 if self.heads is None else self.heads
        yield same_size(c, d, f"the queries have {c} elements, the keys {d}")
        t, s = key.shape[-2], value.shape[-2]
        yield same_size(t, s, f"there are {t} keys and {s} values")
        for size in (c, value.shape[-1]):
            yield same_size(size % heads, 0, f"heads {heads} must divide the {size} elements of {query} and {value}")
        yield from broadcastable(query.shape[:-2], key.shape[:-2])
        yield from broadcastable(broadcast(query.shape[:-2], key.shape[:-2]), value.shape[:-2])

    def scores(self, query: Tensor, key: Tensor) -> Shape:
        """The shape of the scores, which the mask and the bias are broadcast to."""
        heads = () if self.heads is None else (self.heads,)
        return (*broadcast(query.shape[:-2], key.shape[:-2]), *heads, query.shape[-2], key.shape[-2])

    def infer(
        self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None, bias: Tensor | None = None
    ) -> Tensor:
        batch = reduce(broadcast, (operand.shape[:-2] for operand in (query, key, value)))
        return query.with_shape((*batch, query.shape[-2], value.shape[-1]))

    def macs(
        self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None, bias: Tensor | None = None
    ) -> Size:
        """Those of the two matrix products, causal or not."""
        found = self.infer(query, key, value)
        batch = broadcast(query.shape[:-2], key.shape[:-2])
        return product((*batch, query.shape[-2])) * product(key.shape[-2:]) + product(found.shape) * key.shape[-2]

    def work(
        self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None, bias: Tensor | None = None
    ) -> Size:
        """For each score its scale, what is added to it, and the five of a softmax."""
        return product(self.scores(query, key)) * (6 + (mask is not None) + (bias is not None))

    def sees(
        self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None, bias: Tensor | None = None
    ) -> Seen:
        result = self.infer(query, key, value).shape
        last = len(result) - 1
        of_head = ALL if self.heads in {None, 1} else UNKNOWN
        ends: tuple[Sights, ...] = (
            (Along(last - 1), of_head),
            (ALL, of_head),
            (ALL, Along(last) if of_head is ALL else UNKNOWN),
        )
        operands = zip((query, key, value), ends, strict=True)
        seen = [(*broadcasted(operand.shape[:-2], result[:-2]), *end) for operand, end in operands]
        return (*seen, *(None if one is None else self._seen_of(one, result) for one in (mask, bias)))

    def _seen_of(self, added: Tensor, result: Shape) -> Sights:
        """What a token's row reads of a mask or a bias, which the scores of all heads have."""
        batch = added.shape[:-2] if self.heads is None else added.shape[:-3]
        rows = ALL if added.shape[-2] == 1 != result[-2] else Along(len(result) - 2)
        heads = (ALL,) * (added.rank - len(batch) - 2)
        return (*broadcasted(batch, result[:-2]), *heads, rows, ALL)

    def saved(
        self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None, bias: Tensor | None = None
    ) -> Saved:
        """The operands, the output, and for each row of scores the logarithm of its sum: no score is kept."""
        added = tuple(number for number, operand in enumerate((mask, bias), 3) if operand is not None)
        sums = 4 * product(self.scores(query, key)[:-1])
        return Saved((0, 1, 2, *added), outputs=True, extra=sums)


class CausalMask(Free):
    """Which tokens a token sees, itself and those before it: bool [size, size] (`torch.ones(…).tril()`)."""

    name = "causal_mask"
    each = 0
    keeps = NOTHING
    main = "size"
    example = "12"
    size: Count | Symbolic
    """The number of tokens."""

    def requires(self) -> Iterator[Requirement]:
        yield not_smaller(self.size, 1, f"a size of {self.size} is not positive")

    def infer(self) -> Tensor:
        return Tensor((self.size, self.size), "bool")

    def sees(self) -> Seen:
        return ()


def _fits(name: str, operand: Tensor, scores: Shape) -> Iterator[Requirement]:
    """An operand can be broadcast to the scores, which do not grow by it."""
    message = f"the {name} {operand} can't be broadcast to the scores {Tensor(scores)}"
    yield Requirement(2 <= operand.rank <= len(scores), message)
    for size, wanted in zip(reversed(operand.shape), reversed(scores), strict=False):
        if size != 1:
            yield same_size(size, wanted, message)
