"""`graphc expand`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Option

from graphc.cli.arguments import Form, Format, SetOption, SizeOption, Spec

if TYPE_CHECKING:
    from graphc.graph import Graph


class Kind(StrEnum):
    """What a graph is written as."""

    YAML = "yaml"
    JSON = "json"


def expand(
    spec: Spec,
    kind: Annotated[Kind, Option("--as", help="What to write.")] = Kind.YAML,
    output: Annotated[
        Path | None, Option("-o", "--output", metavar="FILE", help="Where to write it. [default: standard output]")
    ] = None,
    set_: SetOption = None,
    size: SizeOption = None,
    _form: Format = Form.HUMAN,
) -> None:
    """Write what the compiler understood, with every loop, block, condition and `extends` carried out.

    As yaml it is a spec of the same network without any of them; as json a saved graph, complete, which `graphc diff`
    and others read again (docs/saved_graphs.md).

    Example: graphc expand resnet18 --as json -o resnet18.json
    """
    from graphc.cli.terminal import findings, tell
    from graphc.settings import read_settings
    from graphc.sources import graph_of

    graph, warnings = graph_of(spec, read_settings(set_ or (), size or ()))
    findings(warnings)
    text = _written(graph, kind)
    if output is None:
        tell(*text.removesuffix("\n").split("\n"))
    else:
        _write(text, output)


def _written(graph: Graph, kind: Kind) -> str:
    from graphc.expanded import text
    from graphc.saved import save

    return save(graph) if kind is Kind.JSON else text(graph)


def _write(text: str, path: Path) -> None:
    """Writes a file whole, or not at all."""
    from functools import partial

    from graphc.output import write_all

    write_all([(path, partial(_put, text))])


def _put(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
