"""The live module: the generated source, loaded, with initial values that depend on the seed and each weight's path."""

from __future__ import annotations

import linecache
from types import ModuleType

import torch
from torch import nn

from graphc.graph import Graph
from graphc.initial import initial_values
from graphc_torch.writer import class_name, source


def load(graph: Graph, seed: int = 0) -> nn.Module:
    """The module of a graph, in training mode as a new module is."""
    loaded = _load_source(source(graph), f"<graphc {graph.name} {graph.digest[:16]}>")
    kind = getattr(loaded, class_name(graph))
    with torch.device("meta"):
        made: nn.Module = kind()
    made.load_state_dict({path: torch.from_numpy(value) for path, value in initial_values(graph, seed)}, assign=True)
    return made


def _load_source(text: str, name: str) -> ModuleType:
    """Runs a source text as a module; tracebacks and `inspect.getsource` see its lines."""
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    loaded = ModuleType(name)
    loaded.__file__ = name
    exec(compile(text, name, "exec"), loaded.__dict__)  # noqa: S102  our own source: that is the live module
    return loaded
