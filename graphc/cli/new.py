"""`graphc new`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, BadParameter, Option


def _begun(begun: str) -> list[str]:
    from graphc.library import templates

    return [name for name in templates() if name.startswith(begun)]


def new(
    name: Annotated[str, Argument(metavar="NAME", help="The name of the architecture.")],
    template: Annotated[
        str,
        Option(
            "--from",
            metavar="TEMPLATE",
            autocompletion=_begun,
            help="What to start from: classifier, segmenter or transformer.",
        ),
    ] = "classifier",
    output: Annotated[
        Path | None, Option("-o", "--output", metavar="FILE", help="Where it goes. [default: NAME.yaml]")
    ] = None,
) -> None:
    """Start a spec from a template.

    The template is a whole small network with an objective, to be changed. A file that is there already is left alone.

    Example: graphc new mynet --from segmenter
    """
    from graphc.cli.terminal import tell
    from graphc.diagnostics import did_you_mean, listed
    from graphc.library import templates
    from graphc.output import OutputError, write_all

    known = templates()
    if template not in known:
        hint = did_you_mean(template, known, f"there are {listed(sorted(known))}")
        raise BadParameter(f"no template `{template}`; {hint}", param_hint="--from")
    if not name.isidentifier():
        raise BadParameter(f"`{name}` is no name: letters, digits and _, no digit first", param_hint="NAME")
    path = output or Path(f"{name}.yaml")
    if path.suffix not in {".yaml", ".yml"}:
        raise BadParameter(f"a spec's file ends in .yaml, not as {path} does", param_hint="--output")
    if path.exists():
        raise OutputError(f"{path} is there already; choose another name, or another file with -o")
    text = known[template].read_text("utf-8").replace(f"\nname: {template}\n", f"\nname: {name}\n", 1)

    def write(place: Path) -> None:
        place.write_text(text, "utf-8", newline="\n")

    write_all([(path, write)])
    tell(f"{path}", "", f"graphc check {path}", f"graphc build {path}")
