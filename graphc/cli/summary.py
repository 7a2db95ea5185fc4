"""`graphc summary`."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

from typer import Argument, BadParameter, Option

from graphc.cli.arguments import Form, Format, SetOption, SizeOption, complete_spec

if TYPE_CHECKING:
    from graphc.settings import Settings
    from graphc.summary import Summary

Specs: TypeAlias = Annotated[
    list[str],
    Argument(
        metavar="SPEC",
        show_default=False,
        autocompletion=complete_spec,
        help="A file, or the name of an installed spec. Several for a plot.",
    ),
]


class Kind(StrEnum):
    """What a summary is written as."""

    TEXT = "text"
    MARKDOWN = "markdown"
    CSV = "csv"
    JSON = "json"


def summary(
    spec: Specs,
    *,
    depth: Annotated[
        int | None,
        Option(min=1, metavar="N", help="Open blocks N levels deep. [default: 40 rows; csv, json: all]"),
    ] = None,
    columns: Annotated[
        str | None, Option(metavar="A,B,…", help="The columns. [default: op,output,field,params,share,macs]")
    ] = None,
    kind: Annotated[Kind, Option("--as", help="What to print.")] = Kind.TEXT,
    symbolic: Annotated[bool, Option("--symbolic", help="Print formulas in the free sizes.")] = False,
    free: Annotated[str | None, Option(metavar="P,Q,…", help="Parameters that stay symbols in them.")] = None,
    plot: Annotated[Path | None, Option(metavar="FILE", help="Plot costs over sizes: a .png or .svg file.")] = None,
    over: Annotated[str | None, Option(metavar="H,W=A..B/STEP", help="The sizes that a plot goes through.")] = None,
    set_: SetOption = None,
    size: SizeOption = None,
    _form: Format = Form.HUMAN,
) -> None:
    """List the layers: shapes, parameters, MACs, receptive field.

    Equal copies are one row, ×n, with the numbers of all n. Columns are op, input, output, example (output at the
    example sizes), field, stride, params, share, frozen, buffers, macs, macs_share, flops and memory.

    Example: graphc summary resnet18 --depth 2
    """
    from graphc.settings import read_settings

    settings = read_settings(set_ or (), size or ())
    if plot or over:
        _plot(spec, plot, over, settings)
        return
    if len(spec) > 1:
        raise BadParameter("several are for --plot", param_hint="SPEC")
    if symbolic or free:
        _formulas(spec[0], settings, kind, _names(free))
    else:
        _table(spec[0], settings, kind, depth, columns)


def _table(address: str, settings: Settings, kind: Kind, depth: int | None, columns: str | None) -> None:
    """Prints the table; of a spec that is wrong what is in order, before what is wrong is told."""
    from graphc.cli.graphs import compiled_partly
    from graphc.cli.terminal import findings, tell
    from graphc.diagnostics import SpecError
    from graphc.summary import DEEPEST, chosen, fits
    from graphc.summary import summary as summary_of

    try:
        names = chosen(_names(columns))
    except ValueError as error:
        raise BadParameter(str(error), param_hint="--columns") from error
    graph, complete, found = compiled_partly(address, settings)
    wrong = any(finding.severity == "error" for finding in found)
    if not wrong:
        findings(found)
    if graph is not None and (not wrong or fits(graph)):
        opened = depth or (DEEPEST if kind in {Kind.CSV, Kind.JSON} else None)
        tell(*_written(summary_of(graph, depth=opened, columns=names, partial=not complete), kind))
    if wrong:
        raise SpecError(found)


def _names(text: str | None) -> list[str]:
    """The names in `A,B`."""
    return [name.strip() for name in (text or "").split(",") if name.strip()]


def _formulas(address: str, settings: Settings, kind: Kind, parameters: Sequence[str]) -> None:
    """Prints the counts as formulas."""
    from json import dumps

    from graphc.cli.terminal import tell
    from graphc.cost.fit import FitError
    from graphc.diagnostics import visible
    from graphc.summary.symbolic import symbolic

    if kind not in {Kind.TEXT, Kind.JSON}:
        raise BadParameter("formulas are printed as text or json", param_hint="--as")
    try:
        found = symbolic(address, settings, parameters)
    except FitError as error:
        raise BadParameter(str(error), param_hint="--free") from error
    tell(*([dumps(found.data(), indent=2, ensure_ascii=False)] if kind is Kind.JSON else map(visible, found.lines())))


def _plot(addresses: Sequence[str], path: Path | None, over: str | None, settings: Settings) -> None:
    """Writes the picture."""
    from graphc.cli.progress import Progress
    from graphc.cli.terminal import tell
    from graphc.output import write_all
    from graphc.summary.plot import SUFFIXES, Over, PlotError, series, write

    if path is None or over is None:
        raise BadParameter("--plot FILE and --over SIZES go together", param_hint="--plot")
    if path.suffix not in SUFFIXES:
        raise BadParameter(f"{path} must end in {' or '.join(SUFFIXES)}", param_hint="--plot")
    try:
        sizes = Over.read(over)
        with Progress() as progress:
            progress.tell(f"plotting {path}")
            found = [series(address, settings, sizes) for address in addresses]
            written = write_all([(path, lambda place: write(place, found, sizes))])
    except PlotError as error:
        raise BadParameter(str(error), param_hint="--plot") from error
    tell(*map(str, written))


def _written(made: Summary, kind: Kind) -> list[str]:
    """The summary as lines of a form; as text it fits into the terminal, if it goes to one."""
    from json import dumps

    from graphc.cli.terminal import width

    match kind:
        case Kind.MARKDOWN:
            return made.markdown().splitlines()
        case Kind.CSV:
            return made.csv().splitlines()
        case Kind.JSON:
            return [dumps(made.data(), indent=2, ensure_ascii=False)]
    return made.text(width()).splitlines()
