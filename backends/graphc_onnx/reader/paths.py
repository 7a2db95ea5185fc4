"""Paths for the nodes that were read: from the tensors that they own, or from what an exporter wrote of its modules."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence

from onnx import NodeProto

from graphc.graph import Input, Node
from graphc.reader.names import MODULE_NAMES
from graphc.saved.names import is_name
from graphc_onnx.reader.growing import Growing, Origin
from graphc_onnx.reader.model import meta, path_of

SCOPES = "pkg.torch.onnx.name_scopes"
"""The metadata in which PyTorch's exporter writes the modules around a node."""
_ENDS = re.compile(r"[._](weight|bias|weight_v|weight_g|in_proj_weight)$")
_NAMELESS = re.compile(r"^(onnx::|\d|val_|_?input|const)")


def give_paths(to: Growing, inputs: Iterable[Node]) -> None:
    """Names every node: by its module where it is the only one of it, else by its op below its module."""
    modules = {node: module(to.origins[node]) for node in to.nodes}
    owners = {node: owner(to.origins[node]) for node in to.nodes}
    kinds: dict[tuple[str, ...], set[str]] = {}
    for node, each in modules.items():
        kinds.setdefault(each, set()).add(node.op.name)
    taken = _Taken({node.path for node in inputs} | {*_prefixes([*modules.values(), *owners.values()])})
    for node in to.nodes:
        around = modules[node]
        is_leaf = len(kinds[around]) == 1 and ".".join(around) not in taken.scopes
        own = owners[node] or (around if is_leaf else (*around, node.op.name))
        node.path = taken.free(own or (node.op.name,), node.op.name)
        node.home = node.path
    _share(to)


def _share(to: Growing) -> None:
    """Nodes that own the same tensors are uses of one module."""
    homes: dict[tuple[object, ...], str] = {}
    for node in to.nodes:
        weights = to.origins[node].weights
        if weights:
            node.home = homes.setdefault((node.op.name, *(each.name for each in weights)), node.path)


class _Taken:
    """The paths that are given; `scopes` are those around others."""

    def __init__(self, scopes: set[str]) -> None:
        self.scopes = scopes
        self.paths: set[str] = set()

    def free(self, parts: Sequence[str], op: str) -> str:
        """A path that nothing has: below one that is a scope, numbered where there is such a node."""
        path = ".".join(parts)
        if path in self.scopes:
            path = f"{path}.{op}"
        stem, number = path, 2
        while path in self.paths or path in self.scopes:
            path, number = f"{stem}_{number}", number + 1
        self.paths.add(path)
        return path


def _prefixes(paths: Iterable[Sequence[str]]) -> Iterable[str]:
    """All that is around a path."""
    for parts in paths:
        yield from (".".join(parts[:end]) for end in range(1, len(parts)))


def owner(origin: Origin) -> tuple[str, ...]:
    """The module whose weight a node owns, by the name of that in the file; nothing where it has no such name."""
    for each in origin.weights[:1]:
        if not _NAMELESS.match(each.name):
            return cleaned(_ENDS.sub("", each.name).split("."))
    return ()


def module(origin: Origin) -> tuple[str, ...]:
    """The module around a node, as the file has it."""
    node = origin.node
    if node is None:
        return ()
    given = path_of(node)
    if given:
        return cleaned(given.split("."))
    scopes = meta(node, SCOPES)
    return cleaned(_of_scopes(scopes)) if scopes else cleaned(_of_name(node))


def _of_scopes(text: str) -> list[str]:
    """The innermost of the modules: `['', 'layer1', 'layer1.0', 'add']` has the node's own name last."""
    try:
        scopes = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return []
    if not isinstance(scopes, list) or len(scopes) < 2 or not isinstance(scopes[-2], str):
        return []
    return scopes[-2].split(".") if scopes[-2] else []


def _of_name(node: NodeProto) -> list[str]:
    """`/layer1/layer1.0/conv1/Conv` is in `layer1.0.conv1`."""
    parts: list[str] = []
    for piece in node.name.split("/")[1:-1]:
        *around, last = piece.split(".")
        parts += [last] if around and parts[-len(around) :] == around else [*around, last]
    return parts


def cleaned(parts: Iterable[str]) -> tuple[str, ...]:
    """Names that a path can have."""
    return tuple(_name(part) for part in parts if part)


def _name(part: str) -> str:
    """A name of letters, digits and _."""
    name = re.sub(r"\W", "_", part).lstrip("_")
    if not is_name(name):
        name = f"n{name}" if name[:1].isdigit() else f"{name}_"
    return f"{name}_" if name in MODULE_NAMES else name


def input_names(names: Iterable[str]) -> dict[str, str]:
    """The inputs of a file and what they are called here."""
    found: dict[str, str] = {}
    for name in names:
        clean, number = ".".join(cleaned([name])) or "input", 2
        stem = clean
        while clean in found.values():
            clean, number = f"{stem}_{number}", number + 1
        found[name] = clean
    return found


def is_input(node: Node) -> bool:
    """Whether a node is an input."""
    return isinstance(node.op, Input)
