"""`graphc explain`."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, BadParameter


def explain(code: Annotated[str, Argument(metavar="CODE", help="A code as an error shows it.")]) -> None:
    """Say what an error code means.

    Example: graphc explain E501
    """
    from textwrap import fill

    from graphc.cli.terminal import tell
    from graphc.codes import CODES
    from graphc.diagnostics import did_you_mean

    found = CODES.get(code.upper())
    if found is None:
        raise BadParameter(f"no code `{code}`; {did_you_mean(code.upper(), CODES, 'codes are ' + ', '.join(CODES))}")
    tell(f"{code.upper()}: {found.title}", "", fill(found.meaning, 80))
