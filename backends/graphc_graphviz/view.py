"""What of a graph is drawn: how far its blocks are opened, where else, and what is told of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Unpack

from graphc.backends import BackendError
from graphc.diagnostics import did_you_mean
from graphc.graph import Graph, Node, Scope

if TYPE_CHECKING:
    from graphc.made import DrawOptions
    from graphc.marks import Mark


@dataclass(frozen=True, slots=True)
class View:
    """What of a graph is drawn; all paths are of the graph."""

    depth: int = 1
    opened: frozenset[str] = frozenset()
    closed: frozenset[str] = frozenset()
    focus: tuple[Scope | Node, ...] = ()
    show: frozenset[str] = frozenset()
    training: bool = False
    marks: Mapping[str, Mark] = field(default_factory=dict)
    pictured: bool = False
    """Whether values are shown as pictures: those at the paths `activations`, or all that leave what is drawn."""
    activations: tuple[str, ...] = ()

    def to(self, depth: int) -> View:
        """The same, opened to another depth."""
        return replace(self, depth=depth)


def view_of(graph: Graph, **options: Unpack[DrawOptions]) -> View:
    """The view that options ask for; without a depth it is 1.

    Raises:
        BackendError: a path is not one of the graph, or is to be open and closed; or there is no part for training.
    """
    training = bool(options.get("training"))
    if training and graph.training is None:
        raise BackendError(f"`{graph.name}` has no `training` to draw")
    roots = [graph.root, *([graph.training.root] if training and graph.training else [])]
    scopes = {scope.path: scope for root in roots for scope in root.scopes() if scope.path}
    nodes = {node.path: node for root in roots for node in root.nodes()}
    expanded = _known(options.get("expand"), scopes, "expand", nodes)
    closed = _known(options.get("collapse"), scopes, "collapse", nodes)
    focus = _known(options.get("focus"), {**nodes, **scopes}, "focus")
    marks = options.get("marks") or {}
    ends = {path for part in _parts(graph, training) for path in part}
    _known(marks, {*scopes, *nodes, *ends}, "marks")
    opened = {path for wanted in expanded for path in _opened(scopes[wanted])}
    if both := sorted(opened & set(closed)):
        raise BackendError(f"`{both[0]}` can't be both expanded, for what is in it, and collapsed")
    found: dict[str, Scope | Node] = {**nodes, **scopes}
    return View(
        depth=1 if options.get("depth") is None else options["depth"] or 0,
        opened=frozenset(opened),
        closed=frozenset(closed),
        focus=tuple(found[path] for path in _outermost(focus)),
        show=frozenset(options.get("show") or ()),
        training=training,
        marks=marks,
        pictured=options.get("pictures") is not None,
        activations=tuple(options.get("activations") or ()),
    )


def _known(
    paths: Iterable[str] | None, known: Collection[str], option: str, ops: Collection[str] = ()
) -> tuple[str, ...]:
    """The paths that are given, each of which is known."""
    given = tuple(dict.fromkeys(paths or ()))
    for path in given:
        if path not in known:
            is_op = f"`{path}` is an op; {option} is for blocks, `do` and copies"
            near = sorted(name for name in known if "." not in name)[:8]
            hint = did_you_mean(path, known, f"there is {', '.join(f'`{name}`' for name in near)}" if near else "")
            raise BackendError(is_op if path in ops else f"{option}: nothing is at `{path}`" + f"; {hint}" * bool(hint))
    return given


def _parts(graph: Graph, training: bool) -> Iterator[Iterable[str]]:
    """The names of the inputs and outputs."""
    yield from (graph.inputs, graph.outputs)
    if training and graph.training:
        yield from (graph.training.inputs, [loss.name for loss in graph.training.losses])


def _opened(scope: Scope) -> Iterator[str]:
    """What has to be open to see what is in a scope: it, and all around it; of copies each."""
    copies = [item for item in scope.items if isinstance(item, Scope)] if scope.kind == "copies" else []
    yield from (copy.path for copy in copies)
    around: Scope | None = scope
    while around is not None:
        if around.path:
            yield around.path
        around = around.parent


def _outermost(paths: Iterable[str]) -> list[str]:
    """The paths that are in none of the others, in their order."""
    each = list(paths)
    return [path for path in each if not any(path.startswith(f"{other}.") for other in each)]
