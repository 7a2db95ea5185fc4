"""Arguments and options that several commands share."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from typer import Argument

Spec: TypeAlias = Annotated[
    str,
    Argument(
        metavar="SPEC",
        show_default=False,
        help="A file, or the name of an installed spec; `:variant` chooses a variant.",
    ),
]
