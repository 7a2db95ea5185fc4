"""`graphc transfer`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, BadParameter, Option

from graphc.cli.arguments import Form, Format

if TYPE_CHECKING:
    from graphc.diff import Diff

SHOWN = 12


def transfer(
    weights: Annotated[Path, Argument(metavar="WEIGHTS", show_default=False, help="The old file: .safetensors, .pt.")],
    *,
    before: Annotated[str, Option("--from", metavar="SPEC", show_default=False, help="What the weights are for.")],
    after: Annotated[str, Option("--to", metavar="SPEC", show_default=False, help="What they are to be for.")],
    output: Annotated[
        Path, Option("-o", "--output", metavar="FILE", show_default=False, help="The new file: .safetensors.")
    ],
    seed: Annotated[int, Option(help="The initial values of weights that are new.")] = 0,
    set_a: Annotated[list[str] | None, Option("--set-a", metavar="NAME=VALUE", help="For --from. Repeatable.")] = None,
    set_b: Annotated[list[str] | None, Option("--set-b", metavar="NAME=VALUE", help="For --to. Repeatable.")] = None,
    _form: Format = Form.HUMAN,
) -> None:
    """Carry weights over to a changed architecture.

    Weights go along the difference of the two, whatever their names. New ones, and those of another shape, get initial
    values.

    Example: graphc transfer old.safetensors --from git:HEAD~1:net.yaml --to net.yaml -o new.safetensors
    """
    from graphc.checkpoint import read_weights
    from graphc.cli.terminal import findings, tell
    from graphc.diff.difference import diff
    from graphc.diff.transfer import write
    from graphc.settings import read_settings
    from graphc.sources import graph_of

    if output.suffix != ".safetensors":
        raise BadParameter(f"weights are written as .safetensors, not as {output.suffix or output}", param_hint="-o")
    (old, first), (new, second) = (
        graph_of(before, read_settings(set_a or ())),
        graph_of(after, read_settings(set_b or ())),
    )
    findings([*first, *second])
    given = read_weights(old, weights, said="WEIGHTS")
    made = diff(old, new)
    write(made, given, output, seed)
    tell(*_report(made, output))


def _report(made: Diff, output: Path) -> Iterator[str]:
    from graphc.diagnostics import visible
    from graphc.diff.lines import checkpoint

    yield from checkpoint(made)
    forecast = made.weights
    reshaped = [
        f"~ {new}: {_shape(old)} → {_shape(now)}, initial values" for new, (_, old, now) in forecast.reshaped.items()
    ]
    yield from map(visible, _first(reshaped))
    yield from map(visible, _first([f"+ {path}: initial values" for path in forecast.new]))
    yield from map(visible, _first([f"- {path}" for path in forecast.lost]))
    yield visible(str(output))


def _shape(shape: tuple[object, ...]) -> str:
    return f"[{', '.join(map(str, shape))}]"


def _first(rows: list[str]) -> list[str]:
    more = len(rows) - SHOWN
    return rows if more <= 0 else [*rows[:SHOWN], f"  and {more} more"]
