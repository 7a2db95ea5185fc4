"""Counts, FLOPs and memory: against torch's own counter, the reference libraries, and what autograd really keeps."""

from __future__ import annotations

import itertools
from types import ModuleType

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import graphc
from graphc import cost
from graphc.cost.examples import Examples
from graphc.dims import product, substitute
from graphc.graph import Graph
from graphc.ops import OPS
from graphc.ops.activation import Relu
from graphc.ops.base import Op
from graphc.ops.linear import Linear
from graphc.tensor import Tensor

NETWORKS = [
    "resnet18", "resnet50", "vit_ti_16", "unet", "vgg11", "alexnet", "googlenet", "densenet121", "mobilenet_v2",
    "mobilenet_v3_large", "efficientnet_b0", "convnext_tiny", "squeezenet1_0", "cbam", "senet",
]  # fmt: skip


def small(address: str) -> Graph:
    """A network at sizes that run quickly."""
    if address == "unet":
        return graphc.compile("unet", set={"width": 4}, size={"N": 2, "H": 188, "W": 188})
    return graphc.compile(address, size={"N": 2})


def inputs(graph: Graph) -> list[torch.Tensor]:
    shapes = [Examples(graph.examples()).type(value.type).shape for value in graph.inputs.values()]
    return [torch.randn([int(str(size)) for size in shape]) for shape in shapes]


def spec(*steps: str, inputs: str = "a: [2, 3, 8, 8]") -> Graph:
    graph = "\n".join(f"  - {step}" for step in steps)
    return graphc.compile(text=f"graphc: 1\nname: one\ninputs: {{{inputs}}}\ngraph:\n{graph}\noutputs: {{y: x}}")


# --- multiply-accumulates and FLOPs


@pytest.mark.parametrize("address", NETWORKS)
def test_macs_are_half_of_what_torchs_counter_finds(address: str) -> None:
    """`torch.utils.flop_counter` counts convolutions, matrix products and attention, 2 for each multiply-accumulate."""
    graph = small(address)
    with torch.device("meta"):
        module = graph.module().eval().to("meta")
        images = [image.to("meta") for image in inputs(graph)]
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(*images)
    assert counter.get_total_flops() == 2 * int(str(substitute(cost.macs(graph) or 0, graph.examples())))


def test_flops_of_a_small_network_are_counted_by_hand() -> None:
    graph = spec(
        "conv2d: {out_channels: 4, kernel_size: 3}",
        "batch_norm:",
        "relu:",
        "max_pool2d: 2",
        "flatten:",
        "linear: 5",
        "softmax:",
    )
    conv, pooled, fc = 2 * 4 * 36, 2 * 4 * 9, 2 * 5
    wanted = [2 * conv * 27, 2 * conv, conv, 3 * pooled, 0, 2 * fc * 36, 5 * fc]
    assert [cost.flops_of(node) for node in graph.nodes] == wanted
    assert cost.flops(graph) == sum(wanted)


def scalar_operations(values: list[float], eps: float = 1e-5) -> tuple[list[float], int]:
    """The layer norm of a row, one operation after the other, and how many there were for each element."""
    count = 0

    def did(number: float) -> float:
        nonlocal count
        count += 1
        return number

    total = 0.0
    for value in values:
        total = did(total + value)
    mean = total / len(values)
    centred = [did(value - mean) for value in values]
    squares = 0.0
    for value in centred:
        squares = did(squares + did(value * value))
    factor = (squares / len(values) + eps) ** -0.5
    normal = [did(value * factor) for value in centred]
    return [did(did(value * 1.0) + 0.0) for value in normal], count


def test_a_layer_norm_takes_seven_operations_for_each_element() -> None:
    """Written out with scalars, it gives what torch does."""
    row = [0.5, -1.0, 2.0, 0.25]
    found, count = scalar_operations(row)
    assert found == pytest.approx(nn.functional.layer_norm(torch.tensor(row), [4]).tolist(), abs=1e-6)
    assert OPS["layer_norm"]().work(Tensor((4,))) == count == 7 * 4


def test_an_op_without_a_rule_is_not_counted_and_never_0(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = spec("flatten:", "linear: 4", "relu:")
    monkeypatch.setattr(Relu, "each", None)
    assert (cost.flops(graph), cost.unworked(graph)) == (None, ("relu",))
    assert cost.macs(graph) == 2 * 192 * 4
    monkeypatch.setattr(Linear, "macs", lambda *_: None)
    assert (cost.macs(graph), cost.uncounted(graph), cost.unworked(graph)) == (None, ("linear",), ("linear", "relu"))


def test_ops_without_rules_are_known() -> None:
    """All others say what they cost; losses are no part of a forward pass."""
    losses = {name for name, op in OPS.items() if op.__module__ == "graphc.ops.loss"}
    worked = {name for name, op in OPS.items() if op.each is None and op.work is Op.work}
    kept = {name for name, op in OPS.items() if op.keeps is None and op.saved is Op.saved}
    assert worked == losses | {"argsort", "fft2", "nms", "normal_like", "roi_pool", "sort", "topk"}
    others = {"cosine_similarity", "local_response_norm", "logsigmoid", "normalize", "roi_pool", "softsign"}
    assert kept == losses | others


@pytest.mark.slow
def test_parameters_and_buffers_are_torchs() -> None:
    for address in NETWORKS:
        graph = small(address)
        module = graph.module()
        params = substitute(cost.parameters(graph), graph.examples())
        assert params == sum(weight.numel() for weight in module.parameters())
        assert cost.buffers(graph) == sum(buffer.numel() for buffer in module.buffers())
        assert cost.memory(graph).weights == sum(tensor.nbytes for tensor in module.state_dict().values())


# --- memory


def kept_by_torch(graph: Graph) -> int:
    """Bytes of the storages that autograd keeps of a forward pass in training, weights and buffers left out."""
    module = graph.module().train()
    own = {tensor.untyped_storage().data_ptr() for tensor in (*module.parameters(), *module.buffers())}
    found: dict[int, torch.UntypedStorage] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            found[storage.data_ptr()] = storage
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        module(*inputs(graph))
    return sum(storage.nbytes() for storage in found.values())


@pytest.mark.parametrize("address", NETWORKS)
def test_what_training_keeps_is_to_the_byte_what_autograd_keeps(address: str) -> None:
    graph = small(address)
    assert cost.memory(graph).saved == kept_by_torch(graph)


KEEPERS = [
    "relu6:", "leaky_relu:", "elu:", "gelu:", "silu:", "mish:", "hardswish:", "hardsigmoid:", "softplus:", "sigmoid:",
    "tanh:", "exp:", "log:", "sqrt:", "abs:", "clamp: {min: 0.5}", "cos:", "sin:", "erf:", "hardtanh:", "prelu:",
    "selu:", "reciprocal:", "rsqrt:", "ceil:", "sign:", "softmax: {dim: 1}", "log_softmax: {dim: 1}", "dropout: 0.5",
    "dropout: 0.0", "dropout2d: 0.5", "stochastic_depth: 0.5", "batch_norm:", "frozen_batch_norm:", "instance_norm:",
    "group_norm: 3", "layer_norm:", "max_pool2d: 2", "avg_pool2d: 2", "adaptive_avg_pool2d: 1", "prod: 1",
    "adaptive_avg_pool2d: 2", "adaptive_max_pool2d: 2", "mean: {dim: 1}", "sum: {dim: 1}", "var: {dim: 1}", "cumsum: 1",
    "std: {dim: 1}", "conv2d: {out_channels: 2, kernel_size: 1}", "conv_transpose2d: {out_channels: 2, kernel_size: 2}",
    "linear: 3", "interpolate: 2", "pad: [1, 1]", "detach:", "pad: {pad: [1, 1, 1, 1], mode: reflect}",
    "pixel_unshuffle: 2", "flatten:", "permute: [1, 0, 2, 3]", "negative:", "tril:", "amin: {dim: 1}", "amax: {dim: 1}",
    "rearrange: N C h w -> N (h w) C", "topk: {k: 2, dim: 3}", "sort: {dim: 3}", "rms_norm:",
    "multiply:\n    from: [x, 2]", "multiply:\n    from: [x, x]", "add:\n    from: [x, 1]",
    "maximum:\n    from: {input: x, other: sigmoid(x)}", "divide:\n    from: {input: x, other: 2}",
    "where:\n    from: {condition: x > 0, input: x, other: 0.0}", "concat:\n    from: [x, x]", "unfold: 2",
    "pow:\n    from: {input: x, other: 2}", "masked_fill: 0.0\n    from: {input: x, mask: x > 0}",
]  # fmt: skip


@pytest.mark.parametrize("step", KEEPERS)
def test_what_an_op_keeps_is_what_autograd_keeps(step: str) -> None:
    """Between two ops that keep nothing of what is here: each makes its own memory, and a mean of all follows."""
    graph = spec("batch_norm: {affine: true}", step)
    small_things = 64
    assert cost.memory(graph).saved == pytest.approx(kept_by_torch(graph), abs=small_things)


def test_the_peak_is_what_a_simulation_with_reference_counts_finds() -> None:
    """A run over the nodes in Python, in which a value is there as long as somebody still has to read it."""
    for address in ("resnet18", "unet", "vit_ti_16", "googlenet", "densenet121"):
        graph = small(address)
        assert cost.memory(graph).peak_inference == simulated(graph), address


def simulated(graph: Graph) -> int:
    examples, units = Examples(graph.examples()), {"float32": 4, "int64": 8, "bool": 1}

    def size(tensor: Tensor) -> int:
        return examples.count(product(tensor.shape)) * units[tensor.dtype]

    owners = {value: value for value in graph.inputs.values()}
    waiting = dict.fromkeys(graph.inputs.values(), 0)
    readers = [(node, value) for node in graph.nodes for value in node.operands]
    sizes = {value: size(value.type) for value in graph.inputs.values()}
    for node in graph.nodes:
        for value in node.outputs:
            alias = node.operands and (node.op.view or node.op.name in {"dropout", "rearrange"})
            owners[value] = owners[node.operands[0]] if alias else value
            waiting.setdefault(owners[value], 0)
            weight = not node.operands and bool(node.weights())
            sizes.setdefault(owners[value], 0 if weight else size(value.type))
    for _, value in readers:
        waiting[owners[value]] += 1
    for value in graph.outputs.values():
        waiting[owners[value]] += 1
    there = set(graph.inputs.values())
    most = sum(sizes[value] for value in there)
    for node in graph.nodes:
        there |= {owners[value] for value in node.outputs}
        most = max(most, sum(sizes[value] for value in there))
        for value in node.operands:
            waiting[owners[value]] -= 1
        there = {value for value in there if waiting[value]}
    return most


def test_a_chain_holds_two_values_at_once() -> None:
    graph = spec("relu:", "reshape: [2, 192]", "exp:", "abs:")
    memory = cost.memory(graph)
    value = 4 * 2 * 3 * 8 * 8
    assert (memory.activations, memory.peak_inference) == (3 * value, 2 * value)


def test_sizes_can_be_others_than_the_examples() -> None:
    graph = graphc.compile("resnet18")
    sizes = {"N": 3, "H": 64, "W": 96}
    assert cost.memory(graph, sizes) == cost.memory(graphc.compile("resnet18", size=sizes))


def test_training_takes_what_is_kept_and_a_gradient_at_least() -> None:
    for address in ("resnet18", "unet", "vit_ti_16"):
        memory = cost.memory(small(address))
        assert memory.saved is not None
        assert memory.peak_training is not None
        assert memory.saved < memory.peak_training
        assert memory.peak_inference <= memory.peak_training


def test_where_nothing_is_trained_nothing_is_kept() -> None:
    assert cost.memory(spec("relu:", "softmax: 1")).saved == 0


def test_an_op_that_does_not_say_what_it_keeps_is_told() -> None:
    graph = spec("conv2d: {out_channels: 2, kernel_size: 1}", "softsign:")
    memory = cost.memory(graph)
    assert (memory.saved, memory.peak_training, memory.unknown) == (None, None, ("softsign",))
    assert memory.peak_inference > 0


def test_the_figures_of_the_reference_libraries_are_met(torchvision: ModuleType) -> None:
    """Parameters and MACs of torchvision's own modules, by torch's counter."""
    pairs = itertools.product(["resnet18", "mobilenet_v2", "densenet121"], [224])
    for name, size in pairs:
        with torch.device("meta"):
            model = getattr(torchvision.models, name)().eval()
            with FlopCounterMode(display=False) as counter, torch.no_grad():
                model(torch.empty(1, 3, size, size))
        graph = graphc.compile(name)
        assert cost.parameters(graph) == sum(weight.numel() for weight in model.parameters())
        assert 2 * int(str(substitute(cost.macs(graph) or 0, graph.examples()))) == counter.get_total_flops()
