"""Every op against torch: shapes, element types, weights, costs, and what is refused."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import islice
from typing import Any, TypeAlias, get_args

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from torch import nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from graphc.demands import Relation
from graphc.dims import Size, substitute, symbol
from graphc.initial import initial_value
from graphc.ops import OPS, Op
from graphc.tensor import DType, Tensor
from oracle import torchvision
from rearranging import rearranged

Attributes: TypeAlias = dict[str, Any]
Case: TypeAlias = tuple[Attributes, Sequence[Tensor]]
Result: TypeAlias = torch.Tensor | tuple[torch.Tensor, ...]
REFUSALS = (RuntimeError, ValueError, IndexError, NotImplementedError)


@dataclass(frozen=True)
class Oracle:
    """How torch does an op: random attributes and operands, and the module that attributes and operands make."""

    cases: st.SearchStrategy[Case]
    module: Callable[[Attributes, Sequence[Tensor]], nn.Module]


class Apply(nn.Module):
    """A function as a module."""

    def __init__(self, function: Callable[..., Result]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *operands: torch.Tensor) -> Result:
        return self.function(*operands)


# --- random attributes and operands


sizes = st.integers(1, 9)
channels = st.integers(1, 6)
mostly: list[DType] = ["float32"] * 12
dtypes: st.SearchStrategy[DType] = st.sampled_from([*mostly, "int64", "bool"])
flags = st.booleans()


def extents(least: int, most: int, axes: int = 2) -> st.SearchStrategy[int | tuple[int, ...]]:
    """One number, one for each axis, now and then one too many."""
    number = st.integers(least, most)
    several = st.sampled_from([axes] * 9 + [axes + 1]).flatmap(lambda axes: st.tuples(*[number] * axes))
    return st.one_of(number, number, several)


@st.composite
def images(draw: st.DrawFn, ranks: Sequence[int] = (*[4] * 12, 2, 5)) -> Tensor:
    """Mostly [N, C, H, W]; not [C, H, W], which torch takes and we do not."""
    rank = draw(st.sampled_from(ranks))
    shape = [draw(st.integers(1, 2)), draw(channels), *(draw(sizes) for _ in range(rank - 2))]
    return Tensor(tuple(shape), draw(dtypes))


@st.composite
def values(draw: st.DrawFn, least: int = 0, most: int = 5) -> Tensor:
    shape = draw(st.lists(st.integers(1, 4), min_size=least, max_size=most))
    return Tensor(tuple(shape), draw(dtypes))


def one(operand: st.SearchStrategy[Tensor], **attributes: st.SearchStrategy[Any]) -> st.SearchStrategy[Case]:
    """Cases of an op with one operand; each attribute may also be left out where it has a default."""
    required = {name: value for name, value in attributes.items() if not name.endswith("_")}
    optional = {name.rstrip("_"): value for name, value in attributes.items() if name.endswith("_")}
    return st.tuples(st.fixed_dictionaries(required, optional=optional), operand.map(lambda value: (value,)))


@st.composite
def similar(draw: st.DrawFn) -> Sequence[Tensor]:
    """Values whose sizes agree, or nearly so: some are 1, some differ, some lack the first axes."""
    whole = draw(values())
    found = []
    for _ in range(draw(st.integers(2, 3))):
        shape = [draw(st.sampled_from([size] * 12 + [1, 1, size + 1])) for size in whole.shape]
        cut = draw(st.sampled_from([0] * 6 + [1]))
        found.append(Tensor(tuple(shape[cut:]), draw(dtypes)))
    return found


def pairs(most: int = 2) -> st.SearchStrategy[Sequence[Tensor]]:
    """Some values, alike or nearly so."""
    return similar().map(lambda found: found[:most]).filter(lambda found: len(found) == most)


def two(operands: st.SearchStrategy[Sequence[Tensor]]) -> st.SearchStrategy[Case]:
    """Cases of an op without attributes."""
    return st.tuples(st.just({}), operands)


@st.composite
def matrices(draw: st.DrawFn) -> Sequence[Tensor]:
    """Two stacks of matrices or vectors that nearly always can be multiplied."""
    inner, batch = draw(sizes), draw(st.lists(st.integers(1, 3), max_size=2))
    found = []
    for axis in (-1, -2):
        whole = [*(draw(st.sampled_from([size] * 6 + [1, size + 1])) for size in batch), draw(sizes), draw(sizes)]
        whole[axis] = draw(st.sampled_from([inner] * 12 + [inner + 1]))
        rank = draw(st.sampled_from([len(whole)] * 3 + [2, 2, 1, 0]))
        shape = [inner] if rank == 1 else whole[len(whole) - rank :]
        found.append(Tensor(tuple(shape), draw(st.sampled_from([*mostly, "int64", "bool"]))))
    return found


bounds = st.one_of(st.none(), st.integers(-5, 5))
parts = st.one_of(st.none(), st.integers(-3, 3), *[st.tuples(bounds, bounds, st.sampled_from([None, 1, 2, 3]))] * 2)


@st.composite
def crops(draw: st.DrawFn) -> Sequence[Tensor]:
    input = draw(images())
    target = [draw(st.integers(1, 2)), draw(channels), *(draw(st.integers(1, 1 + s)) for s in as_ints(input)[2:])]
    return input, Tensor(tuple(target), draw(dtypes))


numbers = st.one_of(st.integers(-3, 3), st.sampled_from([-0.5, 0.5, 2.0]))
dims = st.integers(-3, 3)


@st.composite
def indices(draw: st.DrawFn) -> Tensor:
    """Mostly whole numbers."""
    return Tensor(draw(values()).shape, draw(st.sampled_from([*["int64"] * 12, "float32", "bool"])))


@st.composite
def labelled(draw: st.DrawFn, /, **attributes: st.SearchStrategy[Any]) -> Case:
    """Numbers for classes and labels or probabilities, nearly always of the right shape; a weight for each class."""
    shape = draw(st.lists(st.integers(1, 4), min_size=draw(st.sampled_from([1] * 12 + [0])), max_size=5))
    axis = min(1, len(shape) - 1)
    count = shape[axis] if shape else 1
    without = [size for number, size in enumerate(shape) if number != axis]
    target = draw(st.sampled_from([shape, *[without] * 3]))
    wrong = draw(st.sampled_from([[]] * 8 + [[1]]))
    wanted: list[DType] = ["int64"] * 9 if target is without else ["float32"] * 9
    kind = draw(st.sampled_from([*wanted, "float32", "int64", "bool"]))
    weight = st.sampled_from([count] * 9 + [count + 1]).map(lambda length: tuple(0.5 + i for i in range(length)))
    ignored = st.sampled_from([-100, 0, 1])
    given = {"weight_": weight, "ignore_index_": ignored, "reduction_": reductions, **attributes}
    found, _ = draw(one(values(), **given))
    return found, (Tensor(tuple(shape), draw(dtypes)), Tensor((*target, *wrong), kind))


reductions = st.sampled_from(["none", "mean", "sum"])


conv = {"out_channels": channels, "groups_": st.integers(1, 3), "bias_": flags}


def window_of_means(axes: int) -> dict[str, st.SearchStrategy[Any]]:
    """The settings of a window."""
    drawn = {"kernel_size": (1, 4), "stride_": (1, 3), "padding_": (0, 3)}
    return {name: extents(*bounds, axes) for name, bounds in drawn.items()}


def window(axes: int) -> dict[str, st.SearchStrategy[Any]]:
    """The settings of a window, some of whose elements can lie apart."""
    return window_of_means(axes) | {"dilation_": extents(1, 3, axes)}


def of_rank(axes: int) -> st.SearchStrategy[Tensor]:
    """Mostly [N, C, *] with so many axes behind."""
    return images([axes + 2] * 12 + [2, 6])


# --- how torch does each


def as_ints(tensor: Tensor) -> tuple[int, ...]:
    assert all(isinstance(size, int) for size in tensor.shape)
    return tuple(int(str(size)) for size in tensor.shape)


def index_of(attributes: Attributes) -> tuple[object, ...]:
    """What stands in the brackets of a subscript."""
    return tuple(slice(*part) if isinstance(part, tuple) else part for part in attributes["index"])


def in_features(operands: Sequence[Tensor], axis: int) -> int:
    """The size that sets the number of weights."""
    shape = as_ints(operands[0])
    if not -len(shape) <= axis < len(shape):
        raise ValueError(f"no axis {axis} in {shape}")
    return shape[axis]


def norm(attributes: Attributes, operands: Sequence[Tensor]) -> nn.Module:
    kinds = {2: nn.BatchNorm1d, 3: nn.BatchNorm1d, 4: nn.BatchNorm2d, 5: nn.BatchNorm3d}
    if operands[0].rank not in kinds:
        raise ValueError("no such BatchNorm")
    return kinds[operands[0].rank](in_features(operands, 1), **attributes).eval()


def center_crop(input: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """As in Ronneberger et al. 2015, figure 1."""
    if input.dim() != target.dim() or input.dim() < 3:
        raise ValueError("ranks")
    for axis in range(2, input.dim()):
        rest = input.shape[axis] - target.shape[axis]
        input = input.narrow(axis, rest // 2, target.shape[axis])
    return input


def operator(function: Callable[..., torch.Tensor], *, ones: bool = False) -> Oracle:
    """A function of two values; `ones` where nothing can be divided by the zeros that all others are."""
    second = torch.ones_like if ones else torch.zeros_like
    return Oracle(two(pairs()), lambda a, _: Apply(lambda x, y: function(x, second(y))))


def pointwise(function: Callable[..., Result], **attributes: st.SearchStrategy[Any]) -> Oracle:
    """A function of one value."""
    return Oracle(one(values(), **attributes), lambda a, _: Apply(lambda x: function(x, **a)))


def reduction(function: Callable[..., torch.Tensor], over_all: object = None) -> Oracle:
    """A function along axes."""

    def reduced(attributes: Attributes, x: torch.Tensor) -> torch.Tensor:
        if x.dim() == 0 and "dim" in attributes:
            raise IndexError("torch gives a single number an axis 0")
        return function(x, **{"dim": over_all, "keepdim": False} | attributes)

    several = st.lists(dims, min_size=1, max_size=3).map(tuple)
    cases = one(values(), dim_=st.one_of(dims, several), keepdim_=flags)
    return Oracle(cases, lambda a, _: Apply(lambda x: reduced(a, x)))


def with_class_axis(attributes: Attributes, x: torch.Tensor) -> Attributes:
    """torch's own choice of the axis is another, and it gives a single number an axis 0."""
    if x.dim() == 0 or (x.dim() > 2 and "dim" not in attributes):
        raise IndexError("no axis is given")
    return {"dim": -1} | attributes


def of_classes(function: Callable[..., torch.Tensor]) -> Oracle:
    """A function along one axis."""
    return Oracle(one(values(), dim_=dims), lambda a, _: Apply(lambda x: function(x, **with_class_axis(a, x))))


def compared(function: Callable[..., torch.Tensor], **attributes: st.SearchStrategy[Any]) -> Oracle:
    """A loss of two values; some take values of different shapes and types, most with a warning."""

    def loss(attributes: Attributes, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        if x.shape != y.shape or {x.dtype, y.dtype} != {torch.float32}:
            raise ValueError("the values are not alike")
        return function(x, y, **attributes)

    drawn = one(values(), **({} if "reduction" in attributes else {"reduction_": reductions}), **attributes)
    cases = st.tuples(drawn.map(lambda case: case[0]), pairs())
    return Oracle(cases, lambda a, _: Apply(lambda x, y: loss(a, x, y)))


def labels(x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """torch takes one label for [K] as [1] too."""
    if x.dim() == 1 and target.dim() == 1 and target.dtype == torch.int64:
        raise ValueError("[K] has a label []")
    return target


def with_weight(attributes: Attributes) -> Attributes:
    return {name: torch.tensor(value) if name == "weight" else value for name, value in attributes.items()}


def with_shape(attributes: Attributes, operands: Sequence[Tensor]) -> Attributes:
    """The sizes of the last axes instead of their number."""
    shape, count = as_ints(operands[0]), attributes.get("dims", 1)
    if count > len(shape):
        raise ValueError("axes")
    rest = {name: value for name, value in attributes.items() if name != "dims"}
    return rest | {"normalized_shape": shape[len(shape) - count :]}


def group_norm(attributes: Attributes, operands: Sequence[Tensor]) -> nn.Module:
    rest = {name: value for name, value in attributes.items() if name != "num_groups"}
    return nn.GroupNorm(attributes["num_groups"], in_features(operands, 1), **rest)


def instance_norm(attributes: Attributes, operands: Sequence[Tensor]) -> nn.Module:
    kinds = {3: nn.InstanceNorm1d, 4: nn.InstanceNorm2d, 5: nn.InstanceNorm3d}
    if operands[0].rank not in kinds:
        raise ValueError("no such InstanceNorm")
    return kinds[operands[0].rank](in_features(operands, 1), **attributes).eval()


def embedding(attributes: Attributes, _: Sequence[Tensor]) -> nn.Module:
    try:
        return nn.Embedding(**attributes)
    except AssertionError as error:
        raise ValueError("padding_idx") from error


def of_reals(x: torch.Tensor) -> torch.Tensor:
    if x.dtype != torch.float32:
        raise ValueError("no real numbers")
    return x


def of_images(operands: Sequence[Tensor]) -> Sequence[Tensor]:
    """torchvision broadcasts over other ranks and types too."""
    if operands[0].rank != 4 or operands[0].dtype != "float32":
        raise ValueError("no image")
    return operands


class Learned(nn.Module):
    """A parameter as a module."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(shape))

    def forward(self) -> torch.Tensor:
        return self.weight


def of_rank_4(x: torch.Tensor) -> torch.Tensor:
    """torch takes other ranks too, with a warning."""
    if x.dim() != 4:
        raise ValueError("no image")
    return x


def made(function: Callable[..., torch.Tensor], **attributes: st.SearchStrategy[Any]) -> Oracle:
    """A function that takes no value."""
    drawn = one(st.just(Tensor(())), **attributes).map(lambda case: (case[0], ()))
    return Oracle(drawn, lambda a, _: Apply(lambda: function(**a)))


def arange(end: float, start: float = 0, step: float = 1) -> torch.Tensor:
    return torch.arange(start, end, step)


def typed(function: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    """A function that gives an element type by its name."""
    return lambda shape, dtype="float32": function(shape, dtype=getattr(torch, dtype))


def squeezed(x: torch.Tensor, dim: int | tuple[int, ...]) -> torch.Tensor:
    """torch leaves an axis of another size as it is, and gives a single number an axis 0."""
    axes = dim if isinstance(dim, tuple) else (dim,)
    if x.dim() == 0 or any(x.shape[axis] != 1 for axis in axes):
        raise IndexError("no axis of size 1")
    return torch.squeeze(x, dim)


def rolled(x: torch.Tensor, **attributes: Any) -> torch.Tensor:
    if x.dim() == 0:
        raise IndexError("torch gives a single number an axis 0")
    return torch.roll(x, **attributes)


@st.composite
def reshapes(draw: st.DrawFn) -> Case:
    """A value, and a shape that nearly always has as many elements."""
    value = draw(values())
    left, shape = math.prod(as_ints(value)), []
    while left > 1 and draw(st.booleans()):
        shape.append(draw(st.sampled_from([n for n in range(1, left + 1) if left % n == 0])))
        left //= shape[-1]
    rest = draw(st.sampled_from([[left]] * 4 + [[-1]] * 4 + [[], [left + 1], [0]]))
    return {"shape": tuple(draw(st.permutations([*shape, *rest])))}, (value,)


@st.composite
def expansions(draw: st.DrawFn) -> Case:
    """A value, and a shape that it can nearly always be repeated to."""
    value = draw(values(most=3))
    kept = [draw(st.sampled_from([3 if size == 1 else size] * 6 + [-1, size, size + 1])) for size in as_ints(value)]
    new = draw(st.lists(st.sampled_from([1, 2, 3, 2, -1]), max_size=2))
    shape = [*new, *kept]
    return {"shape": tuple(shape[draw(st.sampled_from([0] * 9 + [1])) :])}, (value,)


@st.composite
def rolls(draw: st.DrawFn) -> Case:
    count = draw(st.integers(1, 2))
    several = [tuple(draw(dims) for _ in range(count + draw(st.sampled_from([0] * 6 + [1])))) for _ in range(2)]
    shifts, axes = (draw(st.sampled_from([found, found[0]])) for found in several)
    return {"shifts": shifts, "dims": axes}, (draw(values()),)


@st.composite
def splits(draw: st.DrawFn) -> Case:
    value, dim = draw(values()), draw(st.sampled_from([0, 0, 0, 1, -1, -2]))
    shape = as_ints(value)
    size = shape[dim] if -len(shape) <= dim < len(shape) else 2
    at = sorted(draw(st.sets(st.integers(1, size), max_size=2)) | {size})
    parts = tuple(after - before for before, after in zip([0, *at], at, strict=False))
    how = draw(st.sampled_from([parts, parts, draw(st.integers(1, 4)), (*parts, 1)]))
    return draw(st.sampled_from([{"split_size": how, "dim": dim}] + [{"split_size": how}] * (dim == 0))), (value,)


def chunked(x: torch.Tensor, chunks: int, dim: int = 0) -> tuple[torch.Tensor, ...]:
    """torch takes sizes that can't be divided too."""
    if x.shape[dim] % chunks:
        raise ValueError("not divisible")
    return torch.chunk(x, chunks, dim)


@st.composite
def rearrangements(draw: st.DrawFn) -> Case:
    """A pattern, and a value that nearly always has its axes."""
    names = ["N", "C", "h", "w", "two_h", "d"][: draw(st.integers(0, 6))]
    sizes = {name: draw(st.integers(1, 4)) for name in names}
    left, right = (draw(grouped(draw(st.permutations(names)))) for _ in range(2))
    shape = [math.prod(sizes[name] for name in group) for group in left]
    given = {name: sizes[name] for group in left for name in group[draw(st.sampled_from([1] * 9 + [0, 2])) :]}
    off = draw(st.sampled_from([0] * 12 + [1]))
    wrong = [size + off * (axis == 0) for axis, size in enumerate(shape)]
    rank = draw(st.sampled_from([len(shape)] * 9 + [0]))
    pattern = " -> ".join(" ".join(map(written_group, side)) for side in (left, right))
    return {"pattern": pattern, **given}, (Tensor(tuple(wrong[:rank]), draw(dtypes)),)


@st.composite
def grouped(draw: st.DrawFn, names: Sequence[str]) -> list[list[str]]:
    """Names in groups, some of them empty."""
    groups: list[list[str]] = []
    for name in names:
        if not groups or draw(st.booleans()):
            groups += [[]] * draw(st.sampled_from([0] * 6 + [1]))
            groups.append([])
        groups[-1] = [*groups[-1], name]
    return groups


def written_group(group: Sequence[str]) -> str:
    return group[0] if len(group) == 1 else f"({' '.join(group)})" if group else "1"


@st.composite
def rows(draw: st.DrawFn) -> Case:
    """A value, and whole numbers that nearly always are places along one of its axes."""
    cases = st.fixed_dictionaries({}, optional={"dim": st.sampled_from([0, 0, 1, -1, 2])})
    return draw(cases), (draw(values()), draw(indices()))


def index_selected(x: torch.Tensor, index: torch.Tensor, dim: int = 0) -> torch.Tensor:
    if index.dtype != torch.int64 or not -x.dim() <= dim < x.dim():
        raise IndexError("no whole numbers, or no axis")
    return x[(slice(None),) * (dim % x.dim()) + (index,)]


@st.composite
def interpolations(draw: st.DrawFn) -> Case:
    modes = {"linear": 3, "bilinear": 4, "bicubic": 4, "trilinear": 5}
    mode = draw(st.sampled_from(["nearest", "nearest", "nearest-exact", *modes]))
    rank = draw(st.sampled_from([modes.get(mode, 4)] * 9 + [3, 5]))
    value = draw(images([rank]))
    number, factor = st.integers(1, 9), st.sampled_from([2, 3, 2.0, 0.5, 1.5, 0.25])
    way = draw(st.sampled_from(["size", "scale_factor", "scale_factor", "like", "both"]))
    drawn = {"size": number, "scale_factor": factor}
    given = {n: draw(several(v, rank - 2)) for n, v in drawn.items() if way in (n, "both")}
    other = {"align_corners": draw(st.booleans())} if mode in modes and draw(st.booleans()) else {}
    like = [draw(images([rank] * 9 + [4]))] if way == "like" else []
    return {**given, **other, **({"mode": mode} if mode != "nearest" else {})}, (value, *like)


def several(number: st.SearchStrategy[Any], axes: int) -> st.SearchStrategy[Any]:
    """One for all axes, or one for each."""
    return st.one_of(number, st.sampled_from([axes] * 6 + [axes + 1]).flatmap(lambda n: st.tuples(*[number] * n)))


def interpolated(x: torch.Tensor, like: torch.Tensor | None = None, **attributes: Any) -> torch.Tensor:
    if like is not None:
        if like.dim() != x.dim():
            raise ValueError("axes")
        attributes["size"] = like.shape[2:]
    return functional.interpolate(of_reals(x), **attributes)


shapes = st.lists(st.integers(1, 4), max_size=4).map(tuple)


@st.composite
def shuffled(draw: st.DrawFn) -> Tensor:
    """An image with many channels."""
    value = draw(images())
    return Tensor((value.shape[0], draw(st.sampled_from([4, 8, 12, 9, 6])), *value.space), value.dtype)


pads = st.lists(st.sampled_from([0, 1, 1, 2, -1]), min_size=2, max_size=5).map(tuple)


def padded(x: torch.Tensor, pad: tuple[int, ...], mode: str = "constant", value: float = 0) -> torch.Tensor:
    """In the other modes torch can cut off too."""
    if mode != "constant" and (min(pad) < 0 or value != 0 or x.dtype != torch.float32):
        raise ValueError("not here")
    return functional.pad(x, pad, mode, value if mode == "constant" else None)


@st.composite
def attentions(draw: st.DrawFn) -> Case:
    """Queries, keys and values that nearly always go together, and perhaps a mask or a bias."""
    heads = draw(st.sampled_from([None, None, 1, 2, 3]))
    batch = draw(st.lists(st.integers(1, 3), max_size=2))
    n = 1 if heads is None else heads
    t, s, c, d = (draw(st.integers(1, 4)) for _ in range(4))
    off = st.sampled_from([0] * 20 + [1])
    shapes = ((t, n * c), (s, n * c + draw(off)), (s + draw(off), n * d + draw(off)))
    cut = st.sampled_from([0] * 9 + [1])
    operands = [Tensor((*batch[draw(cut) :], *shape)[draw(st.sampled_from([0] * 30 + [1])) :]) for shape in shapes]
    if draw(st.sampled_from([0] * 12 + [1])):
        operands[draw(st.integers(0, 2))] = Tensor(operands[0].shape, draw(dtypes))
    scores = [*batch, *([] if heads is None else [n]), t, s]
    given = {"heads": heads} if heads is not None else {}
    extra = draw(st.sampled_from([(), ("mask",), ("mask",), ("mask", "bias")]))
    for name in extra:
        seen: list[DType] = ["bool"] * 6
        real: list[DType] = ["float32"] * 6
        kinds = real + (seen if name == "mask" else [])
        shape = [draw(st.sampled_from([size] * 9 + [1, size + 1])) for size in scores]
        other: list[DType] = ["int64"]
        kind = draw(st.sampled_from(kinds + other))
        operands.append(Tensor(tuple(shape[draw(st.integers(0, len(shape) - 2)) :]), kind))
    case = one(st.just(Tensor(())), is_causal_=flags if not extra else st.just(False), scale_=st.floats(-1, 1))
    return {**draw(case)[0], **given}, operands


def attended(attributes: Attributes, *operands: torch.Tensor) -> torch.Tensor:
    """With the products that torch counts; its other ways take some masks that can't be broadcast, or refuse others."""
    query, key, value, *extra = operands
    heads = attributes.get("heads")
    mask: torch.Tensor | None = None
    if any(operand.dim() < 2 or operand.dtype != torch.float32 for operand in (query, key, value)):
        raise ValueError("no rows of real numbers")
    if heads is not None:
        query, key, value = (operand.unflatten(-1, (heads, -1)).transpose(-3, -2) for operand in (query, key, value))
    if extra:
        scores = (*torch.broadcast_shapes(query.shape[:-2], key.shape[:-2]), query.shape[-2], key.shape[-2])
        if any(torch.broadcast_shapes(part.shape, scores) != torch.Size(scores) for part in extra):
            raise ValueError("the scores would grow")
        if extra[-1].dtype != torch.float32 and len(extra) == 2:
            raise ValueError("the bias holds no real numbers")
        mask = extra[0] if len(extra) == 1 else sum_of(*extra)
    rest = {name: given for name, given in attributes.items() if name != "heads"}
    with sdpa_kernel(SDPBackend.MATH):
        found = functional.scaled_dot_product_attention(query, key, value, mask, **rest)
    return found if heads is None else found.transpose(-3, -2).flatten(-2)


def sum_of(mask: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    if mask.dtype == torch.int64:
        raise ValueError("the mask holds whole numbers")
    return torch.where(mask, bias, -torch.inf) if mask.dtype == torch.bool else mask + bias


def layer(name: str, axes: int) -> Callable[..., nn.Module]:
    """The module of torch for so many axes."""
    found: Callable[..., nn.Module] = getattr(nn, f"{name}{axes}d")
    return found


def convolution(axes: int) -> Oracle:
    return Oracle(
        one(of_rank(axes), **window(axes), **conv),
        lambda a, o: batched(axes, o, layer("Conv", axes)(in_features(o, 1), **a)),
    )


def transposed_convolution(axes: int) -> Oracle:
    drawn = one(of_rank(axes), **window(axes), **conv, output_padding_=extents(0, 2, axes))
    return Oracle(drawn, lambda a, o: batched(axes, o, layer("ConvTranspose", axes)(in_features(o, 1), **a)))


def batched(axes: int, operands: Sequence[Tensor], module: nn.Module) -> nn.Module:
    """torch takes a value without a batch too."""
    if operands[0].rank != axes + 2:
        raise ValueError("axes")
    return module


def max_pool(axes: int) -> Oracle:
    drawn = one(of_rank(axes), **window(axes), ceil_mode_=flags, return_indices_=flags)
    return Oracle(drawn, lambda a, o: batched(axes, o, layer("MaxPool", axes)(**a)))


def avg_pool(axes: int) -> Oracle:
    """torch averages whole numbers too, and cuts off what is behind the point."""
    drawn = one(of_rank(axes), **window_of_means(axes), ceil_mode_=flags, count_include_pad_=flags)
    return Oracle(drawn, lambda a, o: batched(axes, o, Apply(lambda x: layer("AvgPool", axes)(**a)(of_reals(x)))))


def adaptive_pool(axes: int, kind: str) -> Oracle:
    """With an output of 1 torch takes the mean of any number of axes."""
    drawn = one(images([axes + 2]), output_size=extents(1, 5, axes))
    return Oracle(drawn, lambda a, _: Apply(lambda x: layer(f"Adaptive{kind}Pool", axes)(**a)(of_reals(x))))


def of_numbers(x: torch.Tensor) -> torch.Tensor:
    if x.dtype == torch.bool:
        raise ValueError("no numbers")
    return x


class Prelu(nn.PReLU):
    """torch reads a channel's factor where there is no axis of channels too."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        if input.dim() < 2 and self.num_parameters > 1:
            raise ValueError("no channels")
        return super().forward(input)


@st.composite
def fills(draw: st.DrawFn) -> Case:
    operands = draw(pairs())
    kind: DType = "int64" if draw(st.integers(0, 9)) == 9 else "bool"
    value = draw(st.sampled_from([True, False, 2, -0.5, 1.0]))
    return {"value": value}, (operands[0], Tensor(operands[1].shape, kind))


def masked_filled(x: torch.Tensor, mask: torch.Tensor, value: float) -> torch.Tensor:
    """torch cuts a value to the element type."""
    if torch.tensor(value).dtype != x.dtype and (type(value) is not int or x.dtype != torch.float32):
        raise ValueError("another element type")
    return x.masked_fill(mask, value)


def with_axes(x: torch.Tensor) -> torch.Tensor:
    """torch gives a single number an axis 0."""
    if x.dim() == 0:
        raise IndexError("no axis")
    return x


def whole(x: torch.Tensor) -> torch.Tensor:
    if x.dtype != torch.int64:
        raise IndexError("no whole numbers")
    return x


def largest(x: torch.Tensor, k: int, dim: int = -1, **attributes: Any) -> tuple[torch.Tensor, ...]:
    """torch refuses to give fewer than k."""
    return tuple(torch.topk(x, min(k, x.size(dim)), dim, **attributes))


@st.composite
def gathers(draw: st.DrawFn) -> Case:
    value = draw(values())
    dim = draw(st.sampled_from([0, 0, 1, -1, 3]))
    shape = [draw(st.sampled_from([size] * 6 + [1, size + 1])) for size in as_ints(value)]
    cut = draw(st.sampled_from([0] * 9 + [1]))
    return {"dim": dim}, (value, Tensor(tuple(shape[cut:]), draw(indices()).dtype))


@st.composite
def sampled(draw: st.DrawFn, rank: int) -> Sequence[Tensor]:
    value = draw(values())
    first = value.shape[:1] or (1,)
    shape = (*first, *draw(values(least=rank - 1, most=rank - 1)).shape)[draw(st.sampled_from([0] * 12 + [1])) :]
    wrong = draw(st.sampled_from([0] * 12 + [1]))
    return value, Tensor(tuple(size + wrong for size in shape), draw(indices()).dtype)


def of_samples(x: torch.Tensor, index: torch.Tensor, rank: int) -> torch.Tensor:
    """torch broadcasts an index for one sample."""
    if x.dim() < 2 or index.dim() != rank or len(index) != len(x):
        raise ValueError("no index for each sample")
    rest = x[0, 0].shape
    whole_index = whole(index).reshape(*index.shape, *[1] * len(rest)).expand(*index.shape, *rest)
    rows = [row.gather(0, i.unsqueeze(0) if rank == 1 else i) for row, i in zip(x, whole_index, strict=True)]
    return torch.stack(rows).reshape(*index.shape, *rest)


@st.composite
def scatterings(draw: st.DrawFn) -> Case:
    rest, count = draw(shapes), draw(st.integers(1, 3))
    index = Tensor((count, *draw(st.sampled_from([()] * 9 + [(1,)]))), draw(indices()).dtype)
    rows = draw(st.sampled_from([count] * 9 + [count + 1]))
    fill = draw(st.sampled_from([None, 0, 2, 0.5, True]))
    shape = (draw(st.integers(1, 4)), *rest)[draw(st.sampled_from([0] * 12 + [1])) :]
    given = {"shape": shape} | ({} if fill is None else {"fill": fill})
    return given, (index, Tensor((rows, *rest), draw(dtypes)))


def scattered(index: torch.Tensor, source: torch.Tensor, shape: tuple[int, ...], fill: float = 0) -> torch.Tensor:
    """torch broadcasts what is put."""
    if index.dim() != 1 or source.shape != (len(index), *shape[1:]) or not shape:
        raise ValueError("shapes")
    if torch.tensor(fill).dtype != source.dtype and (type(fill) is not int or source.dtype != torch.float32):
        raise ValueError("another element type")
    return torch.full(shape, fill, dtype=source.dtype).index_put((whole(index),), source)


def producted(x: torch.Tensor, dim: int | None = None, keepdim: bool = False) -> torch.Tensor:
    if dim is None:
        if keepdim:
            raise ValueError("no axis to keep")
        return torch.prod(x)
    return torch.prod(with_axes(x), dim, keepdim)


def spread(function: Callable[..., torch.Tensor]) -> Oracle:
    """torch warns, and gives nan, where there are too few elements."""

    def spread_of(x: torch.Tensor, dim: int | None = None, correction: int = 1, **kept: bool) -> torch.Tensor:
        if (x.dim() == 0 and dim is not None) or torch.ones_like(x).sum(dim).flatten()[0] <= correction:
            raise IndexError("too few")
        return function(of_reals(x), dim, correction=correction, **kept)

    several = st.lists(dims, min_size=1, max_size=3).map(tuple)
    return pointwise(spread_of, dim_=st.one_of(dims, several), correction_=st.integers(0, 2), keepdim_=flags)


def similarity(x: torch.Tensor, y: torch.Tensor, **attributes: Any) -> torch.Tensor:
    """torch takes whole numbers beside real ones too."""
    if torch.broadcast_tensors(x, y)[0].dim() == 0:
        raise IndexError("no axis")
    return functional.cosine_similarity(of_reals(x), of_reals(y), **attributes)


@st.composite
def unflattenings(draw: st.DrawFn) -> Case:
    parts = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    dim = draw(st.sampled_from([0, 0, 1, -1, 3]))
    shape = list(draw(values()).shape)
    if -len(shape) <= dim < len(shape):
        shape[dim] = math.prod(parts)
    sizes = [draw(st.sampled_from([size] * 6 + [-1, size + 1])) for size in parts]
    return {"dim": dim, "sizes": tuple(sizes)}, (Tensor(tuple(shape), draw(dtypes)),)


@st.composite
def folds(draw: st.DrawFn) -> Case:
    attributes = draw(one(images(), **window(2)))[0]
    size = draw(extents(2, 7))
    space = size if isinstance(size, tuple) else (size, size)
    kernel = attributes["kernel_size"]
    elements = math.prod(kernel) if isinstance(kernel, tuple) else kernel**2
    try:
        found = functional.unfold(torch.zeros(1, 1, *space), **attributes)
        count = found.shape[2]
    except REFUSALS:
        count = 3
    off = draw(st.sampled_from([0] * 9 + [1]))
    shape = (draw(st.integers(1, 2)), elements * draw(st.integers(1, 2)) + off, count)
    return attributes | {"output_size": size}, (Tensor(shape, draw(dtypes)),)


@st.composite
def unpoolings(draw: st.DrawFn) -> Case:
    attributes = draw(one(images(), **window_of_means(2)))[0]
    shape = as_ints(draw(images([4] * 12 + [3])))
    plain = [(size - 1) * 2 + 2 for size in shape[2:]]
    other = tuple(size + draw(st.sampled_from([0] * 9 + [1])) for size in shape)
    like = (1, 1, *(size + draw(st.sampled_from([0, 0, 1, -1, 2])) for size in plain))
    operands = [Tensor(shape, draw(dtypes)), Tensor(other, draw(indices()).dtype)]
    return attributes, [*operands, *([Tensor(like)] if draw(flags) else [])]


def unpooled(
    attributes: Attributes, x: torch.Tensor, indices: torch.Tensor, like: torch.Tensor | None = None
) -> torch.Tensor:
    if like is not None and like.dim() != 4:
        raise ValueError("axes")
    size = None if like is None else like.shape[2:]
    found: torch.Tensor = nn.MaxUnpool2d(**attributes)(of_reals(x), whole(indices), size)
    return found


def even(length: int, dim: int) -> torch.Tensor:
    if dim % 2:
        raise ValueError("odd")
    return torch.zeros(length, dim)


def of_place(x: torch.Tensor, channels: int) -> torch.Tensor:
    if channels % 4:
        raise ValueError("channels")
    return torch.zeros(len(x), channels, *x.shape[2:])


def masked() -> st.SearchStrategy[Case]:
    kernel = st.sampled_from([1, 3, 3, 5, 2, (1, 3), (3, 2)])
    drawn = window(2) | {"kernel_size": kernel, "out_channels": channels, "bias_": flags, "mask": st.sampled_from("AB")}
    return one(images(), **drawn, colours_=st.integers(1, 3), parts_=st.sampled_from([1, 1, 2]))


class Masked(nn.Conv2d):
    """The mask changes neither shapes nor costs."""

    def __init__(self, attributes: Attributes, in_channels: int) -> None:
        rest = {name: value for name, value in attributes.items() if name not in ("mask", "colours", "parts")}
        super().__init__(in_channels, **rest)
        if not all(size % 2 for size in self.kernel_size) or self.out_channels % attributes.get("parts", 1):
            raise ValueError("no middle")


ORACLES: dict[str, Oracle] = {
    "abs": pointwise(torch.abs),
    **{f"adaptive_avg_pool{axes}d": adaptive_pool(axes, "Avg") for axes in (1, 2, 3)},
    **{f"adaptive_max_pool{axes}d": adaptive_pool(axes, "Max") for axes in (1, 2, 3)},
    "add": Oracle(two(similar()), lambda a, _: Apply(lambda *operands: reduce(torch.add, operands))),
    "amax": reduction(torch.amax, over_all=()),
    "amin": reduction(torch.amin, over_all=()),
    "arange": made(
        arange,
        end=st.one_of(st.integers(-3, 9), st.sampled_from([0.5, 2.5, 7.0])),
        start_=st.one_of(st.integers(-3, 9), st.just(0.25)),
        step_=st.sampled_from([1, 2, 3, -1, -2, 0, 0.5, -0.75]),
    ),
    "argmax": Oracle(
        one(values(), dim_=dims, keepdim_=flags), lambda a, _: Apply(lambda x: torch.argmax(x, **with_class_axis(a, x)))
    ),
    "argsort": pointwise(lambda x, **a: torch.argsort(with_axes(of_numbers(x)), **a), dim_=dims, descending_=flags),
    "attention": Oracle(attentions(), lambda a, _: Apply(lambda *operands: attended(a, *operands))),
    **{f"avg_pool{axes}d": avg_pool(axes) for axes in (1, 2, 3)},
    "batch_norm": Oracle(
        one(
            values(least=1),
            eps_=st.sampled_from([1e-5, 0.5]),
            momentum_=st.sampled_from([0.1, 0.0, 1.0]),
            affine_=flags,
            track_running_stats_=flags,
        ),
        norm,
    ),
    "binary_cross_entropy": compared(functional.binary_cross_entropy),
    "binary_cross_entropy_with_logits": compared(functional.binary_cross_entropy_with_logits),
    "causal_mask": made(lambda size: torch.ones(size, size, dtype=torch.bool).tril(), size=sizes),
    "ceil": pointwise(torch.ceil),
    "center_crop": Oracle(two(crops()), lambda a, _: Apply(center_crop)),
    "chunk": Oracle(
        one(values(), chunks=st.sampled_from([1, 2, 2, 3]), dim_=dims), lambda a, _: Apply(lambda x: chunked(x, **a))
    ),
    "clamp": Oracle(one(values(), min_=numbers, max_=numbers), lambda a, _: Apply(lambda x: torch.clamp(x, **a))),
    "concat": Oracle(
        st.tuples(st.fixed_dictionaries({}, optional={"dim": st.integers(-3, 3)}), similar()),
        lambda a, _: Apply(lambda *operands: torch.cat(operands, a.get("dim", 1))),
    ),
    "constant": Oracle(
        st.tuples(st.fixed_dictionaries({"value": st.one_of(flags, st.integers(-9, 9), st.floats())}), st.just(())),
        lambda a, _: Apply(lambda: torch.tensor(a["value"])),
    ),
    **{f"conv{axes}d": convolution(axes) for axes in (1, 2, 3)},
    **{f"conv_transpose{axes}d": transposed_convolution(axes) for axes in (1, 2, 3)},
    "cos": pointwise(torch.cos),
    "cosine_similarity": Oracle(
        st.tuples(st.fixed_dictionaries({}, optional={"dim": dims}), pairs()),
        lambda a, _: Apply(lambda x, y: similarity(x, y, **a)),
    ),
    "cross_entropy": Oracle(
        labelled(label_smoothing_=st.sampled_from([0.0, 0.1, 1.0])),
        lambda a, _: Apply(lambda x, y: functional.cross_entropy(x, labels(x, y), **with_weight(a))),
    ),
    "cumsum": pointwise(lambda x, dim: torch.cumsum(with_axes(x), dim), dim=dims),
    "detach": pointwise(torch.detach),
    "divide": operator(torch.div),
    # with 0 or 1 torch takes whole numbers too
    "dropout": Oracle(one(values(), p_=st.sampled_from([0.1, 0.5])), lambda a, _: nn.Dropout(**a)),
    "dropout2d": Oracle(
        one(images([4] * 12 + [3, 5]), p_=st.sampled_from([0.1, 0.5])),
        lambda a, _: Apply(lambda x: nn.Dropout2d(**a)(of_rank_4(x))),
    ),
    "elu": pointwise(functional.elu, alpha_=st.sampled_from([1.0, -0.5, 0.0])),
    "embedding": Oracle(
        one(
            indices(),
            num_embeddings=st.integers(2, 5),
            embedding_dim=channels,
            padding_idx_=st.sampled_from([0, 1, -2] * 3 + [5, -6]),
        ),
        embedding,
    ),
    "eq": operator(torch.eq),
    "erf": pointwise(torch.erf),
    "exp": pointwise(torch.exp),
    "expand": Oracle(expansions(), lambda a, _: Apply(lambda x: x.expand(a["shape"]))),
    "flatten": Oracle(
        one(values(), start_dim_=st.integers(-4, 4), end_dim_=st.integers(-4, 4)), lambda a, _: nn.Flatten(**a)
    ),
    "float": pointwise(torch.Tensor.float),
    "floor": pointwise(torch.floor),
    "floor_divide": operator(torch.floor_divide, ones=True),
    "fold": Oracle(folds(), lambda a, o: batched(1, o, Apply(lambda x: nn.Fold(**a)(of_reals(x))))),
    "frozen_batch_norm": Oracle(
        one(images(), eps_=st.sampled_from([1e-5, 0.5])),
        lambda a, o: torchvision().ops.FrozenBatchNorm2d(in_features(of_images(o), 1), **a),
    ),
    "full": made(
        lambda **a: torch.full(a["shape"], a["fill_value"]),
        shape=shapes,
        fill_value=st.one_of(flags, st.integers(-9, 9), st.floats()),
    ),
    "gather": Oracle(
        gathers(), lambda a, _: Apply(lambda x, index: torch.gather(with_axes(x), a["dim"], whole(with_axes(index))))
    ),
    "ge": operator(torch.ge),
    "gelu": pointwise(functional.gelu, approximate_=st.sampled_from(["none", "tanh"])),
    "getitem": Oracle(
        one(values(), index=st.lists(parts, min_size=1, max_size=4).map(tuple)),
        lambda a, _: Apply(lambda x: x[index_of(a)]),
    ),
    "group_norm": Oracle(
        one(values(least=1), num_groups=st.integers(1, 3), eps_=st.sampled_from([1e-5, 0.5]), affine_=flags), group_norm
    ),
    "gt": operator(torch.gt),
    "hardsigmoid": pointwise(functional.hardsigmoid),
    "hardswish": pointwise(functional.hardswish),
    "hardtanh": pointwise(
        lambda x, **a: functional.hardtanh(of_reals(x), **a), min_val_=st.floats(-2, 0.5), max_val_=st.floats(-0.5, 2)
    ),
    "huber_loss": compared(functional.huber_loss, delta_=st.sampled_from([1.0, 0.5])),
    "identity": Oracle(one(values()), lambda a, _: nn.Identity()),
    "index_select": Oracle(rows(), lambda a, _: Apply(lambda x, index: index_selected(x, index, **a))),
    "instance_norm": Oracle(
        one(values(least=2), momentum_=st.sampled_from([0.1, 1.0]), affine_=flags, track_running_stats_=flags),
        instance_norm,
    ),
    "interpolate": Oracle(interpolations(), lambda a, _: Apply(lambda *operands: interpolated(*operands, **a))),
    # torch warns of "mean"
    "kl_div": compared(functional.kl_div, reduction=st.sampled_from(["none", "sum", "batchmean"]), log_target_=flags),
    "l1_loss": compared(functional.l1_loss),
    "layer_norm": Oracle(
        one(
            values(), dims_=st.integers(1, 3), eps_=st.sampled_from([1e-5, 0.5]), elementwise_affine_=flags, bias_=flags
        ),
        lambda a, o: nn.LayerNorm(**with_shape(a, o)),
    ),
    "le": operator(torch.le),
    "leaky_relu": pointwise(functional.leaky_relu, negative_slope_=st.sampled_from([0.01, 2.0, -1.0])),
    "linear": Oracle(
        one(values(), out_features=channels, bias_=flags), lambda a, o: nn.Linear(in_features(o, -1), **a)
    ),
    # torch takes whole numbers too, and gives real ones
    "local_response_norm": Oracle(
        one(values(), size=st.integers(1, 6), alpha_=st.floats(0, 1), beta_=st.floats(0, 1), k_=st.floats(1, 2)),
        lambda a, _: Apply(lambda x: nn.LocalResponseNorm(**a)(of_reals(x))),
    ),
    "log": pointwise(torch.log),
    "log_softmax": of_classes(functional.log_softmax),
    "logical_and": operator(torch.logical_and),
    "logical_not": pointwise(torch.logical_not),
    "logical_or": operator(torch.logical_or),
    "logical_xor": operator(torch.logical_xor),
    "logsigmoid": pointwise(functional.logsigmoid),
    "lt": operator(torch.lt),
    "masked_conv2d": Oracle(masked(), lambda a, o: batched(2, o, Masked(a, in_features(o, 1)))),
    "masked_fill": Oracle(fills(), lambda a, _: Apply(lambda x, mask: masked_filled(x, mask, **a))),
    "matmul": Oracle(two(matrices()), lambda a, _: Apply(torch.matmul)),
    **{f"max_pool{axes}d": max_pool(axes) for axes in (1, 2, 3)},
    "max_unpool2d": Oracle(unpoolings(), lambda a, o: batched(2, o, Apply(lambda *operands: unpooled(a, *operands)))),
    "maximum": operator(torch.maximum),
    "mean": reduction(torch.mean),
    "minimum": operator(torch.minimum),
    "mish": pointwise(functional.mish),
    "mse_loss": compared(functional.mse_loss),
    "multiply": Oracle(two(similar()), lambda a, _: Apply(lambda *operands: reduce(torch.mul, operands))),
    "ne": operator(torch.ne),
    "negative": Oracle(one(values()), lambda a, _: Apply(torch.neg)),
    "nll_loss": Oracle(
        labelled(), lambda a, _: Apply(lambda x, y: functional.nll_loss(x, labels(x, y), **with_weight(a)))
    ),
    "normal_like": pointwise(lambda x: torch.randn_like(of_reals(x))),
    "normalize": pointwise(
        lambda x, **a: functional.normalize(with_axes(of_reals(x)), **a), p_=st.sampled_from([1.0, 2.0, 3.5]), dim_=dims
    ),
    "one_hot": Oracle(
        one(indices(), num_classes=st.integers(1, 4)), lambda a, _: Apply(lambda x: functional.one_hot(whole(x), **a))
    ),
    "ones": made(typed(torch.ones), shape=shapes, dtype_=st.sampled_from(get_args(DType))),
    "ones_like": pointwise(torch.ones_like),
    "pad": Oracle(
        one(
            values(),
            pad=pads,
            mode_=st.sampled_from(["constant"] * 3 + ["reflect", "replicate"]),
            value_=st.sampled_from([0, 0.0, 1, -0.5]),
        ),
        lambda a, _: Apply(lambda x: padded(x, **a)),
    ),
    "parameter": Oracle(
        st.tuples(st.fixed_dictionaries({"shape": st.lists(sizes, max_size=4).map(tuple)}), st.just(())),
        lambda a, _: Learned(a["shape"]),
    ),
    "permute": Oracle(
        one(values(most=3), dims=st.lists(st.integers(-3, 2), max_size=4).map(tuple)),
        lambda a, _: Apply(lambda x: torch.permute(x, **a)),
    ),
    "pick": Oracle(two(sampled(1)), lambda a, _: Apply(lambda x, index: of_samples(x, index, 1))),
    "pixel_shuffle": Oracle(
        one(shuffled(), upscale_factor=st.sampled_from([1, 2, 2, 3])),
        lambda a, _: Apply(lambda x: functional.pixel_shuffle(of_reals(of_rank_4(x)), **a)),
    ),
    "pixel_unshuffle": Oracle(
        one(images(), downscale_factor=st.sampled_from([1, 2, 2, 3])),
        lambda a, _: Apply(lambda x: functional.pixel_unshuffle(of_reals(of_rank_4(x)), **a)),
    ),
    "pow": operator(torch.pow),
    "prelu": Oracle(
        one(values(), num_parameters_=st.sampled_from([1, 1, 2, 3]), init_=st.floats(0, 1)), lambda a, _: Prelu(**a)
    ),
    "prod": pointwise(producted, dim_=dims, keepdim_=flags),
    "rearrange": Oracle(rearrangements(), lambda a, _: Apply(lambda x: rearranged(x, **a))),
    "reciprocal": pointwise(torch.reciprocal),
    "relu": Oracle(one(values()), lambda a, _: nn.ReLU()),
    "relu6": pointwise(functional.relu6),
    "remainder": operator(torch.remainder, ones=True),
    "repeat_interleave": pointwise(
        lambda x, **a: torch.repeat_interleave(with_axes(x), **a), repeats=st.integers(1, 3), dim=dims
    ),
    "reshape": Oracle(reshapes(), lambda a, _: Apply(lambda x: torch.reshape(x, **a))),
    "rms_norm": Oracle(
        one(values(), dims_=st.integers(1, 3), eps_=st.sampled_from([None, 0.5]), elementwise_affine_=flags),
        lambda a, o: nn.RMSNorm(**with_shape(a, o)),
    ),
    "roll": Oracle(rolls(), lambda a, _: Apply(lambda x: rolled(x, **a))),
    "round": pointwise(torch.round),
    "rsqrt": pointwise(torch.rsqrt),
    "scatter": Oracle(scatterings(), lambda a, _: Apply(lambda index, source: scattered(index, source, **a))),
    "selu": pointwise(functional.selu),
    "sigmoid": pointwise(torch.sigmoid),
    "sign": pointwise(lambda x: torch.sign(of_numbers(x))),
    "silu": pointwise(functional.silu),
    "sin": pointwise(torch.sin),
    "sine_position_2d": Oracle(
        one(images(), channels=st.sampled_from([4, 8, 6])),
        lambda a, o: batched(2, o, Apply(lambda x: of_place(of_reals(x), **a))),
    ),
    "sinusoid": made(even, length=sizes, dim=st.integers(1, 6)),
    "smooth_l1_loss": compared(functional.smooth_l1_loss, beta_=st.sampled_from([1.0, 0.5, 0.0])),
    "softmax": of_classes(functional.softmax),
    "softplus": pointwise(
        functional.softplus, beta_=st.sampled_from([1.0, 0.5]), threshold_=st.sampled_from([20.0, 1.0])
    ),
    "softsign": pointwise(lambda x: functional.softsign(of_reals(x))),
    "sort": pointwise(lambda x, **a: tuple(torch.sort(with_axes(of_numbers(x)), **a)), dim_=dims, descending_=flags),
    "split": Oracle(splits(), lambda a, _: Apply(lambda x: torch.split(x, a["split_size"], a.get("dim", 0)))),
    "sqrt": pointwise(torch.sqrt),
    "squeeze": Oracle(
        one(values(), dim=st.one_of(dims, st.lists(dims, min_size=1, max_size=3).map(tuple))),
        lambda a, _: Apply(lambda x: squeezed(x, **a)),
    ),
    "stack": Oracle(
        st.tuples(st.fixed_dictionaries({}, optional={"dim": dims}), similar()),
        lambda a, _: Apply(lambda *operands: torch.stack(operands, **a)),
    ),
    "std": spread(torch.std),
    # torchvision takes other types too where p is 0, and gives a single number a batch
    "stochastic_depth": Oracle(
        one(values(least=1), p=st.sampled_from([0.1, 0.5]), mode_=st.sampled_from(["row", "batch"])),
        lambda a, _: torchvision().ops.StochasticDepth(**{"mode": "row"} | a),
    ),
    "subtract": operator(torch.sub),
    "sum": reduction(torch.sum),
    "take": Oracle(two(sampled(2)), lambda a, _: Apply(lambda x, index: of_samples(x, index, 2))),
    "tanh": pointwise(torch.tanh),
    "tile": pointwise(torch.tile, dims=st.lists(st.integers(1, 3), min_size=1, max_size=3).map(tuple)),
    "topk": pointwise(lambda x, **a: largest(with_axes(x), **a), k=st.integers(1, 5), dim_=dims, largest_=flags),
    "transpose": Oracle(
        one(values(), dim0_=dims, dim1_=dims),
        lambda a, _: Apply(lambda x: torch.transpose(x, **{"dim0": -2, "dim1": -1} | a)),
    ),
    "tril": pointwise(torch.tril, diagonal_=dims),
    "triu": pointwise(torch.triu, diagonal_=dims),
    "unflatten": Oracle(unflattenings(), lambda a, _: Apply(lambda x: torch.unflatten(with_axes(x), **a))),
    "unfold": Oracle(
        one(images(), **window(2)), lambda a, o: batched(2, o, Apply(lambda x: nn.Unfold(**a)(of_reals(x))))
    ),
    "unsqueeze": pointwise(torch.unsqueeze, dim=dims),
    "var": spread(torch.var),
    "where": Oracle(two(pairs(3)), lambda a, _: Apply(torch.where)),
    "zeros": made(typed(torch.zeros), shape=shapes, dtype_=st.sampled_from(get_args(DType))),
    "zeros_like": pointwise(torch.zeros_like),
}


def test_every_op_is_compared_with_torch() -> None:
    assert list(ORACLES) == list(OPS) == sorted(OPS)
    assert [op.name for op in OPS.values()] == list(OPS)


# --- the comparison


def accepts(op: Op, operands: Sequence[Tensor], **sizes: int) -> bool:
    """Whether all that an op requires holds at these sizes; a requirement may rely on those before it."""
    for requirement in op.requires(*operands):
        condition = requirement.condition
        assert requirement.message
        if not (condition.holds(sizes) if isinstance(condition, Relation) else condition):
            return False
    return True


def outputs(op: Op, operands: Sequence[Tensor]) -> list[Tensor]:
    """The types of the outputs in order."""
    found = op.infer(*operands)
    return [found] if isinstance(found, Tensor) else list(found.values())


def torch_result(oracle: Oracle, attributes: Attributes, operands: Sequence[Tensor]) -> Sequence[torch.Tensor] | None:
    """What torch gives; None where it refuses, or where nothing is left: sizes are positive here."""
    try:
        module = oracle.module(attributes, operands)
        result = module(*map(torch_tensor, operands))
    except REFUSALS:
        return None
    found = (result,) if isinstance(result, torch.Tensor) else tuple(result)
    return found if all(value.numel() for value in found) else None


def torch_tensor(tensor: Tensor) -> torch.Tensor:
    return torch.zeros(as_ints(tensor), dtype=getattr(torch, tensor.dtype))


@pytest.mark.parametrize("name", OPS)
@given(data=st.data())
def test_shapes_are_torchs_and_what_torch_refuses_is_refused(name: str, data: st.DataObject) -> None:
    attributes, operands = data.draw(ORACLES[name].cases)
    op = OPS[name].model_validate(attributes)
    wanted = torch_result(ORACLES[name], attributes, operands)
    assert accepts(op, operands) == (wanted is not None)
    if wanted is not None:
        found = outputs(op, operands)
        assert [as_ints(kind) for kind in found] == [tuple(value.shape) for value in wanted]
        assert [kind.dtype for kind in found] == [str(value.dtype).removeprefix("torch.") for value in wanted]


@pytest.mark.parametrize("name", OPS)
@given(data=st.data())
def test_weights_are_torchs(name: str, data: st.DataObject) -> None:
    attributes, operands = data.draw(ORACLES[name].cases)
    op = OPS[name].model_validate(attributes)
    if not accepts(op, operands):
        return
    module = ORACLES[name].module(attributes, operands)
    ours = op.weights(*operands)
    theirs = module.state_dict()
    assert {name: weight.shape for name, weight in ours.items()} == {name: tuple(w.shape) for name, w in theirs.items()}
    assert {f"torch.{weight.dtype}" for weight in ours.values()} == {str(w.dtype) for w in theirs.values()}
    assert [name for name, weight in ours.items() if weight.buffer] == [name for name, _ in module.named_buffers()]
    assert [weight.count for weight in ours.values()] == [w.numel() for w in theirs.values()]


COUNTED = {
    "masked_conv2d",
    *(f"{kind}{axes}d" for kind in ("conv", "conv_transpose") for axes in (1, 2, 3)),
    "linear",
    "matmul",
}


@pytest.mark.parametrize("name", OPS)
@given(data=st.data())
def test_costs_are_half_of_torchs_flops(name: str, data: st.DataObject) -> None:
    attributes, operands = data.draw(ORACLES[name].cases)
    op = OPS[name].model_validate(attributes)
    if not accepts(op, operands) or (name in COUNTED and min(o.rank for o in operands) < 2):
        return  # torch does not count a matrix times a vector
    module = ORACLES[name].module(attributes, operands)
    with FlopCounterMode(display=False) as counter:
        module(*map(torch_tensor, operands))
    assert op.macs(*operands) == counter.get_total_flops() // 2


@st.composite
def symbolic(draw: st.DrawFn, operands: Sequence[Tensor]) -> tuple[Sequence[Tensor], dict[str, int]]:
    """The operands with some sizes made free, but not a 1, which is another size than one that can be 1."""
    names: dict[str, int] = {}
    found = []
    for operand in operands:
        shape: list[Size] = []
        for size in as_ints(operand):
            name = draw(st.sampled_from([None, f"S{size}", f"S{size}", f"T{size}"])) if size > 1 else None
            shape.append(symbol(name) if name else size)
            names |= {name: size} if name else {}
        found.append(operand.with_shape(tuple(shape)))
    return found, names


@pytest.mark.parametrize("name", OPS)
@given(data=st.data())
def test_free_sizes_come_to_the_same_as_numbers(name: str, data: st.DataObject) -> None:
    attributes, operands = data.draw(ORACLES[name].cases)
    op = OPS[name].model_validate(attributes)
    free, sizes = data.draw(symbolic(operands))
    accepted = accepts(op, free, **sizes)
    if any("must be fixed" in message for message in refused(op, free)):
        return
    assert accepted == accepts(op, operands)
    if accepted:
        at = [tuple(substitute(size, sizes) for size in kind.shape) for kind in outputs(op, free)]
        assert at == [kind.shape for kind in outputs(op, operands)]
        macs = op.macs(*free)
        assert macs is not None
        assert substitute(macs, sizes) == op.macs(*operands)


def refused(op: Op, operands: Sequence[Tensor]) -> list[str]:
    """What is said about the first requirement that can't hold."""
    return list(islice((r.message for r in op.requires(*operands) if r.condition is False), 1))


# --- attributes that can't be


WRONG: list[tuple[str, Attributes]] = [
    ("conv2d", {}),
    ("conv2d", {"out_channels": 8}),
    ("conv2d", {"kernel_size": 3}),
    ("conv2d", {"out_channels": 0, "kernel_size": 3}),
    ("conv2d", {"out_channels": 8.0, "kernel_size": 3}),
    ("conv2d", {"out_channels": True, "kernel_size": 3}),
    ("conv2d", {"out_channels": "8", "kernel_size": 3}),
    ("conv2d", {"out_channels": 8, "kernel_size": 0}),
    ("conv2d", {"out_channels": 8, "kernel_size": (3, 0)}),
    ("conv2d", {"out_channels": 8, "kernel_size": None}),
    ("conv2d", {"out_channels": 8, "kernel_size": 3, "stride": 0}),
    ("conv2d", {"out_channels": 8, "kernel_size": 3, "padding": -1}),
    ("conv2d", {"out_channels": 8, "kernel_size": 3, "padding": "same"}),
    ("conv2d", {"out_channels": 8, "kernel_size": 3, "dilation": 0}),
    ("conv2d", {"out_channels": 8, "kernel_size": 3, "groups": 0}),
    ("conv2d", {"out_channels": 8, "kernel_size": 3, "bias": 1}),
    ("conv2d", {"out_channels": 8, "kernel_size": 3, "in_channels": 3}),
    ("conv_transpose2d", {"out_channels": 8, "kernel_size": 3, "output_padding": -1}),
    ("max_pool2d", {}),
    ("max_pool2d", {"kernel_size": 2, "ceil_mode": "true"}),
    ("adaptive_avg_pool2d", {"output_size": 0}),
    ("batch_norm", {"eps": -1.0}),
    ("batch_norm", {"eps": "1e-5"}),
    ("batch_norm", {"eps": float("inf")}),
    ("batch_norm", {"momentum": 2.0}),
    ("batch_norm", {"num_features": 3}),
    ("dropout", {"p": 1.5}),
    ("dropout", {"p": -0.5}),
    ("dropout", {"p": float("nan")}),
    ("linear", {"out_features": 0}),
    ("flatten", {"start_dim": 1.0}),
    ("relu", {"inplace": True}),
    ("gelu", {"approximate": "erf"}),
    ("gelu", {"approximate": None}),
    ("softplus", {"beta": 0}),
    ("clamp", {"min": "0"}),
    ("clamp", {"min": True}),
    ("clamp", {"max": float("inf")}),
    ("clamp", {"max": 2**63}),
    ("softmax", {"dim": (0, 1)}),
    ("mean", {"dim": ()}),
    ("mean", {"dim": 1.0}),
    ("argmax", {"dim": (1,)}),
    ("layer_norm", {"dims": 0}),
    ("layer_norm", {"normalized_shape": 8}),
    ("group_norm", {}),
    ("local_response_norm", {"size": 0}),
    ("avg_pool2d", {"kernel_size": 2, "dilation": 1}),
    ("embedding", {"num_embeddings": 3}),
    ("mse_loss", {"reduction": "batchmean"}),
    ("mse_loss", {"reduction": None}),
    ("huber_loss", {"delta": 0.0}),
    ("smooth_l1_loss", {"beta": -1.0}),
    ("cross_entropy", {"label_smoothing": 1.5}),
    ("cross_entropy", {"weight": 1.0}),
    ("cross_entropy", {"ignore_index": None}),
    ("constant", {}),
    ("constant", {"value": "1"}),
    ("constant", {"value": None}),
    ("getitem", {}),
    ("getitem", {"index": ()}),
    ("getitem", {"index": 0}),
    ("getitem", {"index": (0.0,)}),
    ("getitem", {"index": (True,)}),
    ("getitem", {"index": ((0, 1),)}),
    ("getitem", {"index": ((0, 1, 0),)}),
    ("getitem", {"index": ((3, 0, -1),)}),
    ("reshape", {"shape": 3}),
    ("reshape", {"shape": (2.0,)}),
    ("permute", {"dims": None}),
    ("unsqueeze", {}),
    ("roll", {"shifts": 1}),
    ("roll", {"shifts": (), "dims": ()}),
    ("split", {"split_size": 0}),
    ("split", {"split_size": ()}),
    ("rearrange", {}),
    ("rearrange", {"pattern": "a b", "a": 2}),
    ("rearrange", {"pattern": "a b -> b"}),
    ("rearrange", {"pattern": "a -> a", "a": 0}),
    ("rearrange", {"pattern": "a -> a", "a": True}),
    ("rearrange", {"pattern": "a -> a", "a": "3"}),
    ("zeros", {"shape": (0,)}),
    ("zeros", {"shape": (2,), "dtype": "float64"}),
    ("full", {"shape": (2,)}),
    ("arange", {"end": True}),
    ("interpolate", {"scale_factor": 0}),
    ("interpolate", {"scale_factor": 2, "mode": "area"}),
    ("pad", {"pad": (1,)}),
    ("pad", {"pad": (1, 1), "mode": "circular"}),
    ("pixel_shuffle", {"upscale_factor": 0}),
    ("attention", {"heads": 0}),
    ("attention", {"dropout_p": 1.5}),
    ("attention", {"is_causal": 1}),
    ("attention", {"scale": float("inf")}),
    ("causal_mask", {"size": 0}),
    ("conv1d", {"out_channels": 8}),
    ("conv3d", {"out_channels": 8, "kernel_size": 3, "padding_mode": "zeros"}),
    ("max_pool2d", {"kernel_size": 2, "return_indices": 1}),
    ("max_unpool2d", {}),
    ("topk", {}),
    ("topk", {"k": 0}),
    ("sort", {"stable": False}),
    ("gather", {}),
    ("scatter", {"fill": 0}),
    ("one_hot", {}),
    ("one_hot", {"num_classes": -1}),
    ("var", {"correction": -1}),
    ("var", {"unbiased": True}),
    ("prod", {"dim": (0, 1)}),
    ("normalize", {"eps": 0.0}),
    ("tile", {"dims": ()}),
    ("tile", {"dims": (0,)}),
    ("repeat_interleave", {"repeats": 2}),
    ("unflatten", {"dim": 1}),
    ("fold", {"kernel_size": 2}),
    ("masked_fill", {}),
    ("masked_fill", {"value": "0"}),
    ("masked_conv2d", {"out_channels": 8, "kernel_size": 3}),
    ("masked_conv2d", {"out_channels": 8, "kernel_size": 3, "mask": "C"}),
    ("prelu", {"num_parameters": 0}),
    ("sinusoid", {"length": 3}),
    ("sine_position_2d", {"channels": 0}),
]


@pytest.mark.parametrize(("name", "attributes"), WRONG, ids=[f"{name}-{attributes}" for name, attributes in WRONG])
def test_wrong_attributes_are_refused(name: str, attributes: Attributes) -> None:
    with pytest.raises(ValidationError):
        OPS[name].model_validate(attributes)


SOURCES = {"arange", "causal_mask", "constant", "full", "ones", "parameter", "sinusoid", "zeros"}


@pytest.mark.parametrize("op", OPS.values(), ids=OPS)
def test_ops_say_what_they_are(op: type[Op]) -> None:
    assert op.__doc__
    assert op.main is None or op.main in op.model_fields
    assert op.slots() or op.name in SOURCES


# --- single cases worth a line


def test_the_last_window_of_ceil_mode_begins_inside_the_input() -> None:
    """torch.nn.MaxPool2d: windows that start in the padding behind the input are left out."""
    for size in range(1, 20):
        op = OPS["max_pool2d"].model_validate({"kernel_size": 2, "stride": 3, "padding": 1, "ceil_mode": True})
        wanted = nn.MaxPool2d(2, 3, 1, ceil_mode=True)(torch.zeros(1, 1, size, size))
        assert [kind.shape for kind in outputs(op, [Tensor((1, 1, size, size))])] == [tuple(wanted.shape)]


def test_an_element_type_can_follow_from_an_attribute() -> None:
    """torch.clamp: a bound that is a real number makes the result one."""
    whole = Tensor((2,), "int64")
    assert [OPS["clamp"].model_validate({"min": bound}).infer(whole) for bound in (0, 0.0)] == [whole, Tensor((2,))]


def test_embeddings_begin_as_torchs() -> None:
    """torch.nn.Embedding: from the normal distribution, but 0 for the padding."""
    op = OPS["embedding"].model_validate({"num_embeddings": 500, "embedding_dim": 40, "padding_idx": -2})
    values = initial_value("table.weight", op.weights(Tensor((1,), "int64"))["weight"])
    assert not values[498].any()
    assert values[:498].mean() == pytest.approx(0, abs=0.03)
    assert values[:498].std() == pytest.approx(1, abs=0.03)


def test_images_need_a_batch() -> None:
    """torch takes [C, H, W] too; here a missing axis is a mistake."""
    op = OPS["conv2d"].model_validate({"out_channels": 8, "kernel_size": 3})
    assert not accepts(op, [Tensor((3, 9, 9))])


def test_element_types_are_those_of_torch() -> None:
    assert [str(getattr(torch, name)) for name in get_args(DType)] == ["torch.float32", "torch.int64", "torch.bool"]


H, W, N = symbol("H"), symbol("W"), symbol("N")
INDEX = {"gather": 1, "max_unpool2d": 1, "pick": 1, "scatter": 0, "take": 1}
"""The operand that holds whole numbers."""


@pytest.mark.parametrize(
    ("name", "attributes", "shapes", "message"),
    [
        ("conv2d", {"out_channels": 8, "kernel_size": 3}, [(N, 3, 2, 9)], "a window of 3 must fit into 2"),
        ("conv2d", {"out_channels": 8, "kernel_size": 3}, [(N, H, 9, 9)], "the number of channels of [N, H, 9, 9]"),
        (
            "conv2d",
            {"out_channels": 8, "kernel_size": 3, "groups": 2},
            [(N, 3, 9, 9)],
            "groups 2 must divide the input",
        ),
        ("conv2d", {"out_channels": 9, "kernel_size": 3, "groups": 2}, [(N, 4, 9, 9)], "groups 2 must divide out_ch"),
        ("conv_transpose2d", {"out_channels": 8, "kernel_size": 1, "padding": 1}, [(N, 3, 2, 2)], "nothing is left"),
        ("max_pool2d", {"kernel_size": 2, "padding": 2}, [(N, 3, 8, 8)], "padding 2 must be at most half of kernel"),
        ("add", {}, [(N, 3, 8)], "takes two values or more, got 1"),
        ("add", {}, [(N, 3, 8), (N, 4, 8)], "the operands have sizes 3 and 4"),
        ("concat", {}, [(N, 3, H), (N, 4, W)], "along axis 2 the operands have H and W; only axis 1 may differ"),
        ("concat", {"dim": 5}, [(N, 3)], "dim 5 is not an axis of [N, 3]"),
        ("center_crop", {}, [(N, 3, 8, 8), (N, 3, 9, 8)], "can't cut 9 out of 8"),
        ("flatten", {"start_dim": 2, "end_dim": 1}, [(N, 3, 8)], "start_dim 2 lies behind end_dim 1"),
        ("linear", {"out_features": 8}, [(N, H)], "the last size of [N, H]"),
        ("subtract", {}, [(3, 8), (2, 8)], "the operands have sizes 3 and 2"),
        ("matmul", {}, [(N, 3, 8), (N, 7, 4)], "the rows of the first have 8 elements, the columns of the second 7"),
        ("matmul", {}, [(3,), ()], "needs values with an axis or more, got []"),
        ("getitem", {"index": (0, 0, None, 0)}, [(N, 3)], "3 parts for [N, 3] with 2 axes"),
        ("getitem", {"index": ((None, None, None), 3)}, [(N, 3)], "there is no element 3 along an axis of 3"),
        ("getitem", {"index": (1,)}, [(N,)], "there is no element 1 along an axis of N"),
        ("getitem", {"index": ((2, -1, None),)}, [(3,)], "nothing is left of an axis of 3 from 2 to 2"),
        ("getitem", {"index": ((H - 4, None, None),)}, [(H,)], "the bound H - 4 must not be negative"),
        ("getitem", {"index": ((None, None, H - 4),)}, [(H,)], "the step H - 4 must be positive"),
        ("batch_norm", {}, [(3,)], "needs a value with 2 or 3 or 4 or 5 axes, got [3] with 1"),
        ("batch_norm", {"track_running_stats": False}, [(1, 3)], "needs two values or more in each channel"),
        ("softmax", {}, [(N, 3, 8, 8)], "needs dim, the axis: [N, 3, 8, 8] has 4 axes"),
        ("argmax", {"dim": 2}, [(N, 3)], "dim 2 is not an axis of [N, 3]"),
        ("mean", {"dim": (1, -1)}, [(N, 3)], "dim has an axis of [N, 3] twice"),
        ("clamp", {}, [(N, 3)], "needs min or max, or both"),
        ("layer_norm", {"dims": 3}, [(N, 3)], "needs the last 3 axes, got [N, 3] with 2"),
        ("layer_norm", {}, [(N, H)], "the last size of [N, H]"),
        ("group_norm", {"num_groups": 2}, [(N, 3, 8)], "num_groups 2 must divide the input's 3 channels"),
        ("group_norm", {"num_groups": 2}, [(1, 2)], "needs two values or more in each group"),
        ("instance_norm", {}, [(N, 3, 1)], "needs two values or more in each channel"),
        ("embedding", {"num_embeddings": 3, "embedding_dim": 2, "padding_idx": 3}, [(N, 3)], "padding_idx 3 is none"),
        ("mse_loss", {}, [(N, 3), (N, 4)], "needs values of the same shape, got [N, 3] and [N, 4]"),
        ("mse_loss", {}, [(N, 3), (N,)], "needs values of the same shape, got [N, 3] and [N]"),
        ("cross_entropy", {"weight": (1.0, 2.0)}, [(N, 3), (N, 3)], "weight has 2 numbers for 3 classes"),
        ("reshape", {"shape": (4, -1)}, [(3, 6)], "[3, 6] and [4, -1] have different numbers of elements"),
        ("reshape", {"shape": (N, -1, -1)}, [(N, 6)], "only one size can be -1"),
        ("reshape", {"shape": (H - W, -1)}, [(N, 6)], "a size of H - W is not positive"),
        ("permute", {"dims": (0, 1)}, [(N, 3, 8)], "dims has 2 of the 3 axes of [N, 3, 8]"),
        ("permute", {"dims": (0, -2)}, [(N, 3)], "an axis of [N, 3] is given twice"),
        ("transpose", {}, [(N,)], "-2 is not an axis of [N]"),
        ("expand", {"shape": (N, 4)}, [(N, 3)], "a size of 3 can't become 4: only 1 is repeated"),
        ("expand", {"shape": (N,)}, [(N, 3)], "[N, 3] has more axes than [N]"),
        ("expand", {"shape": (-1, 3)}, [(3,)], "-1 keeps a size: a new axis has none"),
        ("squeeze", {"dim": 1}, [(N, H)], "axis 1 of [N, H] must have size 1"),
        ("stack", {}, [(N, 3), (N, 4)], "the operands have shapes [N, 3] and [N, 4]"),
        ("roll", {"shifts": (1, 2), "dims": 0}, [(N, 3)], "2 shifts for 1 axes"),
        ("split", {"split_size": 2, "dim": 1}, [(N, H)], "H sets the number of parts and must be fixed"),
        ("split", {"split_size": (2, 3), "dim": 1}, [(N, 6)], "the parts come to 5, the axis has 6"),
        ("chunk", {"chunks": 2, "dim": 1}, [(N, 5)], "5 can't be divided into 2 equal parts"),
        ("rearrange", {"pattern": "N C -> C N"}, [(N, 3, 8)], "begins with 2 axes, [N, 3, 8] has 3"),
        ("rearrange", {"pattern": "N (a b) -> a N b"}, [(N, 6)], "needs the size of `a` or `b`: (a b) is an axis of 6"),
        ("rearrange", {"pattern": "N (a b) -> a N b", "a": 4}, [(N, 6)], "6 can't be split into (a b): a is 4"),
        ("rearrange", {"pattern": "N (a b) -> a N b", "a": 2}, [(N, H)], "H can't be split into (a b): a is 2"),
        ("rearrange", {"pattern": "N (a b) -> a N b", "a": 4, "b": 2}, [(N, 6)], "has (a b), which is 8, for an axis"),
        ("rearrange", {"pattern": "N C -> C N", "c": 4}, [(N, 6)], "the pattern has no axis `c`: N C -> C N"),
        ("rearrange", {"pattern": "N 1 -> N"}, [(N, 6)], "the pattern has 1 for an axis of 6"),
        ("interpolate", {}, [(N, 3, 8, 8)], "needs one of size, scale_factor and a second value"),
        ("interpolate", {"scale_factor": 0.7}, [(N, 3, H)], "H is free: 0.7 is no fraction of it by 2, 4, 8"),
        ("interpolate", {"size": 3, "mode": "bilinear"}, [(N, 3, 8)], "needs a value with 4 axes"),
        ("interpolate", {"size": 3, "align_corners": True}, [(N, 3, 8)], "align_corners is not for the mode nearest"),
        ("pad", {"pad": (1, 1, 1)}, [(N, 3)], "pad needs two numbers for each axis, got 3"),
        ("pad", {"pad": (2, 8), "mode": "reflect"}, [(N, 3, 8)], "8 is more than can be reflected of 8"),
        ("pixel_shuffle", {"upscale_factor": 2}, [(N, 6, 8, 8)], "4 must divide the 6 channels"),
        ("attention", {}, [(8,), (8,), (8,)], "needs values with two axes or more, got [8]"),
        ("attention", {}, [(N, 3, 8), (N, 5, 7), (N, 5, 7)], "the queries have 8 elements, the keys 7"),
        ("attention", {}, [(N, 3, 8), (N, 5, 8), (N, 4, 8)], "there are 5 keys and 4 values"),
        ("attention", {}, [(2, 3, 8), (3, 5, 8), (3, 5, 8)], "the operands have sizes 2 and 3"),
        ("attention", {"heads": 3}, [(N, 3, 8)] * 3, "heads 3 must divide the 8 elements"),
        ("attention", {}, [(N, 3, 8)] * 3 + [(N, 1, 4, 3)], "the mask [N, 1, 4, 3] can't be broadcast to the scores"),
        ("attention", {}, [(N, 3, 8)] * 3 + [(3, 3), (4, 3)], "the bias [4, 3] can't be broadcast to the scores"),
        ("attention", {"is_causal": True}, [(N, 3, 8)] * 3 + [(3, 3)], "is_causal goes without a mask: multiply"),
        ("causal_mask", {"size": H - W}, [], "a size of H - W is not positive"),
        ("conv1d", {"out_channels": 8, "kernel_size": 3}, [(N, 3, 9, 9)], "needs a value with 3 axes"),
        ("conv3d", {"out_channels": 8, "kernel_size": (3, 3)}, [(N, 3, 9, 9, 9)], "kernel_size needs 3 numbers"),
        ("avg_pool3d", {"kernel_size": 2, "padding": 1}, [(N, 3, 1, 9, 9)], "a window of 2 must fit into 1 without"),
        ("max_unpool2d", {"kernel_size": 2}, [(N, 3, 4, 4), (N, 2, 4, 4)], "have different shapes"),
        ("max_unpool2d", {"kernel_size": 2}, [(N, 3, 4, 4), (N, 3, 4, 4), (N, 3, 8, 10)], "10 is too far from 8"),
        ("topk", {"k": 3, "dim": 2}, [(N, 3)], "2 is not an axis of [N, 3]"),
        ("gather", {"dim": 1}, [(N, 3), (N, 3, 1)], "[N, 3] and [N, 3, 1] have different numbers of axes"),
        ("gather", {"dim": 0}, [(2, 3), (5, 4)], "along axis 1 there are 3 elements, 4 are taken"),
        ("take", {}, [(N, 5, 4), (N,)], "needs an index with 2 axes, got [N]"),
        ("pick", {}, [(3, 5), (4,)], "there are 3 samples and an index for 4"),
        ("scatter", {"shape": (4, 2)}, [(3,), (3,)], "an index [3] and values [3] give no [4, 2]"),
        ("scatter", {"shape": (4,), "fill": True}, [(3,), (3,)], "fill True is bool, [3] holds float32"),
        ("prod", {"keepdim": True}, [(N, 3)], "keepdim is for one axis: give dim"),
        ("var", {"dim": 1}, [(N, 1)], "needs more than 1 elements, got 1"),
        ("normalize", {"p": 0.0}, [(N, 3)], "p 0.0 is not positive"),
        ("cosine_similarity", {"dim": 2}, [(N, 3), (N, 3)], "2 is not an axis of [N, 3]"),
        ("unflatten", {"dim": 1, "sizes": (2, -1)}, [(N, 5)], "an axis of 5 is no [2, -1]"),
        ("unflatten", {"dim": 1, "sizes": (H, -1)}, [(N, 6)], "6 is no [H, -1]"),
        ("repeat_interleave", {"repeats": H - W, "dim": 0}, [(N, 5)], "repeats H - W is not positive"),
        ("tril", {}, [(N,)], "needs a value with at least 2 axes, got [N]"),
        ("unfold", {"kernel_size": 4}, [(N, 3, 3, 9)], "a window of 4 must fit into 3"),
        ("fold", {"kernel_size": 2, "output_size": 4}, [(N, 6, 9)], "4 elements of a window must divide the 6 rows"),
        ("fold", {"kernel_size": 2, "output_size": 4}, [(N, 8, 5)], "[1, 1, 4, 4] has 9 windows, [N, 8, 5] has 5"),
        ("prelu", {"num_parameters": 2}, [(N, 3, 8)], "num_parameters 2 must be 1 or the 3 channels of [N, 3, 8]"),
        ("hardtanh", {"min_val": 2.0}, [(N, 3)], "min_val 2.0 lies above max_val 1.0"),
        ("sinusoid", {"length": N, "dim": 5}, [], "dim 5 must be even: each sine has its cosine"),
        ("sine_position_2d", {"channels": 6}, [(N, 3, 8, 8)], "4 must divide channels 6"),
        ("masked_conv2d", {"out_channels": 8, "kernel_size": 2, "mask": "A"}, [(N, 3, 8, 8)], "2 has no middle"),
        (
            "masked_conv2d",
            {"out_channels": 8, "kernel_size": 3, "mask": "A", "parts": 3},
            [(N, 3, 8, 8)],
            "parts 3 must divide out_channels 8",
        ),
    ],
)
def test_what_is_refused_says_why(
    name: str, attributes: Attributes, shapes: list[tuple[Size, ...]], message: str
) -> None:
    op = OPS[name].model_validate(attributes)
    operands = [Tensor(shape, "int64" if place == INDEX.get(name) else "float32") for place, shape in enumerate(shapes)]
    said = next(r.message for r in op.requires(*operands) if r.condition is not True)
    assert message in said


def test_constants_of_different_types_differ() -> None:
    """In Python 1, 1.0 and True are equal; what is known of one must not be taken for the others."""
    kinds = {OPS["constant"].model_validate({"value": value}): value for value in (1, 1.0, True, 1)}
    assert [outputs(kind, [])[0].dtype for kind in kinds] == ["int64", "float32", "bool"]


PATTERNS = {
    "a b": "needs one `->`",
    "a -> b -> a": "needs one `->`",
    "a b -> a": "has the axis `b` on the left only",
    "a -> a b": "has the axis `b` on the right only",
    "a a -> a": "has the axis `a` twice on one side",
    "a (b -> a b": "has parentheses that are not closed, or inside others: `a (b`",
    "((a) b) -> a b": "has parentheses that are not closed, or inside others: `((a) b)`",
    "a ... -> ... a": "has `...`, which is no name of an axis",
    "a 2 -> a 2": "has `2`, which is no name of an axis",
}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_what_is_wrong_with_a_pattern(pattern: str) -> None:
    with pytest.raises(ValidationError) as caught:
        OPS["rearrange"].model_validate({"pattern": pattern})
    assert [(error["loc"], error["msg"]) for error in caught.value.errors()] == [(("pattern",), PATTERNS[pattern])]


def test_sizes_that_are_left_are_exact() -> None:
    """What is left of free sizes is written without a division where there is none."""
    image, rows = Tensor((N, 6, H, W)), Tensor((N, (H // 7) * (W // 7), 10))
    cases: list[tuple[str, Attributes, Tensor, tuple[Size, ...]]] = [
        ("reshape", {"shape": (N, -1, H, 2)}, image, (N, 3 * W, H, 2)),
        ("reshape", {"shape": (N * H, -1)}, image, (N * H, 6 * W)),
        ("reshape", {"shape": (-1, (H // 7) * 5)}, rows, (2 * N * (W // 7), (H // 7) * 5)),
        ("rearrange", {"pattern": "N (h w) C -> w N h C", "h": H // 7}, rows, (W // 7, N, H // 7, 10)),
    ]
    for name, attributes, value, shape in cases:
        op = OPS[name].model_validate(attributes)
        assert refused(op, [value]) == []
        assert [kind.shape for kind in outputs(op, [value])] == [shape]


def test_ops_with_other_sizes_differ() -> None:
    ops = {OPS["rearrange"].model_validate({"pattern": "(a b) -> b a", name: 2}) for name in ("a", "b", "a")}
    assert len(ops) == 2


free = st.sampled_from([H, H // 2, H - 1, 2 * H + 1, H - 5, -H, H - H // 3])


@given(
    size=free,
    start=st.one_of(bounds, free),
    stop=st.one_of(bounds, free),
    step=st.one_of(st.sampled_from([None, 1, 2, 3]), free),
    height=st.integers(1, 12),
)
def test_slices_with_free_bounds_are_pythons(
    size: Size, start: Size | None, stop: Size | None, step: Size | None, height: int
) -> None:
    op = OPS["getitem"].model_validate({"index": ((start, stop, step),)})
    at = [None if part is None else int(str(substitute(part, {"H": height}))) for part in (start, stop, step)]
    whole = as_ints(Tensor((substitute(size, {"H": height}),)))
    free_operand = [Tensor((size,))]
    if accepts(op, free_operand, H=height):
        left = len(range(*whole)[at[0] : at[1] : at[2]])
        assert left > 0
        assert substitute(outputs(op, free_operand)[0].shape[0], {"H": height}) == left
