"""Which opsets there are, and what is in them."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec

from onnx import defs, helper

from graphc.backends import BackendError
from graphc_onnx.form import Real

LOWEST_OPSET = 15
"""Shape takes `start` and `end` from here on."""
KNOWN_TO_ALL = 21
"""The newest opset that every ONNX Runtime runs which this project supports."""
IR_WITH_FUNCTIONS = 8
"""The first version of ONNX's file format in which a model has functions of its own."""


def require_known(opset: int) -> None:
    """An opset is one that the installed onnx knows, and ONNX Runtime, where that is installed.

    Raises:
        BackendError: it is not.
    """
    newest = defs.onnx_opset_version()
    if not 1 <= opset <= newest:
        raise BackendError(f"opset {opset} is not known: this onnx has opsets up to {newest}")
    if opset > KNOWN_TO_ALL and find_spec("onnxruntime") and not _runs(opset):
        runs = next(n for n in range(opset, 0, -1) if n <= KNOWN_TO_ALL or _runs(n))
        raise BackendError(f"opset {opset} is not known to the installed ONNX Runtime, which has opsets up to {runs}")


def ir_version(opset: int) -> int:
    """The lowest version of ONNX's file format that has the opset, and functions."""
    found: int = helper.find_min_ir_version_for([helper.make_opsetid("", opset)])
    return max(found, IR_WITH_FUNCTIONS)


@cache
def lowest_with(operator: str, real: Real) -> int:
    """The lowest opset in which an operator takes or gives a type of real numbers; 1 where none does."""
    wanted = f"tensor({real})"
    versions = (schema.since_version for schema in _schemas().get(operator, ()) if wanted in _types(schema))
    return min(versions, default=1)


@cache
def gives_real(operator: str) -> bool:
    """Whether an operator can give real numbers; one of ONNX' own that gives sizes, places or truth can't."""
    return all("tensor(float)" in schema.outputs[0].types for schema in _schemas().get(operator, ()))


@cache
def _schemas() -> dict[str, list[defs.OpSchema]]:
    """Every version of ONNX's own operators, by their names."""
    found: dict[str, list[defs.OpSchema]] = {}
    for schema in defs.get_all_schemas_with_history():
        if schema.domain == "":
            found.setdefault(schema.name, []).append(schema)
    return found


def _types(schema: defs.OpSchema) -> set[str]:
    """The types that the first operand can have, or else the first value."""
    return set((*schema.inputs, *schema.outputs)[0].types)


@cache
def _runs(opset: int) -> bool:
    """Whether the installed ONNX Runtime loads a model of that opset."""
    import onnxruntime
    from onnx import TensorProto

    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("x", "y")]
    body = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "probe", value[:1], value[1:])
    probe = helper.make_model(body, opset_imports=[helper.make_opsetid("", opset)], ir_version=IR_WITH_FUNCTIONS)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        onnxruntime.InferenceSession(probe.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except onnxruntime.capi.onnxruntime_pybind11_state.Fail:
        return False
    return True
