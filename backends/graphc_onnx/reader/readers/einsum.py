"""Sums of products, as letters say them."""

from __future__ import annotations

from dataclasses import dataclass

from graphc.graph import Value
from graphc.ops.arithmetic import Matmul
from graphc_onnx.reader.entries import UnreadError
from graphc_onnx.reader.readers.shape import swapped
from graphc_onnx.reader.site import Site, reads


@dataclass(frozen=True, slots=True)
class Product:
    """A product of matrices: the letters of the batch, of the rows, of what is summed over, and of the columns."""

    batch: str
    row: str
    inner: str
    column: str

    @classmethod
    def read(cls, equation: str) -> Product:
        """`bhid,bhjd->bhij` as b h, i, d, j.

        Raises:
            UnreadError: it is no product of two batches of matrices.
        """
        terms, _, result = equation.replace(" ", "").partition("->")
        left, _, right = terms.partition(",")
        batch = "".join(letter for letter in result if letter in left and letter in right)
        row = "".join(letter for letter in result if letter in left and letter not in right)
        column = "".join(letter for letter in result if letter in right and letter not in left)
        inner = "".join(letter for letter in left if letter in right and letter not in result)
        made = cls(batch, row, inner, column)
        is_whole = sorted(left) == sorted(batch + row + inner) and sorted(right) == sorted(batch + inner + column)
        if not is_whole or not result.isalpha() or (len(row), len(inner), len(column)) != (1, 1, 1):
            raise UnreadError(f"Einsum: {equation}")
        return made


@reads("Einsum")
def einsum(site: Site) -> Value:
    """A product of matrices, with the axes where it needs them."""
    equation = site.text("equation", "").replace(" ", "")
    product = Product.read(equation)
    terms, _, result = equation.partition("->")
    left, _, right = terms.partition(",")
    first = _turned(site, site.value(0), left, product.batch + product.row + product.inner)
    other = _turned(site, site.value(1), right, product.batch + product.inner + product.column)
    return _turned(site, site.give(Matmul(), first, other), product.batch + product.row + product.column, result)


def _turned(site: Site, value: Value, letters: str, wanted: str) -> Value:
    """A value whose axes have letters, with the axes in another order."""
    order = tuple(letters.index(letter) for letter in wanted)
    return value if letters == wanted else site.give(swapped(order), value)
