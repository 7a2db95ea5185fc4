"""`graphc explain`."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, BadParameter


def explain(
    code: Annotated[
        str | None,
        Argument(metavar="CODE", show_default=False, help="A code as an error shows it. [default: all are listed]"),
    ] = None,
) -> None:
    """Say what an error code means.

    Example: graphc explain E501
    """
    from textwrap import fill

    from graphc.cli.terminal import tell
    from graphc.codes import CODES
    from graphc.diagnostics import did_you_mean

    if code is None:
        tell(*(f"{name}  {known.title}" for name, known in CODES.items()))
        return
    found = CODES.get(code.upper())
    if found is None:
        raise BadParameter(f"no code `{code}`; {did_you_mean(code.upper(), CODES, '`graphc explain` lists them')}")
    tell(f"{code.upper()}: {found.title}", "", fill(found.meaning, 80))
