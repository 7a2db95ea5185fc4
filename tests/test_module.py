"""The live module in use: copied, pickled, in half precision, compiled, exported and trained."""

from __future__ import annotations

import copy
import gc
import inspect
import io
import linecache
import pickle
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn
from torch.export import Dim
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset, TensorDataset

import graphc_torch
from graphc import library
from graphc.check import needs
from graphc.compiler import compile
from graphc.demands import Rule, SizeSet
from graphc.elaborate import elaborate
from graphc.graph import Graph
from graphc.ops import Op
from graphc.ops.norm import LocalResponseNorm
from graphc.tensor import Tensor as Kind
from graphc_torch import loaded
from graphc_torch.dynamic import Steps, _widest
from interpreter import feeds, feeds_of, random_weights
from optable import CASES
from optable.operands import SIZES
from optable.running import arrays, graph_of, names
from test_torch import worst

FAMILIES = ("resnet18", "squeezenet1_1", "cbam_resnet18", "mnist_cnn")
"""Those that are quick."""
LARGE = (
    *("unet", "alexnet", "alexnet_two_towers", "vgg11", "vgg11_lrn", "vgg11_bn", "resnet50", "plain18"),
    *("mobilenet_v2", "mobilenet_v3_small", "se_resnet18", "convnext_tiny", "densenet121", "efficientnet_b0"),
    *("googlenet", "googlenet_paper"),
)
EVERY = [variant for name in library.names() for variant in library.installed(name).variants or [name]]

every = pytest.mark.parametrize(
    "address", [a if a in FAMILIES else pytest.param(a, marks=pytest.mark.exhaustive) for a in EVERY]
)
families = pytest.mark.parametrize(
    "address", [*FAMILIES, *(pytest.param(a, marks=pytest.mark.exhaustive) for a in LARGE)]
)


def small(graph: Graph) -> dict[str, int]:
    """Sizes that the graph takes, and two samples."""
    sizes = {
        need.size.name: next(s for s in need.needed & need.declared if s >= min(64, need.size.example))
        for need in needs(graph)
    }
    return {**sizes, "N": 2}


def given(graph: Graph, sizes: dict[str, int]) -> list[Tensor]:
    """Inputs of these sizes."""
    return list(map(torch.from_numpy, feeds(graph, sizes).values()))


def live(address: str) -> tuple[Graph, nn.Module]:
    graph = compile(address)
    return graph, graphc_torch.module(graph).eval()


def listed(found: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return found if isinstance(found, tuple) else (found,)


def assert_near(found: Tensor | tuple[Tensor, ...], wanted: Tensor | tuple[Tensor, ...], least: float = 0) -> None:
    """The same values, but for a fraction `least` of their scale."""
    for result, correct in zip(listed(found), listed(wanted), strict=True):
        assert result.shape == correct.shape
        assert worst(result.float(), correct.float()) <= least


# --- copies


def pickled(module: nn.Module) -> nn.Module:
    found: nn.Module = pickle.loads(pickle.dumps(module))
    return found


def saved(module: nn.Module) -> nn.Module:
    file = io.BytesIO()
    torch.save(module, file)
    file.seek(0)
    found: nn.Module = torch.load(file, weights_only=False)
    return found


@pytest.mark.parametrize("copied", [copy.deepcopy, pickled, saved])
def test_copies_are_of_the_same_classes_and_independent(copied: Callable[[nn.Module], nn.Module]) -> None:
    graph, module = live("resnet18")
    inputs = given(graph, small(graph))
    other = copied(module)
    assert [type(part) for part in other.modules()] == [type(part) for part in module.modules()]
    assert not other.training
    with torch.inference_mode():
        wanted = module(*inputs)
        assert torch.equal(other(*inputs), wanted)
        for parameter in other.parameters():
            parameter.zero_()
        assert not other(*inputs).any()
        assert torch.equal(module(*inputs), wanted)


def test_a_pickle_has_the_source_once() -> None:
    graph, module = live("resnet18")
    text = graphc_torch.source(graph).encode()
    assert pickle.dumps(module).count(text) == 1
    part = pickled(module.get_submodule("stage.1"))
    assert type(part) is type(module.get_submodule("stage.1"))


ELSEWHERE = """
import inspect, pickle, sys, traceback
import torch
network = pickle.load(open("network.pickle", "rb"))
image, wanted = torch.load("values.pt")
assert "graphc_torch.writer" not in sys.modules, "only what was pickled is needed"
again = torch.load("network.pt", weights_only=False)
assert type(again) is type(network)
with torch.inference_mode():
    assert torch.equal(network(image), wanted)
    assert torch.equal(again(image), wanted)
assert inspect.getsource(type(network)).startswith("class ResNet18(nn.Module):")
try:
    network(image[:, :2])
except RuntimeError:
    assert "x = self.stem(image)" in traceback.format_exc()
else:
    raise AssertionError("two channels were taken")
pickle.dump(pickle.loads(pickle.dumps(network)), open("back.pickle", "wb"))
"""


def test_a_pickle_is_read_in_another_process(tmp_path: Path) -> None:
    graph, module = live("resnet18")
    (image,) = given(graph, small(graph))
    (tmp_path / "network.pickle").write_bytes(pickle.dumps(module))
    torch.save(module, tmp_path / "network.pt")
    with torch.inference_mode():
        torch.save((image, module(image)), tmp_path / "values.pt")
    subprocess.run([sys.executable, "-c", ELSEWHERE], cwd=tmp_path, check=True)
    back = pickle.loads((tmp_path / "back.pickle").read_bytes())
    assert type(back) is type(module)
    assert all(torch.equal(back.state_dict()[path], value) for path, value in module.state_dict().items())


class Features(Dataset[Tensor]):
    """What a network makes of numbers."""

    def __init__(self, network: nn.Module) -> None:
        self.network = network

    def __len__(self) -> int:
        return 2

    def __getitem__(self, number: int) -> Tensor:
        with torch.inference_mode():
            found: Tensor = self.network(torch.full((1, 1, 28, 28), float(number)))
        return found.clone()


@pytest.mark.slow
def test_a_module_goes_to_the_workers_of_a_data_loader() -> None:
    """Workers that are started afresh get it as a pickle."""
    features = Features(live("mnist_cnn")[1])
    batches = DataLoader(features, batch_size=2, num_workers=1, multiprocessing_context="spawn")
    assert_near(next(iter(batches)), torch.stack([features[0], features[1]]), 1e-5)


def generated() -> set[str]:
    gc.collect()
    assert {name for name in linecache.cache if name.startswith("<graphc ")} == {
        name for name in sys.modules if name.startswith("<graphc ")
    }
    return {name for name in sys.modules if name.startswith("<graphc ")}


NARROW = "graphc: 1\nname: narrow\ndims: {N: 2}\ninputs: {image: [N, 3]}\ngraph: [{linear: WIDTH}]\n"


def narrow(width: int) -> nn.Module:
    spec = library.parse(NARROW.replace("WIDTH", str(width)), "narrow.yaml")
    return graphc_torch.module(elaborate(spec, library.standard()))


def test_a_source_is_loaded_once_and_as_long_as_it_is_used() -> None:
    before = generated()
    modules = [narrow(7) for _ in range(20)]
    assert len({type(module) for module in modules}) == 1
    assert len(generated() - before) == 1
    other = narrow(8)
    assert type(other) is not type(modules[0])
    assert len(generated() - before) == 2
    assert "Linear(3, 8)" in inspect.getsource(type(other))
    kept = pickle.dumps(modules[0])
    del modules, other
    assert generated() == before
    assert "Linear(3, 7)" in inspect.getsource(type(pickle.loads(kept)))


def test_every_class_of_a_module_has_its_source() -> None:
    module = live("convnext_tiny")[1]
    kinds = {type(part) for part in module.modules() if type(part).__module__.startswith("<graphc ")}
    assert "StochasticDepth" in {kind.__name__ for kind in kinds}
    assert all(inspect.getsource(kind).startswith(f"class {kind.__name__}(nn.Module):") for kind in kinds)


def test_tracebacks_show_the_line() -> None:
    network = pickled(narrow(7))
    with pytest.raises(RuntimeError) as caught:
        network(torch.zeros(2, 4))
    told = "".join(traceback.format_exception(caught.value))
    assert "return self.linear(image)" in told


def test_a_class_that_somebody_derives_is_pickled_by_its_own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    module = narrow(7)
    derived = type("Derived", (type(module),), {"__module__": __name__})
    monkeypatch.setattr(sys.modules[__name__], "Derived", derived, raising=False)
    made = derived()
    assert type(pickled(made)) is derived
    assert type(copy.deepcopy(made)) is derived


def test_a_source_that_is_wrong_leaves_nothing() -> None:
    before = generated()
    with pytest.raises(ZeroDivisionError):
        loaded.load("1 / 0\n", "wrong")
    assert generated() == before


# --- half precision


PRECISION = {torch.float16: 4e-3, torch.bfloat16: 3e-2}
precisions = pytest.mark.parametrize("dtype", PRECISION)
NOT_ON_THE_CPU = "avg_pool3d_out_frame.* not implemented"
"""torch's local_response_norm calls avg_pool3d, which takes no half precision on the CPU."""


def lowered(values: list[Tensor], dtype: torch.dtype) -> list[Tensor]:
    return [value.to(dtype) if value.is_floating_point() else value for value in values]


def has_lrn(graph: Graph) -> bool:
    return any(isinstance(node.op, LocalResponseNorm) for node in graph.nodes)


@precisions
@every
def test_half_precision_gives_the_values_of_float32(address: str, dtype: torch.dtype) -> None:
    graph, module = live(address)
    inputs = lowered(given(graph, small(graph)), dtype)
    low = copy.deepcopy(module).to(dtype)
    with torch.inference_mode():
        if has_lrn(graph):
            with pytest.raises(NotImplementedError, match=NOT_ON_THE_CPU):
                low(*inputs)
            return
        found = listed(low(*inputs))
        assert {result.dtype for result in found} == {dtype}
        assert_near(found, listed(module(*lowered(inputs, torch.float32))), PRECISION[dtype])


LESS_EXACT = {"nll_loss": "sums that cancel", "kl_div": "the exponential of what half can't hold"}
FLOAT32_ALONE = {"float"}
"""What becomes a float without another beside it is float32, whatever the network is."""
NOT_IN_HALF = {"avg_pool3d", "fft2", "local_response_norm"}
"""What torch has no kernel for in lower precision on the CPU; the last calls the first."""


def is_taken(op: Op, operands: tuple[Kind, ...]) -> bool:
    """Whether an op works on reals, which are the network's own, and can be compared."""
    reals = any(operand.dtype == "float32" for operand in operands) or op.weights(*operands)
    return bool(reals) and op.name not in {*LESS_EXACT, *FLOAT32_ALONE, *NOT_IN_HALF}


@precisions
def test_every_op_keeps_half_precision(dtype: torch.dtype) -> None:
    wrong = [
        name
        for (op, operands), name in zip(CASES, names(CASES), strict=True)
        if is_taken(op, operands) and not keeps(op, operands, dtype)
    ]
    assert wrong == [], wrong


def keeps(op: Op, operands: tuple[Kind, ...], dtype: torch.dtype) -> bool:
    """Whether an op has the values of float32 in a lower precision, and that precision where it has reals."""
    graph = graph_of(op, *operands)
    module = graphc_torch.module(graph).eval()
    module.load_state_dict(arrays(random_weights(graph)))
    low = copy.deepcopy(module).to(dtype)
    high = copy.deepcopy(low).float()
    inputs = lowered(list(arrays(feeds_of(op, graph, SIZES[0])).values()), dtype)
    with torch.no_grad():
        found, wanted = listed(low(*inputs)), listed(high(*lowered(inputs, torch.float32)))
    return all(map(agree, found, wanted, [dtype] * len(found)))


def agree(found: Tensor, wanted: Tensor, dtype: torch.dtype) -> bool:
    if not wanted.is_floating_point():
        return torch.equal(found, wanted)
    finite = wanted.isfinite()
    if found.dtype != dtype or not torch.equal(finite, found.isfinite()):
        return False
    return not finite.any() or worst(found.detach()[finite].float(), wanted.detach()[finite]) <= PRECISION[dtype]


FILLED = """graphc: 1
name: filled
dims: {N: 2}
inputs: {image: [N, 8]}
graph:
  - ones: [1, 8]
    id: one
  - linear: 8
    from: image + one
"""


def test_filled_values_follow_the_precision() -> None:
    graph = elaborate(library.parse(FILLED, "filled.yaml"), library.standard())
    with torch.inference_mode():
        assert graphc_torch.module(graph).half()(torch.zeros(2, 8).half()).dtype == torch.float16


PLACED = ["installed:unet"]
PLACED += ["language/transformer.yaml", "language/vae.yaml", "language/dcgan.yaml", "language/vit.yaml"]


@pytest.mark.parametrize("address", PLACED)
def test_what_is_made_inside_is_where_the_inputs_are(address: str) -> None:
    """On torch's meta device, which takes no tensor of another device beside its own, as a GPU does."""
    name = address.removeprefix("installed:")
    graph = compile(name if name != address else str(Path(__file__).parent / "cases" / address))
    module = graphc_torch.module(graph).eval().to("meta")
    inputs = [torch.from_numpy(value).to("meta") for value in feeds(graph, graph.examples()).values()]
    assert {result.device.type for result in listed(module(*inputs))} == {"meta"}


def test_filled_values_are_where_the_inputs_are() -> None:
    graph = elaborate(library.parse(FILLED, "filled.yaml"), library.standard())
    assert graphc_torch.module(graph).to("meta")(torch.zeros(2, 8, device="meta")).device.type == "meta"


# --- compiled


@pytest.fixture
def fresh() -> Iterator[None]:
    torch.compiler.reset()
    yield
    torch.compiler.reset()


@families
@pytest.mark.usefixtures("fresh")
def test_a_module_is_compiled_as_one_graph_for_all_sizes(address: str) -> None:
    """Without a break (`fullgraph`), and without compiling again at other sizes, but for a batch of 1."""
    graph, module = live(address)
    compiled = torch.compile(module, backend="eager", fullgraph=True, dynamic=True)
    sizes = beginning(graph)
    other = {**next(others(graph, sizes)), "N": 3}
    with torch.inference_mode():
        compiled(*given(graph, sizes))
        with torch.compiler.set_stance("fail_on_recompile"):
            inputs = given(graph, other)
            assert_near(compiled(*inputs), module(*inputs))


@pytest.mark.exhaustive
@pytest.mark.parametrize("address", [*FAMILIES, *LARGE])
@pytest.mark.usefixtures("fresh")
def test_a_module_is_compiled_with_its_gradients(address: str) -> None:
    """The backend `aot_eager` traces the backward pass too; one step of it gives the gradients of the module."""
    graph = compile(address)
    module = no_chance(graphc_torch.module(graph)).double()
    inputs = lowered(given(graph, small(graph)), torch.float64)
    wanted = gradients(module, copy.deepcopy(module), inputs)
    found = gradients(module, torch.compile(copy.deepcopy(module), backend="aot_eager", fullgraph=True), inputs)
    assert wanted
    for one, other in zip(found, wanted, strict=True):
        assert torch.allclose(one, other, rtol=1e-6, atol=1e-9)


def gradients(
    module: nn.Module, used: Callable[..., Tensor | tuple[Tensor, ...]], inputs: list[Tensor]
) -> list[Tensor]:
    total = sum((result.square().mean() for result in listed(used(*inputs))), start=torch.zeros(()))
    total.backward()
    assert isinstance(used, nn.Module)
    return [parameter.grad for parameter in used.parameters() if parameter.grad is not None]


def no_chance(module: nn.Module) -> nn.Module:
    """The module, without what is drawn in training."""
    for part in module.modules():
        if isinstance(getattr(part, "p", None), float):
            part.__dict__["p"] = 0.0
    return module


@pytest.mark.slow
@pytest.mark.usefixtures("fresh")
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")
def test_a_module_runs_through_inductor() -> None:
    """The warnings are inductor's own."""
    graph, module = live("mnist_cnn")
    compiled = torch.compile(module, fullgraph=True)
    inputs = given(graph, small(graph))
    with torch.inference_mode():
        assert_near(compiled(*inputs), module(*inputs), 1e-5)


# --- exported


def least(graph: Graph) -> dict[str, int]:
    """The least sizes that `dynamic_shapes` promises for the axes that are one free size; two samples."""
    sizes = {need.size.name: need.size.example for need in needs(graph)}
    for value, dims in zip(graph.inputs.values(), graphc_torch.dynamic_shapes(graph), strict=True):
        for axis, dim in dims.items():
            sizes[str(value.type.shape[axis])] = max(2, getattr(dim, "min", None) or 2)
    return sizes


def beginning(graph: Graph) -> dict[str, int]:
    """Sizes that differ from each other."""
    found = least(graph)
    return {**found, "W": found["W"] + 7} if "W" in found else found


def others(graph: Graph, sizes: dict[str, int]) -> Iterator[dict[str, int]]:
    """Two other choices, with odd and even ones, and one sample."""
    low = least(graph)
    more = {"N": 3, "H": low.get("H", 0) + 32, "W": low.get("W", 0) + 13}
    fewer = {"N": 1, "H": low.get("H", 0) + 21, "W": low.get("W", 0)}
    return ({name: choice.get(name, size) for name, size in sizes.items()} for choice in (more, fewer))


@every
def test_a_module_is_exported_for_the_sizes_that_the_checker_knows(address: str) -> None:
    graph, module = live(address)
    sizes = beginning(graph)
    program = torch.export.export(
        module, tuple(given(graph, sizes)), dynamic_shapes=graphc_torch.dynamic_shapes(graph)
    ).module()
    with torch.inference_mode():
        for other in others(graph, sizes):
            inputs = given(graph, other)
            assert_near(program(*inputs), module(*inputs), 1e-6)


BOTH = """graphc: 1
name: both
dims: {N: 2, S: 4, T: 9, E: 5, H: 16, W: 16, A: 16, B: 16}
inputs:
  low: [N, S, 4]
  high: [N, 2*S, 4]
  text: [N, T, 4]
  other: [N, T, E]
  picture: [N, 1, H, W]
  photo: [N, 3, A, B]
  fixed: [3, 4]
graph:
  - concat: {dim: 1}
    from: [low, high]
    id: long
  - concat: {dim: 2}
    from: [text, other]
    id: wide
  - identity:
    from: wide[:, 5:]
    id: rest
  - pixel_unshuffle: 4
    from: picture
    id: deep
  - max_pool2d: 2
    from: photo
    id: pooled
  - relu:
    from: fixed
    id: still
outputs: {long: long, rest: rest, deep: deep, pooled: pooled, still: still}
"""


def test_inputs_share_the_dims_of_their_sizes() -> None:
    graph = elaborate(library.parse(BOTH, "both.yaml"), library.standard())
    low, high, text, other, picture, photo, fixed = map(dict, graphc_torch.dynamic_shapes(graph))
    assert {d[0] for d in (low, high, text, other, picture, photo)} == {low[0]}
    assert text[1] is other[1]
    assert [*map(repr, (low[0], text[1], other[2]))] == ["Dim('N', min=1)", "Dim('T', min=7)", "Dim('E', min=1)"]
    assert [*map(repr, (low[1], picture[2]))] == ["Dim('_S', min=1)", "4*_H"]
    assert str(high[1]) == "2*_S"
    assert vars(high[1])["root"] is low[1]
    assert photo[2] == Dim.DYNAMIC(min=4)
    assert fixed == {}


def test_inputs_with_shared_sizes_are_exported() -> None:
    graph = elaborate(library.parse(BOTH, "both.yaml"), library.standard())
    module = graphc_torch.module(graph).eval()
    sizes = {"N": 2, "S": 4, "T": 9, "E": 5, "H": 16, "W": 20, "A": 17, "B": 14}
    dims = graphc_torch.dynamic_shapes(graph)
    program = torch.export.export(module, tuple(given(graph, sizes)), dynamic_shapes=dims).module()
    for other in (
        {"N": 1, "S": 1, "T": 7, "E": 1, "H": 12, "W": 8, "A": 4, "B": 5},
        {"N": 3, "S": 9, "T": 30, "E": 2, "H": 40, "W": 24, "A": 31, "B": 6},
    ):
        inputs = given(graph, other)
        assert_near(program(*inputs), module(*inputs))
    low, high, *rest = given(graph, sizes)
    with pytest.raises((AssertionError, RuntimeError)):
        program(low, high[:, 1:], *rest)


@pytest.mark.parametrize(
    ("sizes", "example", "wanted"),
    [
        (Rule(16, 12, 188).sizes(), 572, Steps(188, 16)),
        (Rule().sizes(), 1, Steps(1)),
        (SizeSet(((5, 9),)), 5, Steps(5, 1, 9)),
        (SizeSet(((1, 9), (2, 12))), 6, Steps(1, 1, 10)),
        (SizeSet((None, (2, None), (3, None), (4, None))), 6, Steps(2, 2)),
        (SizeSet((None, (2, None), (3, None), (4, None))), 7, Steps(3, 4)),
        (SizeSet(((9, None), (2, None))), 20, Steps(8)),
        (SizeSet(((9, None), (2, None))), 4, Steps(2, 2)),
        (SizeSet((None, None)), 4, None),
    ],
)
def test_the_widest_rule_inside_the_sizes(sizes: SizeSet, example: int, wanted: Steps | None) -> None:
    assert _widest(sizes, example) == wanted
    if wanted:
        last = wanted.last or wanted.first + 200
        assert all(size in sizes for size in range(wanted.first, last + 1, wanted.step))


def test_a_size_at_which_an_axis_inside_is_one_is_left_out() -> None:
    """torch.export takes such an axis as fixed: at 33 rows VGG's last map has one, so it would be for 33 to 63."""
    graph = compile("vgg11")
    assert str(next(need.needed for need in needs(graph) if need.size.name == "H")) == "at least 32"
    dims = graphc_torch.dynamic_shapes(graph)
    assert dims == ({0: dims[0][0], 2: Dim.DYNAMIC(min=64), 3: Dim.DYNAMIC(min=64)},)


# --- trained


def labelled_batch() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    return torch.randn(8, 1, 28, 28, generator=generator), torch.arange(8)


def cross_entropy(network: nn.Module, image: Tensor, label: Tensor) -> Tensor:
    """The output of the network is probabilities."""
    return functional.nll_loss(network(image).clamp_min(1e-9).log(), label)


def test_a_plain_loop_trains_every_weight() -> None:
    module = no_chance(graphc_torch.module(compile("mnist_cnn"))).train()
    start = {name: value.clone() for name, value in module.state_dict().items()}
    optimizer = torch.optim.SGD(module.parameters(), lr=0.05)
    losses = []
    for _ in range(25):
        optimizer.zero_grad()
        loss = cross_entropy(module, *labelled_batch())
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 4
    assert all(not torch.equal(value, start[name]) for name, value in module.state_dict().items())


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning", "ignore::FutureWarning")
def test_lightning_trains_and_keeps_it(torchvision: ModuleType, tmp_path: Path) -> None:
    """The warnings are Lightning's own: of few workers, and of what it calls in torch."""
    import lightning

    class Training(lightning.LightningModule):
        def __init__(self, network: nn.Module) -> None:
            super().__init__()
            self.network = network
            self.losses: list[float] = []

        def training_step(self, batch: tuple[Tensor, Tensor], number: int) -> Tensor:
            loss = cross_entropy(self.network, *batch)
            self.losses.append(loss.item())
            return loss

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.SGD(self.parameters(), lr=0.05)

    def network(seed: int) -> nn.Module:
        return no_chance(graphc_torch.module(compile("mnist_cnn"), seed=seed))

    training = Training(network(0))
    trainer = lightning.Trainer(
        max_steps=25,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=tmp_path,
    )
    trainer.fit(training, DataLoader(TensorDataset(*labelled_batch()), batch_size=8))
    assert len(training.losses) == 25
    assert training.losses[-1] < training.losses[0] / 4
    trainer.save_checkpoint(tmp_path / "kept.ckpt")
    again = Training.load_from_checkpoint(tmp_path / "kept.ckpt", network=network(1), weights_only=False)
    image, _ = labelled_batch()
    assert torch.equal(again.network.eval()(image), training.network.eval()(image))


def test_statistics_of_batches_are_kept_in_training_alone() -> None:
    graph = compile("resnet18")
    module = graphc_torch.module(graph)
    before = copy.deepcopy(module.state_dict())
    (image,) = given(graph, small(graph))
    module.eval()(image)
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    module.train()(image)
    changed = {name for name, value in module.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {name for name in before if "running_" in name or "num_batches" in name}
