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

COMMANDS = (build, check, verify, summary, draw, diff, transfer, ls, ops, expand, explain, schema, new)
SHORT = {"diff": "Say how one architecture becomes another."}
"""What the list of commands says where a docstring's first line is longer than a screen."""

app = Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 fine, 1 a wrong spec, 2 a wrong call, 70 a bug in graphc.",
)
for command in COMMANDS:
    app.command(short_help=SHORT.get(command.__name__))(command)


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
    """A neural network, written once in YAML, becomes PyTorch, ONNX and a diagram.

    SPEC is a file, an installed spec (unet), one at a git revision (git:HEAD~1:net.yaml), a saved graph (net.json), an
    ONNX file, or - for standard input. Behind a spec `:variant` chooses a variant (resnet:resnet18), `#block` a block.

    Example: graphc build unet
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line (without `arguments`, the process's own) and ends with its exit code."""
    with outcome():
        app(arguments, prog_name="graphc")
