"""Runs a command for each of some specs, as pre-commit gives them: `python -m graphc.cli.each check A.yaml B.yaml`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from graphc.cli import main
from graphc.cli.outcome import Status


def each(arguments: Sequence[str]) -> int:
    """The worst exit code of the runs; what is named behind the command are the specs."""
    if not arguments:
        return Status.CALL
    command, *specs = arguments
    return max((_code([command, spec]) for spec in specs), default=0)


def _code(arguments: Sequence[str]) -> int:
    """The exit code of one run."""
    try:
        main(arguments)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


if __name__ == "__main__":
    raise SystemExit(each(sys.argv[1:]))
