"""Backend: PyTorch. Readable source, and the module that it is."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphc.graph import Graph, Value

if TYPE_CHECKING:
    from torch import Tensor, nn

    from graphc_torch.inside import Inputs

SUFFIXES = {".py": "PyTorch source", ".safetensors": "weights for the PyTorch source"}
READS = {".bin": "PyTorch weights", ".pt": "PyTorch weights", ".pth": "PyTorch weights"}

__all__ = [
    "READS",
    "SUFFIXES",
    "activations",
    "dynamic_shapes",
    "grad_cam",
    "lowers",
    "module",
    "pictures",
    "read",
    "source",
    "write",
]


def source(graph: Graph, *, torchvision_ops: bool = False) -> str:
    """One Python file that needs nothing but torch; or also torchvision, for its compiled ops where it has some.

    Raises:
        graphc.diagnostics.SpecError: an op has no lowering here.
    """
    from graphc_torch.writer import source as source_of

    return source_of(graph.bound(), torchvision_ops=torchvision_ops)


def lowers(graph: Graph) -> str:
    """What the last op of a graph becomes: "`nn.ReLU` or `functional.relu`".

    Raises:
        graphc.diagnostics.SpecError: the op has no lowering here.
    """
    from graphc_torch.spoken import spoken

    return spoken(graph.nodes[-1])


def dynamic_shapes(graph: Graph) -> tuple[dict[int, object], ...]:
    """For each input of a graph, in order, its free axes as `torch.export.export` takes them (torch 2.7 or newer).

        graph = compile("unet")
        program = torch.export.export(
            graphc_torch.module(graph).eval(),
            (torch.zeros(2, 1, 188, 204),),
            dynamic_shapes=graphc_torch.dynamic_shapes(graph),
        )
        program.module()(torch.zeros(1, 1, 572, 301))

    The sizes are those that the graph needs, as `graphc check` tells them, less what torch.export can't say:

    - It specialises on 1: the free axes of the example must be at least 2, and those sizes are left out at which an
      axis inside would be 1: resnet50, which takes a single pixel, begins at 33. The program runs on a batch of 1.
    - Where no single rule gives the sizes (13, 14 and 15 of each 16), it is the widest rule that has the example.
    - Demands on several sizes at once are left to torch.export, which finds them.

    A size on which all sizes inside depend linearly is a named dim, one for all inputs that have it:
    `Dim("N", min=1)`, or `16*Dim("_H", min=1)` for multiples of 16. A size that is rounded somewhere is
    `Dim.DYNAMIC(min=188)`: for a named dim torch.export would have to prove what it can't; so it makes checks of it,
    which the program runs on its inputs. Axes that are fixed are left out.
    """
    from graphc_torch.dynamic import shapes

    return shapes(graph.bound())


def module(
    graph: Graph,
    seed: int = 0,
    *,
    training: bool = False,
    weights: Mapping[str, object] | None = None,
    torchvision_ops: bool = False,
) -> nn.Module:
    """The live module: the source, loaded, with the weights given by path, or else the initial values of the seed.

    For `training` it is the one that holds the network as `model`: it takes the inputs of both and gives the losses by
    their names. What exists in training alone and isn't given begins with its initial value. With `torchvision_ops` it
    calls torchvision's compiled ops where it has regions or suppression.

    Raises:
        graphc.diagnostics.SpecError: an op has no lowering here.
        ValueError: the graph has no training part with losses; or a weight is not given, or has another shape.
    """
    from graphc_torch.live import load, load_training

    return (load_training if training else load)(graph.bound(), seed, weights, torchvision_ops=torchvision_ops)


def activations(module: nn.Module, inputs: Inputs, paths: Iterable[str]) -> dict[str, Tensor]:
    """The values at some paths inside a live module, for inputs as the module takes them, or by their names.

    A path is that of any value of the graph (`stem.bn`), or of a scope, which stands for what it comes to (`stage.2`).
    The module's parameters, buffers and modes are used as they are; gradients flow through what is found.

    Raises:
        ValueError: there is no value at a path; or the module was not made by graphc in this process.
        graphc.diagnostics.SpecError: the source can't give out a value from where it is; located.
    """
    from graphc_torch.inside import activations as found

    return found(module, inputs, paths)


def grad_cam(module: nn.Module, inputs: Inputs, path: str, target: int | Tensor | None = None) -> Tensor:
    """Which places of the maps at a path speak for a class: Grad-CAM (Selvaraju et al. 2017, equations 1 and 2).

    Each map [N, C, *space] is weighed by the mean over space of the slope of the class's score, before any softmax, on
    it; what is left of their sum above 0 is the result [N, *space]. The scores are the first output [N, classes];
    `target` is a class, or one for each picture [N], without it the class with the largest score. Put the module into
    evaluation mode first.

    Raises:
        ValueError: there is no value at the path, or none that the scores depend on; the shapes are others; or the
            module was not made by graphc in this process.
    """
    from graphc_torch.inside import grad_cam as found

    return found(module, inputs, path, target)


def pictures(
    graph: Graph,
    *,
    values: Collection[Value],
    image: object,
    weights: Mapping[str, object] | None = None,
    channels: int = 16,
) -> dict[str, bytes]:
    """What the network makes of one image, in evaluation mode: PNG files by the paths of values of the graph.

    A value is shown as a sheet of its first `channels` maps, each from its least number (black) to its largest (white);
    the input as it is. The image is a file, whose pixels are taken from 0 to 1 (an .npy file as it is), or an array
    [C, H, W] or [1, C, H, W]. Without weights the module has its initial values.

    Raises:
        graphc.backends.BackendError: the image can't be read, or is not what the graph takes.
        ValueError: a value has no maps (`graphc.maps`).
    """
    from graphc_torch.sheets import pictures as drawn

    return drawn(graph, values, image, weights, channels)


def read(path: Path) -> Mapping[str, object]:
    """The tensors of a file of `READS`, in the mappings that they are in there; no code in it is run.

    Raises:
        ValueError: it is damaged, or holds more than tensors.
    """
    from graphc_torch.checkpoints import read as read_file

    return read_file(path)


def write(graph: Graph, path: Path, *, weights: Mapping[str, Any] | None = None, torchvision_ops: bool = False) -> None:
    """Writes the source to `path`, and weights that are given beside it; or where it ends so, the weights alone."""
    from graphc_torch.saved import save

    graph = graph.bound()
    if path.suffix == ".safetensors":
        save(graph, path, weights)
        return
    path.write_text(source(graph, torchvision_ops=torchvision_ops), encoding="utf-8", newline="\n")
    if weights is not None:
        save(graph, path.with_suffix(".safetensors"), weights)
