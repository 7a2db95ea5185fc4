"""The types that ONNX's own inference finds, for what graphc has no op for; on a copy without the weights."""

from __future__ import annotations

from onnx import ModelProto, TypeProto, helper, shape_inference

from graphc.dims import Size
from graphc.tensor import Tensor
from graphc_onnx.reader.entries import MOST_KNOWN, kind_of
from graphc_onnx.reader.free import Free
from graphc_onnx.reader.model import Model


def types(model: Model, free: Free) -> dict[str, Tensor]:
    """What is known of the values between inputs and outputs; a size that nobody knows is a new free one."""
    light = _light(model)
    try:
        found = shape_inference.infer_shapes(light, data_prop=True).graph
    except (shape_inference.InferenceError, RuntimeError, ValueError, TypeError):
        found = light.graph
    infos = (*found.value_info, *found.output)
    return {info.name: tensor(info.type, free) for info in infos if info.type.HasField("tensor_type")}


def tensor(type_: TypeProto, free: Free, *, named: bool = False) -> Tensor:
    """A type of ONNX; where `named`, an unnamed size gets a name of its own."""
    given = type_.tensor_type
    sizes: list[Size] = [
        dim.dim_value if dim.HasField("dim_value") else free.size(dim.dim_param, at)
        for at, dim in enumerate(given.shape.dim)
    ]
    return Tensor(tuple(sizes), kind_of(given.elem_type))


def _light(model: Model) -> ModelProto:
    """The model with its large tensors as inputs, of which only the shapes matter."""
    made = ModelProto()
    made.ir_version = model.proto.ir_version
    made.opset_import.extend(model.proto.opset_import)
    imported = {each.domain for each in made.opset_import}
    for domain in sorted({node.domain for node in model.nodes} - imported - {"", "ai.onnx"}):
        made.opset_import.append(helper.make_opsetid(domain, 1))
    graph = made.graph
    graph.name = "light"
    graph.node.extend(model.nodes)
    graph.input.extend(model.proto.graph.input)
    graph.output.extend(model.proto.graph.output)
    graph.value_info.extend(model.proto.graph.value_info)
    known = {each.name for each in graph.input}
    for name, each in model.tensors.items():
        count = 1
        for size in each.dims:
            count *= size
        if count <= MOST_KNOWN and not each.external_data:
            graph.initializer.append(each)
        elif name not in known:
            graph.input.append(helper.make_tensor_value_info(name, each.data_type, list(each.dims)))
    return made
