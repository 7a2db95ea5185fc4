"""Python's operators: how strongly each binds, and where an operand needs parentheses."""

from __future__ import annotations

import re

ATOM = 9
"""How strongly a name, a number or a call binds."""
POWER = 8
UNARY = 7
COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
NOT = 3
STRENGTH = {"or": 1, "and": 2, "+": 5, "-": 5, "*": 6, "/": 6, "//": 6, "%": 6, "@": 6, "**": POWER}
STRENGTH |= dict.fromkeys(COMPARISONS, 4)


def is_bare(strength: int, operator: str, *, first: bool) -> bool:
    """Whether an operand that binds so strongly goes without parentheses, as the first one or behind it."""
    if operator == "**":
        return strength == ATOM or (strength == UNARY and not first)
    return strength >= STRENGTH[operator] + (not first or operator in COMPARISONS)


def chains(operator: str) -> bool:
    """Whether a op b op c is (a op b) op c."""
    return operator not in COMPARISONS and operator != "**"


def gap(operator: str, left: str, right: str) -> str:
    """What stands on both sides of an operator: `ruff format` joins a power of plain operands."""
    return "" if operator == "**" and _is_plain(left) and _is_plain(right) else " "


def _is_plain(operand: str) -> bool:
    """A name, a number or an attribute."""
    return re.fullmatch(r"-?[\w.]+(e-\d+)?", operand) is not None
