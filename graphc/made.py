"""What backends make of a graph in memory. They are found by the suffix of the files that they write.

A backend that makes more than files has a function for it: that of `.py` has `source` and `module`, that of `.onnx` has
`model`. Each takes a graph and named options.
"""

from __future__ import annotations

from functools import partial
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypedDict, Unpack

from graphc.backends import BackendError, Backends, backends
from graphc.output import write_all

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from graphc.graph import Graph, Weights
    from graphc.marks import Mark

Direction: TypeAlias = Literal["down", "right"]
Figure: TypeAlias = Literal["params", "macs"]
Theme: TypeAlias = Literal["light", "dark", "print"]


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


def draw(graph: Graph, path: str | PathLike[str], **options: Unpack[DrawOptions]) -> None:
    """Writes a diagram, by one of the backends that draw; errors are those of `write`."""
    write(graph, path, backends().taking("depth"), **options)


def drawn(graph: Graph, **options: Unpack[DrawOptions]) -> str:
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
