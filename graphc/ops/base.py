"""What an op is: attributes, operands, what it requires of them, its output, its weights and its cost."""

# No annotations as texts here: pydantic would read those of the base anew for each op, a large part of the start-up.

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from inspect import Parameter, signature
from typing import Annotated, Any, ClassVar, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from graphc.demands import Truth, at_least, equal
from graphc.dims import Dim, Size, product, substitute, symbol, symbols
from graphc.ops.reach import Seen, alike
from graphc.ops.saved import NOTHING, Saved
from graphc.tensor import DType, Tensor, Weight

Count: TypeAlias = Annotated[int, Field(strict=True, ge=1)]
Natural: TypeAlias = Annotated[int, Field(strict=True, ge=0)]
Axis: TypeAlias = Annotated[int, Field(strict=True)]
Flag: TypeAlias = Annotated[bool, Field(strict=True)]
Positive: TypeAlias = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
NotNegative: TypeAlias = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]
Fraction: TypeAlias = Annotated[float, Field(strict=True, ge=0, le=1)]
Symbolic: TypeAlias = Annotated[Dim, WithJsonSchema({"type": "string", "description": "an expression"})]
"""A size that depends on the free sizes of the inputs."""
Extent: TypeAlias = Count | tuple[Count, ...]
"""A size for every spatial axis, or one for all of them."""
Padding: TypeAlias = Natural | tuple[Natural, ...]


KEPT = symbol("?")
"""The size of an output that only the data knows; each node makes a size of its own of it."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """What must hold of an op's operands, the line that says so where it does not, and perhaps what would help."""

    condition: Truth
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Slot:
    """One operand of an op, as `infer` names it, or an input of a block; only that can take a list of values."""

    name: str
    variadic: bool = False
    optional: bool = False
    listed: bool = False


class Op(BaseModel):
    """An operation on tensors. A subclass declares its attributes as fields, named and defaulted as in `torch.nn`.

    `infer` names the operands: one parameter each, `*parameters` for any number, a default of None for an optional one.
    `infer`, `weights` and `macs` may rely on `requires`: they are called only where no requirement is known to fail.
    So may a requirement on those before it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True, arbitrary_types_allowed=True)

    name: ClassVar[str]
    """The op's name in a spec: that of `torch.nn.functional`."""
    main: ClassVar[str | None] = None
    """The attribute that may be written alone: `- linear: 10`."""
    example: ClassVar[str] = ""
    """The arguments of the step that shows it in the manual, as YAML; what is not given has its default."""
    operands: ClassVar[tuple[str, ...]] = ("[N, 8, H, W]",)
    """The operands of that step: `[N, 3, H, W]`, `int64 [N, T]`; the last is that of all further ones that it needs."""
    each: ClassVar[int | None] = None
    """Operations beside the multiply-accumulates for each element of the output; None where there is no rule."""
    keeps: ClassVar[Saved | None] = None
    """What autograd keeps of it for the backward pass; None where there is no rule."""
    view: ClassVar[bool] = False
    """Whether the output lies in the memory of the first operand."""
    detaches: ClassVar[bool] = False
    """Whether no gradient flows back through it."""

    @cached_property
    def settled(self) -> Mapping[str, object]:
        """The attributes by their names, what does the same written alike."""
        return {name: getattr(self, name) for name in type(self).model_fields}

    @property
    def stated(self) -> dict[str, object]:
        """The attributes by their names, as they were given; further ones, where the op takes any."""
        return {name: getattr(self, name) for name in type(self).model_fields} | (self.__pydantic_extra__ or {})

    @cached_property
    def exact(self) -> tuple[object, ...]:
        """The attributes with their types: 0, 0.0 and false are not the same, though Python finds them equal."""
        return type(self), *map(exactly, self.settled.values())

    @property
    def canonical(self) -> tuple[object, ...]:
        """As `exact`, with names that mean nothing outside of the op left out."""
        return self.exact

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Op) and self.exact == other.exact

    def __hash__(self) -> int:
        return hash(self.exact)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """The op with other attributes."""
        copied = super().model_copy(update=update, deep=deep)
        for name in ("exact", "settled"):
            copied.__dict__.pop(name, None)
        return copied

    def requires(self, *operands: Any) -> Iterator[Requirement]:
        """What must hold of the operands."""
        yield from ()

    def prefers(self, *operands: Any) -> Iterator[Requirement]:
        """What should hold so that no part of an operand is left out; `graphc check` prints for which sizes it does."""
        yield from ()

    def infer(self, *operands: Any) -> Tensor | Mapping[str, Tensor]:
        """The type of the output, or those of several outputs by name."""
        raise NotImplementedError(self.name)

    def most(self, *operands: Any) -> "Size | None":
        """The largest that the size `KEPT` of the output can be, which only the data knows; None where it has none."""
        return None

    def weights(self, *operands: Any) -> Mapping[str, Weight]:
        """The tensors that the op owns, by PyTorch's name of each."""
        return {}

    def macs(self, *operands: Any) -> "Size | None":
        """Multiply-accumulate operations of convolutions and matrix products; None where there is no rule."""
        return None

    def work(self, *operands: Any) -> "Size | None":
        """Operations beside the multiply-accumulates, at inference; None where there is no rule (docs/costs.md)."""
        return None if self.each is None else self.each * elements(self.infer(*operands))

    def saved(self, *operands: Any) -> Saved | None:
        """What autograd keeps of it for the backward pass; None where there is no rule."""
        return self.keeps

    def shares(self, training: bool) -> bool:
        """Whether the output lies in the memory of the first operand."""
        return self.view

    def sees(self, *operands: Any) -> "Seen | None":
        """What an element of the output reads along each axis of each operand; None where there is no rule.

        For this one all sizes are numbers, those at the examples.
        """
        return None

    @classmethod
    @cache
    def slots(cls) -> tuple[Slot, ...]:
        """The operands, read from the parameters of `infer`."""
        parameters = list(signature(cls.infer).parameters.values())[1:]
        return tuple(
            Slot(p.name, p.kind is Parameter.VAR_POSITIONAL, p.default is not Parameter.empty) for p in parameters
        )


def exactly(value: object) -> object:
    """A value with its type."""
    if isinstance(value, tuple):
        return tuple(map(exactly, value))
    return type(value), value


class Free(Op):
    """An op without multiply-accumulates: element-wise, pooling, or a change of shape."""

    def macs(self, *operands: Any) -> "Size | None":
        """None are needed: 0."""
        return 0


class Pointwise(Free):
    """An op whose one output is like its one input, each element of it made of the one at the same place."""

    each: ClassVar[int | None] = 1

    def infer(self, input: Tensor) -> Tensor:
        return input

    def sees(self, input: Tensor) -> "Seen | None":
        return (alike(input.rank),)


class Rearranged(Free):
    """An op that makes no number: the elements of its operand, elsewhere."""

    each = 0
    keeps = NOTHING


def named(tensor: Tensor, name: str) -> Tensor:
    """A type with a size of this name for that which only the data knows."""
    return tensor.with_shape(tuple(substitute(size, {str(KEPT): symbol(name)}) for size in tensor.shape))


def elements(output: Tensor | Mapping[str, Tensor]) -> Size:
    """How many elements the output has, or the first of several."""
    return product((output if isinstance(output, Tensor) else next(iter(output.values()))).shape)


def rank(tensor: Tensor, *ranks: int) -> Requirement:
    """The operand has one of these numbers of axes."""
    wanted = " or ".join(map(str, ranks))
    return Requirement(tensor.rank in ranks, f"needs a value with {wanted} axes, got {tensor} with {tensor.rank}")


def holds(tensor: Tensor, *dtypes: DType) -> Requirement:
    """The operand holds elements of one of these types."""
    return Requirement(tensor.dtype in dtypes, f"needs {' or '.join(dtypes)}, got {tensor} of {tensor.dtype}")


FIX = "pool or cut to a fixed size before, or give {} a number in `inputs`"


def fixed(size: Size, tensor: Tensor, what: str) -> Requirement:
    """A size on which the number of weights depends is known."""
    message = f"{what} of {tensor} sets the number of weights and must be fixed"
    names = sorted(symbols(size))
    return Requirement(isinstance(size, int), message, FIX.format(", ".join(names)) if names else "")


def extent(value: int | tuple[int, ...], axes: int) -> tuple[int, ...]:
    """An extent spelled out for each axis."""
    return value if isinstance(value, tuple) else (value,) * axes


def even(attributes: Mapping[str, object], axes: int, *names: str) -> Mapping[str, object]:
    """Attributes in which an extent that is the same along all axes is one number."""
    tuples = {name: value for name in names if isinstance(value := attributes[name], tuple)}
    return {
        **attributes,
        **{name: each[0] for name, each in tuples.items() if len(each) == axes and len(set(each)) == 1},
    }


def extents_fit(tensor: Tensor, **extents: int | tuple[int, ...]) -> Iterator[Requirement]:
    """A list given for the spatial axes has one number for each of them."""
    axes = len(tensor.space)
    for name, value in extents.items():
        length = len(extent(value, axes))
        yield Requirement(length == axes, f"{name} needs {axes} numbers, one an axis, got {length}")


def same_size(left: Size, right: Size, message: str) -> Requirement:
    """Two sizes agree."""
    return Requirement(equal(left, right), message)


def not_smaller(left: Size, right: Size, message: str) -> Requirement:
    """One size is at least the other."""
    return Requirement(at_least(left, right), message)
