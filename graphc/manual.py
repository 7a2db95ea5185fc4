"""The manuals that are made from the code: `python -m graphc.manual` writes them into docs/ of a checkout."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from graphc.codes import CODES
from graphc.opmanual import page

DOCS = Path(__file__).parents[1] / "docs"


def errors() -> str:
    """The manual of errors, a chapter a code."""
    return "\n".join(["# Errors", "", "`graphc explain CODE` says the same.", *_chapters()])


def _chapters() -> Iterator[str]:
    for code, about in CODES.items():
        yield from ("", f"## {code}: {about.title}", "", about.meaning)
    yield ""


MANUALS: Mapping[str, Callable[[], str]] = {"errors.md": errors, "ops.md": page}
"""What makes each file."""


if __name__ == "__main__":
    for name, made in MANUALS.items():
        (DOCS / name).write_text(made(), encoding="utf-8")
