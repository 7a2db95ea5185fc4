"""One line on a terminal's stderr that says what is being done, once that takes a while."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from threading import Lock, Timer

PATIENCE = 1.0
"""Seconds before it is told what is being done."""


@dataclass(slots=True)
class Progress:
    """Says what is being done; gone at the end, and never there where stderr is a file or a pipe."""

    patience: float = PATIENCE
    text: str = ""
    late: bool = False
    lock: Lock = field(default_factory=Lock)
    timer: Timer | None = None

    def __enter__(self) -> Progress:
        if sys.stderr and sys.stderr.isatty():
            self.timer = Timer(self.patience, self._begin)
            self.timer.daemon = True
            self.timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.timer:
            self.timer.cancel()
        self.tell("")

    def tell(self, text: str) -> None:
        """Shows what is being done now in place of what was before; an empty text takes the line away."""
        with self.lock:
            shown, self.text = self.text, text
            if self.late and text != shown:
                _write(text)

    def _begin(self) -> None:
        with self.lock:
            self.late = True
            if self.text:
                _write(self.text)


def _write(text: str) -> None:
    from shutil import get_terminal_size

    line = f"{text} …"[: get_terminal_size().columns - 1] if text else ""
    sys.stderr.write(f"\r\x1b[2K{line}")
    sys.stderr.flush()
