"""`graphc draw`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

from typer import BadParameter, Option

from graphc.cli.arguments import Form, Format, SetOption, SizeOption, Spec
from graphc.made import Direction, Figure, Theme

if TYPE_CHECKING:
    from graphc.backends import Backend
    from graphc.made import LookOptions

DEFAULT_SUFFIX = ".svg"


def draw(
    spec: Spec,
    *,
    output: Annotated[
        Path | None,
        Option("-o", "--output", metavar="FILE", help="The picture; its suffix says as what. [default: out/NAME.svg]"),
    ] = None,
    depth: Annotated[int | None, Option(min=1, metavar="N", help="Levels to open. [default: readable]")] = None,
    expand: Annotated[
        list[str] | None, Option(metavar="PATH", help="Open it all the same: stage.1. Repeatable.")
    ] = None,
    collapse: Annotated[list[str] | None, Option(metavar="PATH", help="Close it all the same. Repeatable.")] = None,
    focus: Annotated[list[str] | None, Option(metavar="PATH", help="Draw it alone. Repeatable.")] = None,
    show: Annotated[str | None, Option(metavar="WHAT,…", help="Figures of each part: params, macs.")] = None,
    direction: Annotated[Direction, Option(help="Where values flow.")] = "down",
    theme: Annotated[Theme, Option(help="The colours.")] = "light",
    training: Annotated[bool, Option("--training", help="The part for training, too, dashed.")] = False,
    links: Annotated[str | None, Option(metavar="URL", help="Before FILE#LINE in an SVG's links.")] = None,
    image: Annotated[Path | None, Option(metavar="FILE", help="Draw what the network makes of it, too.")] = None,
    weights: Annotated[Path | None, Option(metavar="FILE", help="Weights for it. [default: initial values]")] = None,
    activations: Annotated[list[str] | None, Option(metavar="PATH", help="Show this value alone. Repeatable.")] = None,
    channels: Annotated[int | None, Option(min=1, metavar="N", help="Channels of a value. [default: 16]")] = None,
    set_: SetOption = None,
    size: SizeOption = None,
    _form: Format = Form.HUMAN,
) -> None:
    """Draw a diagram.

    Example: graphc draw unet -o unet.png --depth 2
    """
    from graphc.cli.graphs import compiled
    from graphc.cli.weights import Given
    from graphc.cli.writing import default_path, write
    from graphc.made import looking

    options: LookOptions = {
        "depth": depth,
        "expand": expand,
        "collapse": collapse,
        "focus": focus,
        "show": _figures(show),
        "direction": direction,
        "theme": theme,
        "training": training,
        "links": links,
        "image": image,
        "channels": channels,
        "activations": activations,
    }
    chosen = _chosen(output)
    graph = compiled(spec, set_, size)
    if weights:
        options["weights"] = Given(weights, spec).weights(graph)
    write(graph, [output or default_path(graph, DEFAULT_SUFFIX)], chosen, **looking(graph, **options))


def _chosen(output: Path | None) -> dict[str, Backend]:
    """The backend that draws a file."""
    from graphc.backends import backends

    return backends().taking("depth").writing([output.suffix if output else DEFAULT_SUFFIX])


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
