"""Operands with free sizes, which settled cases share."""

from __future__ import annotations

from graphc.dims import symbol
from interpreter import Sizes
from sketch import tensor

N, H, W = symbol("N"), symbol("H"), symbol("W")
SIZES: list[Sizes] = [{"N": 2, "H": 13, "W": 18, "h": 8, "w": 11}, {"N": 1, "H": 21, "W": 12, "h": 20, "w": 12}]
"""What settled cases are run at."""

IMAGE = tensor("N", 6, "H", "W")
SMALL = tensor("N", 6, "h", "w")
FIXED = tensor("N", 6, 11, 14)
HALF_FIXED = tensor("N", 6, 10, "W")
SQUARE = tensor(2 * H - 5, 9, "N", "H")
ROW, SOLID = tensor("N", 6, "H"), tensor("N", 6, 7, "H", "W")
VECTOR = tensor("N", 5)
MATRIX = tensor("N", 3)
INTEGERS = tensor("N", 3, dtype="int64")
FLAGS = tensor("N", 3, dtype="bool")
LABELS = tensor("N", "H", "W", dtype="int64")
