"""The function that every lowering extends."""

from __future__ import annotations

from functools import singledispatch

from graphc.diagnostics import Diagnostic, SpecError
from graphc.graph import Node, Value
from graphc.ops.base import Op
from graphc_onnx.emitter import Emitter


@singledispatch
def lower(op: Op, to: Emitter, *operands: Value | None) -> None:
    """Writes an op as ONNX nodes: for its value, and for what that needs.

    A lowering names its operands as the op's `infer` does, or takes them all as `*operands`. What it writes is valid in
    every opset from `graphc_onnx.assemble.LOWEST_OPSET` on, or from the one that it asks for with `needs_opset`.

    Raises:
        SpecError: ONNX can't express the op, or nothing is registered for its class.
    """
    hint = f"register a function for {type(op).__name__} with `graphc_onnx.lowerings.lower.register`"
    raise cannot_lower(to.node, "the backend doesn't know this op", hint)


def cannot_lower(node: Node, why: str, hint: str) -> SpecError:
    """What a lowering raises where it has no form for an op."""
    message = f"ONNX: cannot lower `{node.op.name}` ({node.path}): {why}"
    return SpecError([Diagnostic("E901", message, node.span, hint=hint)])
