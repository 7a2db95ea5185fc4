"""What an op becomes in PyTorch, in a few words."""

from __future__ import annotations

import re

import graphc_torch.lowerings
from graphc.graph import Node
from graphc_torch.layer import Call, layer_of

__all__ = ["graphc_torch", "spoken"]


def spoken(node: Node) -> str:
    """The module, the function, or both: "`nn.ReLU` or `functional.relu`".

    Raises:
        SpecError: there is no lowering for the op.
    """
    layer = layer_of(node)
    if layer.is_identity:
        return "the value as it is"
    calls = (call for call in (layer.module, layer.function) if call is not None)
    said = " or ".join(dict.fromkeys(map(_call, calls)))
    return f"{said}, written beside the model" if layer.helper else said


def _call(call: Call) -> str:
    """A call as it stands in the source, without its arguments."""
    match call.style:
        case "operator":
            return f"`{call.name.strip()}`"
        case "index":
            return "`x[…]`"
        case "methods":
            return ", ".join(f"`Tensor.{name}`" for name in re.findall(r"[a-z_]+", call.name))
        case "weight":
            return "an `nn.Parameter`"
    return f"`{call.name}`"
