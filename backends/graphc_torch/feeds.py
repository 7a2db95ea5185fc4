"""What the items of a body are: modules, calls or uses; and how the copies of a group are fed."""

from __future__ import annotations

from dataclasses import dataclass

from graphc.graph import Node, Scope, Skipped
from graphc_torch.body import Copy, Item, Ref
from graphc_torch.layer import layer_of


@dataclass(frozen=True, slots=True)
class Feed:
    """What one input of a group's copies is.

    "chain": output `output` of the copy before, the first copy getting `refs[0]`; "same": one value for all; "list": a
    value for each.
    """

    kind: str
    refs: tuple[Ref, ...]
    output: int = 0


def feeds(item: Item) -> list[Feed] | None:
    """What the inputs of a group's copies are; None where the copies differ in their number of inputs."""
    if len({len(copy.operands) for copy in item.copies}) > 1:
        return None
    flow = int(is_use(item))
    operands = zip(*(copy.operands for copy in item.copies), strict=True)
    return [_feed(refs, is_flow=number == flow) for number, refs in enumerate(operands)]


def is_sequential(item: Item) -> bool:
    """Whether a group of copies is a chain of which only the end is read."""
    fed = feeds(item)
    if is_branches(item) or fed is None or len(fed) != 1 or fed[0].kind != "chain" or fed[0].output != 0:
        return False
    only_end = item.outputs == item.copies[-1].outputs[:1]
    return only_end and all(len(copy.outputs) == 1 and as_module(copy) for copy in item.copies)


def is_branches(item: Item) -> bool:
    """Whether a group is of different branches, not of copies."""
    return any(isinstance(copy.thing, Scope) and copy.thing.kind == "branch" for copy in item.copies)


def is_function(item: Item) -> bool:
    """Whether an item is an op that has no module: it is the call of a function."""
    layer = layer_of(item.thing) if isinstance(item.thing, Node) else None
    return layer is not None and layer.module is None and layer.function is not None


def is_use(item: Item) -> bool:
    """Whether an item is a use of a shared module, or a group of such."""
    return item.role == "use" or (bool(item.copies) and all(map(is_use, item.copies)))


def as_module(item: Item) -> bool:
    if item.role:
        return False
    if isinstance(item.thing, Node):
        layer = layer_of(item.thing)
        return len(item.operands) == 1 and (layer.module is not None or layer.is_identity)
    if isinstance(item.thing, Scope) and item.thing.kind == "copies":
        return is_sequential(item)
    return len(item.operands) == 1 and len(item.outputs) == (0 if isinstance(item.thing, Skipped) else 1)


def _feed(refs: tuple[Ref, ...], *, is_flow: bool) -> Feed:
    chained = all(isinstance(ref, Copy) and ref.copy == c for c, ref in enumerate(refs[1:]))
    outputs = {ref.output for ref in refs[1:] if isinstance(ref, Copy)}
    if chained and len(outputs) <= 1 and (len(refs) > 1 or is_flow):
        return Feed("chain", refs[:1], next(iter(outputs), 0))
    return Feed("same", refs[:1]) if len(set(refs)) == 1 else Feed("list", refs)
