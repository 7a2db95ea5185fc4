"""`graphc draw`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

from typer import BadParameter, Option

from graphc.cli.arguments import Form, Format, SetOption, SizeOption, Spec
from graphc.made import Direction, Figure, Theme

if TYPE_CHECKING:
    from graphc.made import DrawOptions

DEFAULT_SUFFIX = ".svg"


def draw(
    spec: Spec,
    *,
    output: Annotated[
        Path | None,
        Option("-o", "--output", metavar="FILE", help="The picture; its suffix says as what. [default: out/NAME.svg]"),
    ] = None,
    depth: Annotated[
        int | None, Option(min=1, metavar="N", help="Open blocks N levels deep. [default: what stays readable]")
    ] = None,
    expand: Annotated[list[str] | None, Option(metavar="PATH", help="Open it all the same. Repeatable.")] = None,
    collapse: Annotated[list[str] | None, Option(metavar="PATH", help="Close it all the same. Repeatable.")] = None,
    focus: Annotated[list[str] | None, Option(metavar="PATH", help="Draw it alone. Repeatable.")] = None,
    show: Annotated[str | None, Option(metavar="WHAT,…", help="Figures of each part: params, macs.")] = None,
    direction: Annotated[Direction, Option(help="Where values flow.")] = "down",
    theme: Annotated[Theme, Option(help="The colours.")] = "light",
    training: Annotated[bool, Option("--training", help="The part for training, too, dashed.")] = False,
    links: Annotated[str | None, Option(metavar="URL", help="Before FILE#LINE in an SVG's links.")] = None,
    set_: SetOption = None,
    size: SizeOption = None,
    _form: Format = Form.HUMAN,
) -> None:
    """Draw a diagram.

    A PATH is that of a block, a `do` or copies: `stage.1`.

    Example: graphc draw unet -o unet.png --depth 2
    """
    options: DrawOptions = {
        "depth": depth,
        "expand": expand,
        "collapse": collapse,
        "focus": focus,
        "show": _figures(show),
        "direction": direction,
        "theme": theme,
        "training": training,
        "links": links,
    }
    _write(spec, output, options, set_ or (), size or ())


def _write(spec: str, output: Path | None, options: DrawOptions, set_: Sequence[str], size: Sequence[str]) -> None:
    from graphc.backends import backends
    from graphc.cli.graphs import compiled
    from graphc.cli.writing import default_path, write

    chosen = backends().taking("depth").writing([output.suffix if output else DEFAULT_SUFFIX])
    graph = compiled(spec, set_, size)
    write(graph, [output or default_path(graph, DEFAULT_SUFFIX)], chosen, **options)


def _figures(text: str | None) -> list[Figure]:
    """The names in `params,macs`.

    Raises:
        BadParameter: one is not known.
    """
    wanted = [name.strip() for name in (text or "").split(",") if name.strip()]
    known: tuple[Figure, ...] = get_args(Figure)
    if unknown := [name for name in wanted if name not in known]:
        raise BadParameter(f"`{unknown[0]}` is none of {', '.join(known)}", param_hint="--show")
    return [name for name in known if name in wanted]
