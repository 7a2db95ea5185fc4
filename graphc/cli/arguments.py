"""Arguments and options that several commands share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

from typer import Argument, BadParameter, Option

from graphc.cli.terminal import FORM

if TYPE_CHECKING:
    from graphc.graph import Graph


def complete_spec(begun: str) -> list[str]:
    """What an address can become that is begun: names of installed specs; behind `name:` its variants."""
    from graphc import library

    family, sign, _ = begun.partition(":")
    if sign and family in library.names():
        return [f"{family}:{variant}" for variant in library.installed(family).variants]
    return [name for name in library.names() if name.startswith(begun)]


Spec: TypeAlias = Annotated[
    str,
    Argument(
        metavar="SPEC",
        show_default=False,
        autocompletion=complete_spec,
        help="A file, or the name of an installed spec; `:variant` chooses a variant.",
    ),
]


class Form(StrEnum):
    """How diagnostics are shown."""

    HUMAN = "human"
    LINE = "line"
    JSON = "json"
    GITHUB = "github"


def _choose(form: Form) -> Form:
    FORM.set(form.value)
    return form


Format: TypeAlias = Annotated[Form, Option("--format", callback=_choose, help="How errors are shown.")]
"""`--format`; it is noted when the command line is read."""

SetOption: TypeAlias = Annotated[
    list[str] | None,
    Option("--set", metavar="NAME=VALUE", help="Set a parameter or a size. Repeatable."),
]
"""`--set width=32`."""

SizeOption: TypeAlias = Annotated[
    list[str] | None,
    Option("--size", metavar="NAME=N,…", help="Example sizes: H=512,W=512. Repeatable."),
]
"""`--size H=512,W=512`."""

OutputOption: TypeAlias = Annotated[
    Path | None, Option("-o", "--output", metavar="FILE", help="Where to write it. [default: standard output]")
]
"""`-o FILE`, of what is printed otherwise."""

TapOption: TypeAlias = Annotated[
    list[str] | None,
    Option("--tap", metavar="PATH", help="A value that is an output too: --tap stage.2. Repeatable."),
]
"""`--tap stage.2`."""


def tapped(graph: Graph, paths: list[str] | None) -> Graph:
    """The graph with the values at some paths as further outputs.

    Raises:
        BadParameter: there is no value at a path, or it is an output already.
    """
    from graphc.rewrite import with_taps

    try:
        return with_taps(graph, paths or ())
    except ValueError as error:
        raise BadParameter(str(error), param_hint="--tap") from error
