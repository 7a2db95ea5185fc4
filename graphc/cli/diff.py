"""`graphc diff`."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

from typer import Argument, BadParameter, Exit, Option

from graphc.cli.arguments import Form, Format

if TYPE_CHECKING:
    from rich.text import Text

    from graphc.diff import Diff
    from graphc.graph import Graph

SAME, OTHER, TROUBLE = 0, 1, 2
"""Exit codes."""
Settings = Annotated[list[str] | None, Option(metavar="NAME=VALUE")]


class Kind(StrEnum):
    """What a difference is written as."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"


def diff(
    specs: Annotated[
        list[str],
        Argument(metavar="BEFORE [AFTER]", show_default=False, help="Two addresses; one, with --set-a or --set-b."),
    ],
    *,
    kind: Annotated[Kind, Option("--as", help="What to print.")] = Kind.TEXT,
    output: Annotated[
        Path | None,
        Option(
            "-o", "--output", metavar="FILE", help="A diagram (.svg, .png, .pdf), or the report (.md, .json, .txt)."
        ),
    ] = None,
    set_: Annotated[
        list[str] | None, Option("--set", metavar="NAME=VALUE", help="Sets a parameter on both sides. Repeatable.")
    ] = None,
    set_a: Annotated[
        list[str] | None, Option("--set-a", metavar="NAME=VALUE", help="Before alone. Repeatable.")
    ] = None,
    set_b: Annotated[list[str] | None, Option("--set-b", metavar="NAME=VALUE", help="After alone. Repeatable.")] = None,
    size: Annotated[list[str] | None, Option("--size", metavar="NAME=N,…", help="The example sizes of both.")] = None,
    git: Annotated[bool, Option("--git", help="Take the arguments of git's diff.external; docs/diff.md.")] = False,
    form: Format = Form.HUMAN,
) -> None:
    """Say how one architecture becomes another, what that costs, and which weights carry over.

    Each side is what other commands take, a file at a revision (git:HEAD~1:net.yaml), a saved graph (net.json) or an
    ONNX file. Parts are recognised by their structure, not by their names. Exit codes: 0 the same, 1 different, 2
    trouble.

    Examples: graphc diff resnet50 resnet101; graphc diff vit_b_16 --set-b width=384
    """
    if git:
        _for_git(specs)
        return
    before, after = _two(specs, bool(set_a or set_b))
    common, sizes = set_ or [], size or []
    made = _compared((before, [*common, *(set_a or [])]), (after, [*common, *(set_b or [])]), sizes)
    if output is not None:
        _write(made, output)
    else:
        _print(made, kind)
    raise Exit(SAME if made.same else OTHER)


def _two(specs: list[str], are_set: bool) -> tuple[str, str]:
    if len(specs) == 1 and are_set:
        return specs[0], specs[0]
    if len(specs) != 2:
        raise BadParameter(
            "two sides are compared: give both, or one with --set-a or --set-b", param_hint="BEFORE AFTER"
        )
    return specs[0], specs[1]


def _compared(before: tuple[str, list[str]], after: tuple[str, list[str]], sizes: list[str]) -> Diff:
    """The difference of two addresses with their settings; trouble with either ends the run."""
    from graphc.diagnostics import SpecError
    from graphc.diff.difference import diff as diff_of

    try:
        left, right = (_graph(address, set_, sizes) for address, set_ in (before, after))
    except SpecError as error:
        _trouble(error)
    names = _name(*before, left), _name(*after, right)
    return diff_of(left, right, names=names)


def _graph(address: str, set_: Iterable[str], size: Iterable[str]) -> Graph:
    from graphc.cli.terminal import findings
    from graphc.settings import read_settings
    from graphc.sources import graph_of

    graph, warnings = graph_of(address, read_settings(set_, size))
    findings(warnings)
    return graph


def _name(address: str, set_: list[str], graph: Graph) -> str:
    """What a side is called: its address if that is a file, and what was set."""
    name = address if "/" in address or "." in address or ":" in address else graph.name
    return f"{name} {' '.join(set_)}".strip()


def _trouble(error: Exception) -> NoReturn:
    from graphc.cli.terminal import complain, findings
    from graphc.diagnostics import SpecError

    if isinstance(error, SpecError):
        findings(error.diagnostics)
    else:
        complain(str(error))
    raise SystemExit(TROUBLE) from error


def _print(made: Diff, kind: Kind) -> None:
    from graphc.cli.terminal import tell

    if kind is Kind.TEXT:
        tell(*_coloured(made))
    else:
        tell(*_text(made, kind).splitlines())


def _text(made: Diff, kind: Kind) -> str:
    from json import dumps

    match kind:
        case Kind.MARKDOWN:
            return made.markdown().rstrip("\n")
        case Kind.JSON:
            return dumps(made.data(), indent=2, ensure_ascii=False)
    return made.text()


def _coloured(made: Diff) -> list[Text]:
    from rich.text import Text

    from graphc.cli.terminal import width
    from graphc.diagnostics import visible
    from graphc.diff.text import marked

    styles = {"added": "green", "removed": "red", "altered": "yellow", "moved": "blue", "place": "bold"}
    return [Text(visible(line), styles.get(role, "")) for line, role in marked(made, width())]


def _write(made: Diff, output: Path) -> None:
    """Writes the report or the picture that a suffix asks for."""
    from graphc.cli.terminal import tell
    from graphc.output import write_all

    kinds = {".md": Kind.MARKDOWN, ".txt": Kind.TEXT, ".json": Kind.JSON}
    if output.suffix in kinds:
        write_all([(output, partial(_put, _text(made, kinds[output.suffix])))])
    else:
        made.draw(output)
    tell(made.sentence.replace("`", ""), str(output))


def _put(text: str, path: Path) -> None:
    path.write_text(f"{text}\n", "utf-8")


def _for_git(arguments: list[str]) -> None:
    from graphc.cli.terminal import tell
    from graphc.diff.driver import report

    try:
        tell(*report(arguments))
    except ValueError as error:
        raise BadParameter(str(error), param_hint="--git") from error
