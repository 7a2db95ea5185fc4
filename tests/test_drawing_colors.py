"""That colours can be told apart and text can be read is computed here, from published models."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import combinations

import pytest

from graphc.ops import OPS
from graphc_graphviz.style import FAMILIES, MARK_STYLES, SIGNS, THEMES, Theme, family

Color = tuple[float, float, float]

VISIONS = {
    "normal": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    # Viénot, Brettel, Mollon 1999, "Digital video colourmaps for checking the legibility of displays by dichromats"
    "protanopia, Viénot": ((0.11238, 0.88762, 0), (0.11238, 0.88762, 0), (0.00401, -0.00401, 1)),
    "deuteranopia, Viénot": ((0.29275, 0.70725, 0), (0.29275, 0.70725, 0), (-0.02234, 0.02234, 1)),
    # Machado, Oliveira, Fernandes 2009, "A physiologically-based model for simulation of color vision deficiency", 1.0
    "protanopia, Machado": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia, Machado": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia, Machado": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
"""What is left of linear RGB, by the kind of colour vision."""
LEAST = 13
"""The distance in CIELAB (1976) below which two colours count as alike; one that is just seen is about 2.3."""


def linear(color: str) -> Color:
    red, green, blue = (int(color[start : start + 2], 16) / 255 for start in (1, 3, 5))
    return _linear(red), _linear(green), _linear(blue)


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def seen(color: str, vision: str) -> Color:
    red, green, blue = (
        min(1, max(0, sum(a * b for a, b in zip(row, linear(color), strict=True)))) for row in VISIONS[vision]
    )
    return red, green, blue


def lab(color: Color) -> Color:
    """CIELAB under D65."""
    red, green, blue = color
    x = (0.4124564 * red + 0.3575761 * green + 0.1804375 * blue) / 0.95047
    y = 0.2126729 * red + 0.7151522 * green + 0.0721750 * blue
    z = (0.0193339 * red + 0.1191920 * green + 0.9503041 * blue) / 1.08883
    return 116 * _root(y) - 16, 500 * (_root(x) - _root(y)), 200 * (_root(y) - _root(z))


def _root(part: float) -> float:
    return math.cbrt(part) if part > 216 / 24389 else (24389 / 27 * part + 16) / 116


def distance(left: str, right: str, vision: str) -> float:
    pairs = zip(lab(seen(left, vision)), lab(seen(right, vision)), strict=True)
    return math.hypot(*(a - b for a, b in pairs))


def contrast(left: str, right: str) -> float:
    """WCAG 2.1's ratio."""
    dark, light = sorted(
        sum(a * b for a, b in zip((0.2126, 0.7152, 0.0722), linear(color), strict=True)) for color in (left, right)
    )
    return (light + 0.05) / (dark + 0.05)


def too_near(colors: Iterable[str], vision: str) -> list[tuple[str, str]]:
    return [(a, b) for a, b in combinations(colors, 2) if distance(a, b, vision) < LEAST]


themes = pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)


@pytest.mark.parametrize("vision", VISIONS)
def test_kinds_are_told_apart_with_each_kind_of_vision(vision: str) -> None:
    assert too_near(FAMILIES.values(), vision) == []


@pytest.mark.parametrize("vision", VISIONS)
@themes
def test_marks_are_told_apart_with_each_kind_of_vision(theme: Theme, vision: str) -> None:
    assert too_near(theme.marks.values(), vision) == []


def test_the_measure_finds_colours_that_are_taken_for_each_other() -> None:
    """Paul Tol's light pink and pale grey, which a deuteranope hardly tells apart."""
    assert too_near(["#FFAABB", "#DDDDDD"], "deuteranopia, Machado")
    assert too_near(["#FFAABB", "#DDDDDD"], "deuteranopia, Viénot")
    assert not too_near(["#FFAABB", "#DDDDDD"], "normal")


def test_marks_are_told_apart_without_colours() -> None:
    assert len(set(SIGNS.values())) == len(SIGNS) == 4
    assert MARK_STYLES.keys() <= SIGNS.keys()
    assert all(theme.marks.keys() == SIGNS.keys() for theme in THEMES.values())


@themes
def test_text_stands_out_from_what_it_stands_on(theme: Theme) -> None:
    """Contrast of at least 4.5, as WCAG 2.1 asks of text."""
    grounds = (theme.background, *theme.boxes)
    assert min(contrast(theme.ink, fill) for fill in FAMILIES.values()) >= 4.5
    assert min(contrast(color, ground) for color in (theme.text, theme.faint) for ground in grounds) >= 4.5


@themes
def test_lines_and_marks_stand_out(theme: Theme) -> None:
    """Contrast of at least 3, as WCAG 2.1 asks of graphics."""
    grounds = (theme.background, *theme.boxes)
    lines = (theme.line, theme.skip, *theme.marks.values())
    assert min(contrast(line, ground) for line in lines for ground in grounds) >= 3


def test_each_op_is_of_a_kind() -> None:
    assert {family(op.model_construct()) for op in OPS.values()} <= FAMILIES.keys()
