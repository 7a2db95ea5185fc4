"""Takes pictures of the terminal: `python docs/screens.py` writes them into `docs/pictures`, or into a FOLDER.

Each command runs in a pseudo-terminal of so many columns, in a folder with a broken spec; what it writes becomes an SVG
that needs no font from elsewhere.
"""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI
from rich.text import Text

TOP = Path(__file__).resolve().parents[1]
PICTURES = TOP / "docs" / "pictures"
WIDTHS = (80, 140)
ROWS = 50
MONOSPACE = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
PROGRESS = re.compile(r"\r\x1b\[2K[^\r\n]*(?=\r\x1b\[2K)|\r\x1b\[2K")
"""The line that says what takes a while: it comes and goes with the speed of the machine."""


@dataclass(frozen=True, slots=True)
class Screen:
    """A command, and the name of its pictures."""

    name: str
    command: str

    def file(self, width: int) -> str:
        """The picture's name."""
        return f"terminal_{self.name}_{width}.svg"

    def svg(self, width: int) -> str:
        """The picture."""
        console = Console(record=True, width=width, file=io.StringIO(), color_system="truecolor", legacy_windows=False)
        console.print(Text(f"$ {self.command}", "bold"), soft_wrap=True)
        console.print(Text.from_ansi(shown(self.command, width)), soft_wrap=True)
        drawn = console.export_svg(
            title=f"{width} columns", theme=DIMMED_MONOKAI, code_format=template(), unique_id=f"{self.name}{width}"
        )
        return "".join(f"{line.rstrip()}\n" for line in drawn.splitlines())


SCREENS = (
    Screen("check", "graphc check unet"),
    Screen("error", "graphc check broken.yaml"),
    Screen("summary", "graphc summary resnet18 --depth 2"),
    Screen("diff", "graphc diff resnet50 resnet101"),
    Screen("ls", "graphc ls resnet"),
    Screen("ops", "graphc ops conv2d"),
)


def template() -> str:
    """rich's own, without the font that it would load from the network."""
    from rich._export_format import CONSOLE_SVG_FORMAT

    local = re.sub(r" *@font-face \{\{.*?\}\}\n", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    return re.sub(r"font-family: (Fira Code, monospace|arial)", f"font-family: {MONOSPACE}", local)


def broken() -> str:
    """The README's network with a convolution that loses the rim."""
    tiny = (TOP / "examples" / "tiny.yaml").read_text("utf-8")
    right = "conv_bn: {out_channels: C, kernel_size: 3}"
    return tiny.replace(right, right.replace("3}", "3, padding: 0}"))


def shown(command: str, width: int) -> str:
    """What a command writes to a terminal of so many columns."""
    _, *arguments = command.split()
    with TemporaryDirectory() as folder:
        (Path(folder) / "broken.yaml").write_text(broken(), "utf-8")
        screen, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, width, 0, 0))
        with subprocess.Popen(
            [sys.executable, "-m", "graphc", *arguments],
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            cwd=folder,
            env=environment(),
        ):
            os.close(terminal)
            written = b"".join(read(screen)).decode("utf-8")
    return PROGRESS.sub("", written.replace("\r\n", "\n")).rstrip("\n")


def environment() -> dict[str, str]:
    """This process's, without what else would change colours and width."""
    said = {"NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "COLORTERM"}
    return {name: value for name, value in os.environ.items() if name not in said} | {"TERM": "xterm-256color"}


def read(screen: int) -> Iterator[bytes]:
    """What comes until the other side is closed."""
    while True:
        try:
            data = os.read(screen, 1 << 16)
        except OSError:  # Linux says so where others give nothing
            data = b""
        if not data:
            os.close(screen)
            return
        yield data


def main(folder: Path = PICTURES) -> None:
    """Takes them all."""
    folder.mkdir(parents=True, exist_ok=True)
    for screen in SCREENS:
        for width in WIDTHS:
            (folder / screen.file(width)).write_text(screen.svg(width), "utf-8", newline="\n")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
