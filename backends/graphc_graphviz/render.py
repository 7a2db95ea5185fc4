"""DOT text to a picture, by the Graphviz that pygraphviz brings along and with the font that lies beside this file.

No `dot` on the PATH and no font of the system takes part, so the same text gives the same bytes on every machine.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory

from graphc.backends import BackendError
from graphc_graphviz.embedded import embedded

HERE = Path(__file__).resolve().parent
FORMS = {
    ".svg": ("svg",),
    ".png": ("png", "dpi=144"),
    ".pdf": ("pdf", "size=7.5,10"),
}
"""Graphviz's name of each form, and what it is drawn with: a PDF fits on one page of A4 or Letter."""


@dataclass(frozen=True, slots=True)
class Dot:
    """A picture as DOT text, in the way it should be laid out and in others, where that one breaks an order.

    `orders` are names of nodes in the order in which they should stand, where they stand side by side. `images` are the
    files (PNG) that the text names.
    """

    text: str
    others: tuple[str, ...] = ()
    orders: tuple[tuple[str, ...], ...] = ()
    images: Mapping[str, bytes] = field(default_factory=dict)

    def asked(self) -> bytes:
        """What `layout.py` reads."""
        return json.dumps({"texts": [self.text, *self.others], "orders": self.orders}).encode()


class DrawingError(BackendError):
    """A picture could not be drawn; the text is one line for the user."""


class LayoutTimeoutError(DrawingError):
    """The layout took too long."""


def render(dot: Dot, suffix: str, time_limit: float) -> bytes:
    """The picture in the form that a file's suffix names.

    Raises:
        LayoutTimeoutError: it took longer than `time_limit` seconds.
        DrawingError: Graphviz gave up, or is not there.
    """
    with TemporaryDirectory(prefix="graphc-") as folder:
        place = Path(folder)
        for name, data in dot.images.items():
            (place / name).write_bytes(data)
        done = _run(dot.asked(), (*FORMS[suffix], f"imagepath={place}"), _environment(place), time_limit)
    if done.returncode or not done.stdout:
        reason = _reason(done)
        raise DrawingError(f"Graphviz could not draw the picture: {reason}; a .dot or .mmd file can do without it")
    finish: dict[str, Callable[[bytes], bytes]] = {".svg": partial(embedded, images=dot.images), ".pdf": _undated}
    return finish.get(suffix, bytes)(done.stdout)


def _run(asked: bytes, form: Sequence[str], env: Mapping[str, str], limit: float) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-P", str(HERE / "layout.py"), *form]
    try:
        return subprocess.run(command, input=asked, capture_output=True, timeout=limit, env=env, check=False)
    except subprocess.TimeoutExpired:
        raise LayoutTimeoutError(f"the picture was not laid out within {limit:g} seconds") from None


def _environment(folder: Path) -> dict[str, str]:
    """An environment in which our fonts are the only ones. Their cache lies in the folder, too, and goes with it."""
    fonts = escape(str(HERE / "fonts"))
    cache = escape(str(folder))
    config = folder / "fonts.conf"
    config.write_text(f"<fontconfig><dir>{fonts}</dir><cachedir>{cache}</cachedir></fontconfig>", "utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FONTCONFIG_", "GV", "PANGO"))}
    return kept | {"FONTCONFIG_FILE": str(config), "PANGOCAIRO_BACKEND": "fontconfig", "TZ": "UTC"}


def _reason(done: subprocess.CompletedProcess[bytes]) -> str:
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    ended = f"its process ended with {done.returncode}"
    return lines[-1] if lines and done.returncode > 0 else ended


def _undated(pdf: bytes) -> bytes:
    """The file without the time at which it was made; its length stays, as the file has a table of offsets."""
    return re.sub(rb"(/CreationDate \(D:)\d{14}", rb"\g<1>20000101000000", pdf)
