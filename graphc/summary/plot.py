"""MACs and memory of activations over the size of the input, of several networks, as a picture."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from graphc import cost
from graphc.compiler import compile
from graphc.cost.footprint import Memory
from graphc.diagnostics import SpecError
from graphc.dims import substitute
from graphc.graph import Graph
from graphc.settings import Settings

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Point: TypeAlias = tuple[int, int, Memory]
MOST_POINTS = 64
SUFFIXES = (".png", ".svg")
OVER = re.compile(r"(?P<names>[^=]+)=(?P<first>\d+)\.\.(?P<last>\d+)(?:/(?P<step>\d+))?")


class PlotError(Exception):
    """What can't be plotted: one line for the user."""


@dataclass(frozen=True, slots=True)
class Over:
    """The sizes to go through: all these names together, from first to last in steps."""

    names: tuple[str, ...]
    first: int
    last: int
    step: int

    @property
    def sizes(self) -> range:
        return range(self.first, self.last + 1, self.step)

    @classmethod
    def read(cls, text: str) -> Over:
        """As `H,W=224..1024/32`; without a step there are at most 64 sizes.

        Raises:
            PlotError: it is not of that form.
        """
        match = OVER.fullmatch(text.strip())
        if not match:
            raise PlotError(f"`{text}` is not of the form H,W=224..1024/32")
        names = tuple(name.strip() for name in match["names"].split(","))
        first, last = int(match["first"]), int(match["last"])
        step = int(match["step"] or 0) or max(1, -(-(last - first + 1) // MOST_POINTS))
        if not 0 < first < last:
            raise PlotError(f"`{text}`: the sizes go from a positive one to a larger one")
        if (last - first) // step >= MOST_POINTS * 16:
            raise PlotError(f"`{text}` are more than {MOST_POINTS * 16} sizes: give a larger step behind a `/`")
        return cls(names, first, last, step)


@dataclass(frozen=True, slots=True)
class Series:
    """A network's costs at sizes that it takes: MACs, and bytes of activations that live at once."""

    name: str
    sizes: tuple[int, ...]
    macs: tuple[int, ...]
    inference: tuple[int, ...]
    training: tuple[int, ...]


def series(address: str, settings: Settings, over: Over) -> Series:
    """A network's costs at those of the sizes that it takes; of the names those that it has count.

    A name is that of a free size, or of a parameter, for which the spec is read anew each time.

    Raises:
        PlotError: it has none of the names, takes none of the sizes, or has an op without a rule for MACs.
        SpecError: the spec is wrong.
    """
    graph = compile(address, settings)
    free = [name for name in over.names if name in graph.sizes]
    bindings = graph.root.bindings
    parameters = [name for name in over.names if name in bindings and bindings[name].source == "parameter"]
    if not (free or parameters):
        raise PlotError(f"`{graph.name}` has no size or parameter {' or '.join(f'`{name}`' for name in over.names)}")
    if cost.macs(graph) is None:
        raise PlotError(f"`{graph.name}` has MACs that are not counted: no rule for {', '.join(cost.uncounted(graph))}")
    points = [point for size in over.sizes if (point := _point(address, settings, graph, size, free, parameters))]
    if not points:
        raise PlotError(f"`{graph.name}` takes none of the sizes from {over.first} to {over.last} by {over.step}")
    sizes, macs, memories = zip(*points, strict=True)
    training = [memory.peak_training for memory in memories if memory.peak_training is not None]
    whole = len(training) == len(sizes)
    inference = tuple(memory.peak_inference for memory in memories)
    return Series(graph.name, sizes, macs, inference, tuple(training) if whole else ())


def _point(
    address: str, settings: Settings, graph: Graph, size: int, free: Sequence[str], parameters: Sequence[str]
) -> Point | None:
    """A size, and MACs and memory there; None for one that the network doesn't take."""
    if parameters:
        try:
            graph = compile(address, settings.with_parameters(dict.fromkeys(parameters, size)))
        except SpecError:
            return None
    if not all(size in graph.sizes[name].rule.sizes() for name in free):
        return None
    values = graph.at(dict.fromkeys(free, size))
    macs = cost.macs(graph)
    demands = (demand.relation for demand in graph.demands if demand.strict)
    if macs is None or not all(relation.holds(values) for relation in demands):
        return None
    return size, int(str(substitute(macs, values))), cost.memory(graph, values)


def write(path: Path, found: Sequence[Series], over: Over) -> None:
    """Draws networks side by side; the same bytes each time (PNG and SVG), with one version of matplotlib.

    Raises:
        PlotError: matplotlib is not installed.
    """
    try:
        import matplotlib as mpl
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.backends.backend_svg import FigureCanvasSVG
        from matplotlib.figure import Figure
    except ImportError as error:
        raise PlotError("plots need matplotlib: pip install 'graphc[plot]'") from error
    with mpl.rc_context({"svg.hashsalt": "graphc", "svg.fonttype": "none"}):
        figure = Figure(figsize=(11, 4.2), layout="constrained", dpi=150)
        left, right = figure.subplots(1, 2)
        _drawn(left, ((one.name, one.sizes, one.macs, "macs") for one in found), 1e9)
        _drawn(right, ((one.name, one.sizes, one.inference, "inference") for one in found), 1e6)
        _dashed(right, found)
        left.set(title="GMACs", xlabel=", ".join(over.names), ylim=(0, None))
        right.set(title="activations that live at once, MB (dashed: in training)", xlabel=", ".join(over.names))
        right.set_yscale("log")
        left.legend(frameon=False)
        canvas = FigureCanvasSVG(figure) if path.suffix == ".svg" else FigureCanvasAgg(figure)
        canvas.print_figure(path, format=path.suffix[1:], metadata=_METADATA[path.suffix])


def _drawn(axes: Axes, lines: Iterable[tuple[str, Sequence[int], Sequence[int], str]], unit: float) -> None:
    for number, (name, sizes, values, kind) in enumerate(lines):
        axes.plot(sizes, [value / unit for value in values], f"C{number}.-", label=name, gid=f"{kind}:{name}")
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


def _dashed(axes: Axes, found: Sequence[Series]) -> None:
    for number, one in enumerate(found):
        if one.training:
            values = [value / 1e6 for value in one.training]
            axes.plot(one.sizes, values, f"C{number}.--", markersize=3, gid=f"training:{one.name}")


_METADATA: dict[str, dict[str, str | None]] = {".png": {"Software": None}, ".svg": {"Date": None, "Creator": None}}
"""What the files say of themselves: neither when nor with what version they were made."""
