"""Tables of learned vectors, and tensors that are learned by themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from graphc.ops.base import Axis, Count, Free, Requirement, Symbolic, holds, not_smaller
from graphc.ops.loss import NonNegative
from graphc.ops.reach import Seen, alike
from graphc.ops.saved import INPUT, NOTHING
from graphc.ops.source import Sizes, positive
from graphc.tensor import Constant, Normal, Tensor, Weight


class Embedding(Free):
    """A vector for each number 0 … num_embeddings - 1: [*] int64 → [*, embedding_dim] (`torch.nn.Embedding`).

    The vector of `padding_idx` begins as 0 and learns nothing.
    """

    name = "embedding"
    each = 0
    keeps = INPUT
    example = "{num_embeddings: 1000, embedding_dim: 64}"
    operands = ("int64 [N, T]",)
    num_embeddings: Count | Symbolic
    """How many vectors there are; where sizes are in it, they are fixed in what is built."""
    embedding_dim: Count
    """How long each is."""
    padding_idx: Axis | None = None
    """The vector that begins as 0 and learns nothing; a negative number counts from the end."""

    def requires(self, input: Tensor) -> Iterator[Requirement]:
        count, padding = self.num_embeddings, self.padding_idx
        yield not_smaller(count, 1, f"num_embeddings {count} is not positive")
        if padding is not None:
            needed = padding + 1 if padding >= 0 else -padding
            yield not_smaller(count, needed, f"padding_idx {padding} is none of num_embeddings {count}")
        yield holds(input, "int64")

    def infer(self, input: Tensor) -> Tensor:
        return Tensor((*input.shape, self.embedding_dim))

    def weights(self, input: Tensor) -> Mapping[str, Weight]:
        return {"weight": Weight((self.num_embeddings, self.embedding_dim), Normal(zero_row=self.padding_idx))}

    def sees(self, input: Tensor) -> Seen:
        return (alike(input.rank),)


class Learned(Free):
    """A learned tensor of this shape, at first 0 or, with `std`, normally distributed (`torch.nn.Parameter`)."""

    name = "parameter"
    each = 0
    keeps = NOTHING
    example = "{shape: [1, 1, 64], std: 0.02}"
    shape: Sizes
    """The shape of the tensor; free sizes in it are fixed in what is built."""
    std: NonNegative = 0.0
    """The standard deviation of the initial values; with 0 all begin as 0."""

    def requires(self) -> Iterator[Requirement]:
        yield from positive(self.shape)

    def infer(self) -> Tensor:
        return Tensor(self.shape)

    def weights(self) -> Mapping[str, Weight]:
        return {"weight": Weight(self.shape, Normal(std=self.std) if self.std else Constant(0))}

    def sees(self) -> Seen:
        return ()
