"""`graphc schema`."""

from __future__ import annotations

from typing import Annotated

from typer import Argument

from graphc.cli.arguments import Form, Format


def schema(
    spec: Annotated[
        str | None,
        Argument(
            metavar="[SPEC]",
            show_default=False,
            help="A file, or the name of an installed spec: its own names are known.",
        ),
    ] = None,
    form: Format = Form.HUMAN,
) -> None:
    """Print a JSON Schema of the language, for editors.

    Without SPEC it is that of any spec; with SPEC the names of its blocks, parameters and variants are known too.

    Example: graphc schema unet
    """
    from json import dumps

    from graphc.cli.terminal import tell
    from graphc.schema import schema as schema_of

    tell(dumps(schema_of(spec), indent=2))
