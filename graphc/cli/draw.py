"""`graphc draw`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

from graphc.cli.arguments import Form, Format, SetOption, SizeOption, Spec

DEFAULT_SUFFIX = ".svg"


def draw(
    spec: Spec,
    output: Annotated[
        Path | None,
        Option("-o", "--output", metavar="FILE", help="The picture; its suffix says as what. [default: out/NAME.svg]"),
    ] = None,
    depth: Annotated[
        int | None, Option(min=1, metavar="N", help="Open blocks N levels deep. [default: what stays readable]")
    ] = None,
    set_: SetOption = None,
    size: SizeOption = None,
    form: Format = Form.HUMAN,
) -> None:
    """Draw a diagram.

    Example: graphc draw unet -o unet.png --depth 2
    """
    from graphc.backends import backends
    from graphc.cli.terminal import findings
    from graphc.cli.writing import default_path, write
    from graphc.compiler import compile_with_warnings
    from graphc.settings import read_settings

    chosen = backends().taking("depth").writing([output.suffix if output else DEFAULT_SUFFIX])
    graph, warnings = compile_with_warnings(spec, read_settings(set_ or (), size or ()))
    findings(warnings)
    options = {} if depth is None else {"depth": depth}
    write(graph, [output or default_path(graph, DEFAULT_SUFFIX)], chosen, **options)
