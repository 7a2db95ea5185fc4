"""Attention, and the masks that say what it may see."""

from __future__ import annotations

import torch
from hypothesis import strategies as st
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

from graphc.tensor import DType, Tensor
from optable.case import Attributes, Case, Oracle
from optable.drawing import dtypes, flags, one, sizes
from optable.operands import H, W
from optable.oracle import Apply, made
from optable.row import Refusal, Row, Wrong, each, on
from sketch import tensor


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
    causal = flags if not extra else st.just(False)
    scales = st.floats(0.1, 1) | st.floats(-1, -0.1)  # of 0 and what a causal mask hides torch makes NaN
    case = one(st.just(Tensor(())), is_causal_=causal, scale_=scales)
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


QUERY = tensor("N", "H", 6)
KEY = tensor("N", "W", 6)
QUERIES = tensor("N", 3, "H", 5)
KEYS = tensor("N", 3, "W", 5)
VALUES = tensor("N", 3, "W", 4)


ROWS: dict[str, Row] = {
    "attention": Row(
        Oracle(attentions(), lambda a, _: Apply(lambda *operands: attended(a, *operands))),
        settled=[
            *on(
                (QUERIES, KEYS, VALUES),
                {},
                {"scale": 0.3, "dropout_p": 0.2},
                {"is_causal": True},
                {"is_causal": True, "scale": 0.3, "dropout_p": 0.2},
            ),
            *on((QUERY, KEY, tensor("N", "W", 9)), {"heads": 3}, {"heads": 3, "is_causal": True}),
            *on((tensor("H", "W"), tensor("H", "W"), tensor("H", "N")), {}, {"is_causal": True}),
            *each(
                {},
                (QUERIES, KEYS, VALUES, tensor("H", "W")),
                (QUERIES, KEYS, VALUES, tensor(1, 3, "H", 1), tensor("H", "W")),
                (QUERIES, KEYS, VALUES, tensor("H", "W", dtype="bool")),
                (QUERIES, KEYS, VALUES, tensor(1, 3, "H", 1, dtype="bool"), tensor("H", "W")),
                (QUERIES, tensor(3, "W", 5), tensor(1, 1, "W", 5)),
            ),
            *each(
                {"heads": 2},
                (QUERY, KEY, KEY, tensor("N", 1, 1, "W")),
                (QUERY, KEY, KEY, tensor("H", "W"), tensor(2, "H", "W")),
                (QUERY, KEY, KEY, tensor("N", 1, 1, "W", dtype="bool")),
                (QUERY, KEY, KEY, tensor("H", "W", dtype="bool"), tensor(2, "H", "W")),
            ),
            *on((tensor("H", 6), tensor(7, 6), tensor(7, 2)), {"heads": 1}),
        ],
        refused=[
            Refusal({}, (tensor(8), tensor(8), tensor(8)), "needs values with two axes or more, got [8]"),
            Refusal(
                {}, (tensor("N", 3, 8), tensor("N", 5, 7), tensor("N", 5, 7)), "the queries have 8 elements, the keys 7"
            ),
            Refusal({}, (tensor("N", 3, 8), tensor("N", 5, 8), tensor("N", 4, 8)), "there are 5 keys and 4 values"),
            Refusal({}, (tensor(2, 3, 8), tensor(3, 5, 8), tensor(3, 5, 8)), "the operands have sizes 2 and 3"),
            Refusal(
                {"heads": 3},
                (tensor("N", 3, 8), tensor("N", 3, 8), tensor("N", 3, 8)),
                "heads 3 must divide the 8 elements",
            ),
            Refusal(
                {},
                (tensor("N", 3, 8), tensor("N", 3, 8), tensor("N", 3, 8), tensor("N", 1, 4, 3)),
                "the mask [N, 1, 4, 3] can't be broadcast to the scores",
            ),
            Refusal(
                {},
                (tensor("N", 3, 8), tensor("N", 3, 8), tensor("N", 3, 8), tensor(3, 3), tensor(4, 3)),
                "the bias [4, 3] can't be broadcast to the scores",
            ),
            Refusal(
                {"is_causal": True},
                (tensor("N", 3, 8), tensor("N", 3, 8), tensor("N", 3, 8), tensor(3, 3)),
                "is_causal goes without a mask: multiply",
            ),
        ],
        wrong=[
            Wrong({"heads": 0}, "heads should be greater than or equal to 1, got 0"),
            Wrong({"dropout_p": 1.5}, "dropout_p should be less than or equal to 1, got 1.5"),
            Wrong({"is_causal": 1}, "is_causal should be a valid boolean, got 1"),
            Wrong({"scale": float("inf")}, ""),
        ],
    ),
    "causal_mask": Row(
        made(lambda size: torch.ones(size, size, dtype=torch.bool).tril(), size=sizes),
        settled=[
            *on((), {"size": 1}, {"size": 5}),
        ],
        refused=[
            Refusal({"size": H - W}, (), "a size of H - W is not positive"),
        ],
        wrong=[
            Wrong({"size": 0}, "size should be greater than or equal to 1, got 0"),
        ],
    ),
}
