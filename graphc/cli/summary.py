"""`graphc summary`."""

from __future__ import annotations

import sys
from enum import StrEnum
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Annotated

from typer import BadParameter, Option

from graphc.cli.arguments import Form, Format, SetOption, SizeOption, Spec

if TYPE_CHECKING:
    from graphc.summary import Summary


class Kind(StrEnum):
    """What a summary is written as."""

    TEXT = "text"
    MARKDOWN = "markdown"
    CSV = "csv"
    JSON = "json"


def summary(
    spec: Spec,
    depth: Annotated[
        int | None,
        Option(min=1, metavar="N", help="Open blocks N levels deep. [default: 40 rows; csv, json: all]"),
    ] = None,
    columns: Annotated[
        str | None, Option(metavar="A,B,…", help="The columns. [default: op,output,params,share,macs]")
    ] = None,
    kind: Annotated[Kind, Option("--as", help="What to print.")] = Kind.TEXT,
    set_: SetOption = None,
    size: SizeOption = None,
    _form: Format = Form.HUMAN,
) -> None:
    """List the layers with their shapes, parameters and MACs.

    Equal copies are one row, ×n, with the numbers of all n; the rows inside it have those of one. Columns are op,
    input, output, example (output at the example sizes), params, share, frozen, buffers, macs and macs_share.

    Example: graphc summary resnet18 --depth 2
    """
    from graphc.cli.terminal import findings, tell
    from graphc.compiler import compile_with_warnings
    from graphc.settings import read_settings
    from graphc.summary import DEEPEST, chosen
    from graphc.summary import summary as summary_of

    try:
        names = chosen(columns.split(",") if columns else None)
    except ValueError as error:
        raise BadParameter(str(error), param_hint="--columns") from error
    graph, warnings = compile_with_warnings(spec, read_settings(set_ or (), size or ()))
    findings(warnings)
    opened = depth or (DEEPEST if kind in {Kind.CSV, Kind.JSON} else None)
    tell(*_written(summary_of(graph, depth=opened, columns=names), kind))


def _written(made: Summary, kind: Kind) -> list[str]:
    """The summary as lines of a form; as text it fits into the terminal, if it goes to one."""
    from json import dumps

    match kind:
        case Kind.MARKDOWN:
            return made.markdown().splitlines()
        case Kind.CSV:
            return made.csv().splitlines()
        case Kind.JSON:
            return [dumps(made.data(), indent=2, ensure_ascii=False)]
    return made.text(_width()).splitlines()


def _width() -> int | None:
    """The columns of the terminal; None where the text goes to a file or a pipe, and is always the same."""
    return get_terminal_size().columns if sys.stdout.isatty() else None
