"""One line on a terminal's stderr that says what is being done, once that takes a while."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from time import monotonic

PATIENCE = 1.0
"""Seconds before it is told how far the work is."""


@dataclass(slots=True)
class Progress:
    """Says what is being done; gone at the end, and never there where stderr is a file or a pipe."""

    begun: float = field(default_factory=monotonic)
    shown: bool = False

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def tell(self, text: str) -> None:
        """Shows what is being done now, in place of what was before."""
        if sys.stderr and sys.stderr.isatty() and monotonic() - self.begun > PATIENCE:
            self.shown = True
            _write(f"{text} …")

    def clear(self) -> None:
        """Takes the line away; it comes again with the next thing told."""
        if self.shown:
            self.shown = False
            _write("")


def _write(text: str) -> None:
    from shutil import get_terminal_size

    sys.stderr.write(f"\r\x1b[2K{text[: get_terminal_size().columns - 1]}")
    sys.stderr.flush()
