"""What a person sees: results on stdout, everything else on stderr; in colour on a terminal, unless NO_COLOR is set."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from shutil import get_terminal_size
from typing import TYPE_CHECKING, TextIO

from graphc.diagnostics import WIDEST, Diagnostic, lines, summary
from graphc.formats import FORMATS
from graphc.output import OutputError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

STYLES = {
    "error": "bold red",
    "warning": "bold yellow",
    "hint": "bold cyan",
    "place": "bold",
    "frame": "blue",
    "source": "none",
    "text": "none",
}
FORM: ContextVar[str] = ContextVar("form", default="human")
"""How diagnostics are shown: for people, or as one of `graphc.formats.FORMATS`."""
FOUND: ContextVar[list[Diagnostic] | None] = ContextVar("found", default=None)
"""The diagnostics of this run, where all are written at its end; None outside of a run."""
CLOSED_PIPE = 141
"""As a shell reports a program that SIGPIPE ended."""


def tell(*results: str | Text) -> None:
    """Writes results, each on a line of its own.

    Raises:
        OutputError: stdout takes no more.
    """
    try:
        _print(sys.stdout, results)
    except OSError as error:
        _abandon(sys.stdout)
        if isinstance(error, BrokenPipeError):
            raise SystemExit(CLOSED_PIPE) from error
        raise OutputError(f"can't write the results: {error.strerror}") from error


def width() -> int | None:
    """The columns of the terminal; None where results go to a file or a pipe, and are always the same, or nowhere."""
    return get_terminal_size().columns if sys.stdout and sys.stdout.isatty() else None


def complain(*texts: str | Text) -> None:
    """Writes to stderr; where that fails nobody can be told."""
    try:
        _print(sys.stderr, texts)
    except OSError:
        _abandon(sys.stderr)


def findings(diagnostics: Sequence[Diagnostic]) -> None:
    """Shows diagnostics on stderr in the form chosen, and to people how many where there are several.

    As JSON, those of a run are one array, which `all_findings` writes at its end.
    """
    waiting = FOUND.get()
    if FORM.get() == "json" and waiting is not None:
        waiting += diagnostics
    elif not diagnostics:
        return
    elif FORM.get() in FORMATS:
        complain(*FORMATS[FORM.get()](diagnostics).splitlines())
    else:
        width = _console(sys.stderr).width if sys.stderr and sys.stderr.isatty() else WIDEST
        complain(*_report(diagnostics, width))


@contextmanager
def all_findings() -> Iterator[None]:
    """One run of a command: as JSON its diagnostics are one array, also where there are none."""
    token = FOUND.set([])
    try:
        yield
    finally:
        if FORM.get() == "json":
            complain(*FORMATS["json"](FOUND.get() or []).splitlines())
        FOUND.reset(token)


def _report(diagnostics: Sequence[Diagnostic], width: int) -> Iterator[Text]:
    from rich.text import Text

    for number, diagnostic in enumerate(diagnostics):
        if number:
            yield Text()
        yield from (Text.assemble(*line) for line in lines(diagnostic, width))
    if len(diagnostics) > 1:
        yield from (Text(), Text(summary(diagnostics), "place"))


def _print(stream: TextIO | None, texts: Iterable[str | Text]) -> None:
    if stream is None:
        return
    written = _shown(stream, texts) if stream.isatty() else "".join(f"{text}\n" for text in texts)
    encoding = stream.encoding or "utf-8"
    stream.write(written.encode(encoding, "replace").decode(encoding))
    stream.flush()


def _shown(stream: TextIO, texts: Iterable[str | Text]) -> str:
    """What a terminal is given: folded to its width, in colour."""
    console = _console(stream)
    with console.capture() as captured:
        for text in texts:
            console.print(_folded(text, console), soft_wrap=True)
    return captured.get()


def _console(stream: TextIO) -> Console:
    from rich.console import Console
    from rich.theme import Theme

    plain = bool(os.environ.get("NO_COLOR"))
    return Console(
        file=stream,
        theme=Theme(STYLES),
        color_system=None if plain else "auto",
        highlight=False,
        markup=False,
        emoji=False,
    )


def _folded(text: str | Text, console: Console) -> Text:
    """A line that is too long for the screen, broken between words; what follows is indented."""
    from rich.text import Text

    line = Text(text) if isinstance(text, str) else text
    if line.cell_len <= console.width:
        return line
    parts = line.wrap(console, console.width - 4)
    for part in parts:
        part.rstrip()
    return Text("\n    ").join(parts)


def _abandon(stream: TextIO) -> None:
    """Sends what is left in the stream's buffer nowhere: the interpreter would complain about it at the end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
