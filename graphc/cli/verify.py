"""`graphc verify`."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

from typer import Argument, BadParameter, Exit, Option

from graphc.cli.arguments import Form, Format, SetOption, complete_spec
from graphc.cli.progress import Progress

if TYPE_CHECKING:
    from graphc.graph import Graph
    from graphc.settings import Settings
    from graphc.spec import Spec
    from graphc.verify import Asked, Verification

DIFFERENT = 1
"""The exit code where something differs."""


class Kind(StrEnum):
    """What is printed."""

    TEXT = "text"
    JSON = "json"


def verify(
    specs: Annotated[
        list[str],
        Argument(
            metavar="SPEC", show_default=False, autocompletion=complete_spec, help="Files, or names of installed specs."
        ),
    ],
    *,
    every: Annotated[bool, Option("--all", help="Compare every value inside, too.")] = False,
    training: Annotated[bool, Option("--training", help="Compare the losses, too.")] = False,
    variants: Annotated[bool, Option("--variants", help="All variants of each SPEC.")] = False,
    set_: SetOption = None,
    size: Annotated[
        list[str] | None,
        Option("--size", metavar="NAME=N,…", help="Sizes to run at instead: N=2,H=64,W=96. Repeatable, a run each."),
    ] = None,
    tolerance: Annotated[float, Option(min=0, metavar="X", help="Relative to a value's largest number.")] = 1e-5,
    seed: Annotated[int, Option(min=0, metavar="N", help="Of what is random.")] = 0,
    kind: Annotated[Kind, Option("--as", help="What to print.")] = Kind.TEXT,
    _form: Format = Form.HUMAN,
) -> None:
    """Compare what the PyTorch module and the ONNX file give.

    Both run on the same random weights and inputs; without --size at the spec's example sizes and at others that it
    takes. Where more differs than the tolerance, PyTorch in float64 tells how much of that is rounding. Random values
    are not compared.

    Exit codes: 0 all the same, 1 something differs or a spec is wrong, 2 the call is wrong or ONNX Runtime is missing.

    Example: graphc verify resnet:resnet18 --all --size N=2,H=64,W=96
    """
    from json import dumps

    from graphc.cli.terminal import complain, tell
    from graphc.settings import read_settings
    from graphc.verify import Asked, Run, Verification, require_runtime

    require_runtime()
    asked = Asked(every, training, [_sizes(text) for text in size or ()] or None, tolerance, seed)
    settings, runs = read_settings(set_ or ()), list[Run]()
    for spec, variant in _chosen(specs, variants=variants):
        found = _verified(_graph(spec, variant, settings), asked)
        runs += found.runs
        if kind is Kind.TEXT:
            tell(*str(found).splitlines())
    if kind is Kind.JSON:
        tell(dumps(Verification(tuple(runs)).data(), indent=2, ensure_ascii=False))
    if not all(runs):
        complain(*["--all tells the first value inside that differs."] * (not every))
        raise Exit(DIFFERENT)


def _verified(graph: Graph, asked: Asked) -> Verification:
    from graphc.verify import SizeError
    from graphc.verify import verify as verified

    try:
        with Progress() as progress:
            return verified(graph, asked, progress.tell)
    except SizeError as error:
        raise BadParameter(str(error), param_hint="--size") from error


def _chosen(addresses: list[str], *, variants: bool) -> Iterator[tuple[Spec, str | None]]:
    """The specs and their variants that are meant; all are read before the first is verified."""
    from graphc import library

    for spec, variant in [library.load(address) for address in addresses]:
        yield from ((spec, name) for name in spec.variants) if variants and spec.variants else [(spec, variant)]


def _sizes(text: str) -> dict[str, int]:
    """The sizes that a text says: `N=2,H=64`."""
    parts = [part.partition("=") for part in text.split(",")]
    wrong = next((name for name, _, number in parts if not (name.strip() and number.strip().isdecimal())), None)
    if wrong is not None:
        raise BadParameter(f"`{text}` is not of the form N=2,H=64,W=96", param_hint="--size")
    return {name.strip(): int(number) for name, _, number in parts}


def _graph(spec: Spec, variant: str | None, settings: Settings) -> Graph:
    from graphc.cli.terminal import findings
    from graphc.compiler import compile_spec

    graph, warnings = compile_spec(spec, variant, settings)
    findings(warnings)
    return graph
