"""What backends make of a graph in memory. They are found by the suffix of the files that they write.

A backend that makes more than files has a function for it: that of `.py` has `source` and `module`, that of `.onnx` has
`model`. Each takes a graph and named options.
"""

from __future__ import annotations

from functools import partial
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypedDict, Unpack, cast

from graphc.backends import BackendError, Backends, backends
from graphc.output import write_all

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from graphc.graph import Graph, Value, Weights
    from graphc.marks import Mark

Direction: TypeAlias = Literal["down", "right"]
Figure: TypeAlias = Literal["params", "macs"]
Theme: TypeAlias = Literal["light", "dark", "print"]
Pictures: TypeAlias = "Callable[[Collection[Value]], Mapping[str, bytes]]"


class OnnxOptions(TypedDict, total=False):
    """What can be asked of an ONNX model; None is as if it weren't given."""

    seed: int
    weights: Weights | None
    opset: int | None
    dtype: Literal["float32", "float16", "bfloat16"] | None
    functions: bool


class DrawOptions(TypedDict, total=False):
    """What can be asked of a diagram; None is as if it weren't given. Paths are those of blocks, `do` and copies."""

    depth: int | None
    """How many levels are open, at 1 the graph alone; without it as many as one page shows in readable letters."""
    expand: Collection[str] | None
    """Paths that are opened whatever the depth, and all around them."""
    collapse: Collection[str] | None
    """Paths that are closed whatever the depth."""
    focus: Collection[str] | None
    """Paths that alone are drawn, opened, with what they read and who reads them; `depth` counts from there."""
    show: Collection[Figure] | None
    """Figures to show of each part; MACs at the example sizes."""
    direction: Direction | None
    """Where values flow."""
    theme: Theme | None
    training: bool | None
    """Whether the part for training is drawn, too: dashed."""
    marks: Mapping[str, Mark] | None
    """Marks by the paths of ops, blocks, `do`, inputs and outputs; one inside a closed block shows on that."""
    links: str | None
    """What stands before `FILE#LINE` in an SVG's links to the spec: `https://example.org/repository/blob/main/`."""
    time_limit: float | None
    """Seconds that the layout may take."""
    pictures: Pictures | None
    """Gives pictures (PNG) of maps, by the paths of the values; each is drawn beside what makes it."""
    activations: Collection[str] | None
    """Paths of values that alone are shown as pictures; without it all maps that leave what is drawn."""


class LookOptions(DrawOptions, total=False):
    """What can be asked of a diagram with activations in it, which `pictures` becomes."""

    image: object
    """What the network looks at: a file, or an array [C, H, W] or [1, C, H, W]."""
    weights: Weights | None
    """Without them, the initial values."""
    channels: int | None
    """How many channels of a value are shown, from the first on; 16 where nobody says."""


def made(graph: Graph, suffix: str, what: str, **options: Any) -> object:
    """What the backend that writes a suffix makes by its function of a name; options that are None are not given.

    Raises:
        graphc.diagnostics.SpecError: the graph has what that backend can't express; located.
        BackendError: there is no such backend, or it has no such function.
    """
    make: Callable[..., object] | None = getattr(backends().writing([suffix])[suffix], what, None)
    if make is None:
        raise BackendError(f"the backend that writes {suffix} makes no {what}")
    return make(graph, **_given(graph, options))


def draw(graph: Graph, path: str | PathLike[str], **options: Unpack[LookOptions]) -> None:
    """Writes a diagram, by one of the backends that draw; errors are those of `write` and `looking`."""
    write(graph, path, backends().taking("depth"), **looking(graph, **options))


def looking(
    graph: Graph,
    *,
    image: object = None,
    weights: Weights | None = None,
    channels: int | None = None,
    **options: Unpack[DrawOptions],
) -> DrawOptions:
    """The options of a backend that draws: with an image, `pictures` of what the network makes of it.

    The backend that writes PyTorch source runs the network, by its `pictures`, once it is known what is drawn.

    Raises:
        BackendError: weights, channels or activations are given without an image.
    """
    if image is None:
        given = {"weights": weights, "channels": channels, "activations": options.get("activations") or None}
        if alone := [name for name, value in given.items() if value is not None]:
            raise BackendError(f"{alone[0]}: what a network makes of an image is drawn where one is given")
        return options

    def pictures(values: Collection[Value]) -> Mapping[str, bytes]:
        run = made(graph, ".py", "pictures", values=values, image=image, weights=weights, channels=channels)
        return cast("Mapping[str, bytes]", run)

    return {**options, "pictures": pictures}


def drawn(graph: Graph, **options: Unpack[LookOptions]) -> str:
    """The diagram as the text of an SVG."""
    with TemporaryDirectory(prefix="graphc-") as folder:
        path = Path(folder) / "graph.svg"
        draw(graph, path, **options)
        return path.read_text("utf-8")


def write_onnx(graph: Graph, path: str | PathLike[str], **options: Any) -> None:
    """Writes an ONNX file; errors are those of `write`."""
    write(graph, path, Backends(backends().writing([".onnx"])), **options)


def write(graph: Graph, path: str | PathLike[str], chosen: Backends, **options: Any) -> None:
    """Writes a file in the format of its suffix, whole or not at all; options that are None are not given.

    Raises:
        graphc.diagnostics.SpecError: the graph has what that backend can't express; located.
        BackendError: none of the backends writes such a file.
        graphc.output.OutputError: it can't be written.
    """
    place = Path(path)
    backend = chosen.writing([place.suffix])[place.suffix]
    write_all([(place, partial(backend.write, graph, **_given(graph, options)))])


def _given(graph: Graph, options: dict[str, Any]) -> dict[str, Any]:
    """The options that are not None; weights by the graph's paths, whatever they are called where they come from."""
    given = {name: value for name, value in options.items() if value is not None}
    if "weights" in given:
        from graphc.checkpoint import read_weights

        given["weights"] = read_weights(graph, given["weights"])
    return given
