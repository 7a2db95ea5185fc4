"""How a run ends: what is told to the person, and the exit code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

from graphc.backends import BackendError
from graphc.cli.terminal import all_findings, complain, findings
from graphc.diagnostics import Diagnostic, SpecError, visible
from graphc.output import OutputError


class Status(IntEnum):
    """What an exit code means."""

    SPEC = 1
    CALL = 2
    BUG = 70
    INTERRUPTED = 130


ADDRESS = frozenset({"E105"})
"""Codes that say that the address on the command line leads to no spec."""


@contextmanager
def outcome() -> Iterator[None]:
    """Turns what a command raises into words on stderr and an exit code. Only a bug of ours has a traceback."""
    try:
        with all_findings(), _told():
            yield
    except (BackendError, OutputError) as error:
        complain(visible(f"Error: {error}"))
        raise SystemExit(Status.CALL) from error
    except KeyboardInterrupt as error:
        raise SystemExit(Status.INTERRUPTED) from error
    except Exception as error:
        _bug()
        raise SystemExit(Status.BUG) from error


@contextmanager
def _told() -> Iterator[None]:
    """Shows what is wrong with a spec or with a call."""
    try:
        yield
    except SpecError as error:
        findings(error.diagnostics)
        raise SystemExit(Status.CALL if all(map(_in_the_call, error.diagnostics)) else Status.SPEC) from error


def _in_the_call(diagnostic: Diagnostic) -> bool:
    """Whether a finding is about the command line: its address, or a setting."""
    return diagnostic.code in ADDRESS or diagnostic.span.file.startswith("--")


def _bug() -> None:
    from traceback import format_exc

    complain(*format_exc().splitlines())
    complain("Error: this is a bug in graphc, not in your spec; please report it with the lines above.")
