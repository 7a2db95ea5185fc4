"""The manuals that are made from the code: `python -m graphc.manual` writes docs/errors.md in a checkout."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from graphc.codes import CODES

DOCS = Path(__file__).parents[1] / "docs"


def errors() -> str:
    """The manual of errors, a chapter a code."""
    return "\n".join(["# Errors", "", "`graphc explain CODE` says the same.", *_chapters()])


def _chapters() -> Iterator[str]:
    for code, about in CODES.items():
        yield from ("", f"## {code}: {about.title}", "", about.meaning)
    yield ""


if __name__ == "__main__":
    (DOCS / "errors.md").write_text(errors(), encoding="utf-8")
