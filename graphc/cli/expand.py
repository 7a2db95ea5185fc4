"""`graphc expand`."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

from typer import Option

from graphc.cli.arguments import Form, Format, OutputOption, SetOption, SizeOption, Spec

if TYPE_CHECKING:
    from graphc.graph import Graph


class Kind(StrEnum):
    """What a graph is written as."""

    YAML = "yaml"
    JSON = "json"


def expand(
    spec: Spec,
    kind: Annotated[
        Kind | None, Option("--as", help="What to write. [default: as -o ends, else yaml]", show_default=False)
    ] = None,
    output: OutputOption = None,
    set_: SetOption = None,
    size: SizeOption = None,
    _form: Format = Form.HUMAN,
) -> None:
    """Write what the compiler understood, without loops and blocks.

    As yaml it is a spec of the same network, conditions and `extends` carried out, too; as json a saved graph,
    complete, which the other commands read again (docs/saved_graphs.md).

    Example: graphc expand resnet18 -o resnet18.json
    """
    from graphc.cli.graphs import compiled
    from graphc.cli.writing import give

    asked = Kind.JSON if output and output.suffix.lower() == ".json" else Kind.YAML
    give(_written(compiled(spec, set_, size), kind or asked), output)


def _written(graph: Graph, kind: Kind) -> str:
    from graphc.expanded import text
    from graphc.saved import save

    return save(graph) if kind is Kind.JSON else text(graph)
