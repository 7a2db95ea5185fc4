"""`graphc schema`."""

from __future__ import annotations

from typing import Annotated

from typer import Argument

from graphc.cli.arguments import Form, Format, OutputOption


def schema(
    spec: Annotated[
        str | None,
        Argument(
            metavar="SPEC",
            show_default=False,
            help="A file, or the name of an installed spec: its own names are known.",
        ),
    ] = None,
    output: OutputOption = None,
    form: Format = Form.HUMAN,
) -> None:
    """Print a JSON Schema of the language, for editors.

    Without SPEC it is that of any spec; with SPEC the names of its blocks, parameters and variants are known too.

    Example: graphc schema unet -o unet.schema.json
    """
    from json import dumps

    from graphc.cli.writing import give
    from graphc.schema import schema as schema_of

    give(dumps(schema_of(spec), indent=2), output)
