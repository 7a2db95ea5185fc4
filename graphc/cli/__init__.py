"""The command line: `graphc build` and others. A file a command; what they need is imported when they run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from typer import Exit, Option, Typer

from graphc import __version__
from graphc.cli.build import build
from graphc.cli.check import check
from graphc.cli.diff import diff
from graphc.cli.draw import draw
from graphc.cli.expand import expand
from graphc.cli.explain import explain
from graphc.cli.ls import ls
from graphc.cli.new import new
from graphc.cli.ops import ops
from graphc.cli.outcome import outcome
from graphc.cli.schema import schema
from graphc.cli.summary import summary
from graphc.cli.terminal import tell
from graphc.cli.transfer import transfer
from graphc.cli.verify import verify

__all__ = ["app", "main"]

COMMANDS = (build, check, diff, draw, expand, explain, ls, new, ops, schema, summary, transfer, verify)

app = Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 fine, 1 the spec is wrong, 2 the call is wrong, 70 a bug in graphc.",
)
for command in COMMANDS:
    app.command()(command)


def _version(asked: bool) -> None:
    if asked:
        tell(f"graphc {__version__}")
        raise Exit


@app.callback()
def graphc(
    *,
    version: Annotated[
        bool, Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """A neural-network architecture, written once in YAML, becomes PyTorch source, an ONNX file and a diagram.

    SPEC is a file (specs/unet.yaml), one at a git revision (git:HEAD~1:specs/unet.yaml), the name of an installed spec
    (unet), or - for standard input. Behind it `:variant` chooses one of its variants (resnet:resnet18), `#block` one of
    its blocks (resnet#bottleneck).

    Example: graphc build unet
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line (without `arguments`, the process's own) and ends with its exit code."""
    with outcome():
        app(arguments, prog_name="graphc")
