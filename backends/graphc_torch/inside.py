"""Looking into a live module: values inside it, and what of the picture speaks for a class."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.func import functional_call

from graphc.graph import Graph
from graphc.rewrite import with_taps
from graphc_torch import loaded
from graphc_torch.writer import class_name, source

Inputs: TypeAlias = Tensor | Sequence[Tensor] | Mapping[str, Tensor]
_GRAPHS: WeakKeyDictionary[type[nn.Module], Graph] = WeakKeyDictionary()


def remember(kind: type[nn.Module], graph: Graph) -> None:
    """Notes which graph a class is the source of."""
    _GRAPHS[kind] = graph


def activations(module: nn.Module, inputs: Inputs, paths: Iterable[str]) -> dict[str, Tensor]:
    """What stands in `graphc_torch.activations`."""
    wanted, graph = list(paths), _graph(module)
    tapped = with_taps(graph, [path for path in dict.fromkeys(wanted) if path not in graph.outputs])
    found = dict(zip(tapped.outputs, _run(module, tapped, inputs), strict=True))
    return {path: found[path] for path in wanted}


def grad_cam(module: nn.Module, inputs: Inputs, path: str, target: int | Tensor | None = None) -> Tensor:
    """What stands in `graphc_torch.grad_cam`."""
    graph = _graph(module)
    scores_at = next(iter(graph.outputs))
    with torch.inference_mode(mode=False), torch.enable_grad():
        found = activations(module, _sloped(inputs), [scores_at, path])
        scores, maps = found[scores_at], found[path]
        _require_maps(scores, maps, path)
        classes = scores.argmax(1) if target is None else torch.as_tensor(target, device=scores.device)
        chosen = scores.gather(1, classes.expand(len(scores))[:, None]).sum()
        (slopes,) = torch.autograd.grad(chosen, maps, allow_unused=True)
    if slopes is None:
        raise ValueError(f"the scores don't depend on `{path}`")
    weights = slopes.flatten(2).mean(2)
    return torch.einsum("nk,nk...->n...", weights, maps.detach()).relu()


def _require_maps(scores: Tensor, maps: Tensor, path: str) -> None:
    """The first output has scores of classes, and what is looked at lies in space before them.

    Raises:
        ValueError: one of them is otherwise.
    """
    if scores.ndim != 2:
        raise ValueError(f"Grad-CAM needs scores [N, classes] as the first output, this has {list(scores.shape)}")
    if maps.ndim < 3:
        raise ValueError(f"Grad-CAM needs maps [N, C, *space], `{path}` is {list(maps.shape)}")


def _sloped(inputs: Inputs) -> Inputs:
    """Inputs that have a gradient where they can, so that all that depends on them has, with frozen weights too."""
    if isinstance(inputs, Mapping):
        return dict(zip(inputs, _sloped(tuple(inputs.values())), strict=True))
    return tuple(each.detach().requires_grad_(each.is_floating_point()) for each in _several(inputs))


def _graph(module: nn.Module) -> Graph:
    """The graph that a module is the source of.

    Raises:
        ValueError: it is no module that graphc made in this process.
    """
    found = _GRAPHS.get(type(module))
    if found is None:
        raise ValueError(f"{type(module).__name__} is no live module of this process: make it by Graph.module()")
    return found


def _run(module: nn.Module, tapped: Graph, inputs: Inputs) -> tuple[Tensor, ...]:
    """What the module gives with further outputs: its own parameters and buffers in the source of the tapped graph."""
    kind: type[nn.Module] = getattr(loaded.load(source(tapped), tapped.name), class_name(tapped))
    with torch.device("meta"):
        twin = kind()
    modes = {path: part.training for path, part in module.named_modules()}
    for path, part in twin.named_modules():
        part.training = modes.get(path, module.training)
    arguments, named = ((), inputs) if isinstance(inputs, Mapping) else (_several(inputs), {})
    found = functional_call(twin, _held(module), arguments, dict(named), strict=True)
    return (found,) if isinstance(found, Tensor) else tuple(found)


def _held(module: nn.Module) -> dict[str, Tensor]:
    """Parameters and buffers by their paths."""
    return {
        **dict(module.named_parameters(remove_duplicate=False)),
        **dict(module.named_buffers(remove_duplicate=False)),
    }


def _several(inputs: Tensor | Sequence[Tensor]) -> tuple[Tensor, ...]:
    return (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
