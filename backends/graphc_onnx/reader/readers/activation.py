"""Element-wise functions of one value, softmax and dropout."""

from __future__ import annotations

from math import isclose

from graphc.graph import Value
from graphc.ops import Op, activation, arithmetic, functions
from graphc.ops.choice import LogicalNot
from graphc_onnx.reader.entries import Entry, UnreadError
from graphc_onnx.reader.site import Site, reads, short

PLAIN: dict[str, type[Op]] = {
    "Abs": activation.Abs,
    "Ceil": functions.Ceil,
    "Cos": functions.Cos,
    "Erf": functions.Erf,
    "Exp": activation.Exp,
    "Floor": functions.Floor,
    "HardSwish": activation.Hardswish,
    "Log": activation.Log,
    "Mish": activation.Mish,
    "Neg": arithmetic.Negative,
    "Not": LogicalNot,
    "Reciprocal": functions.Reciprocal,
    "Relu": activation.Relu,
    "Round": functions.Round,
    "Sigmoid": activation.Sigmoid,
    "Sign": functions.Sign,
    "Sin": functions.Sin,
    "Softplus": activation.Softplus,
    "Softsign": functions.Softsign,
    "Sqrt": activation.Sqrt,
    "Tanh": activation.Tanh,
}
"""Operators that are an op of ours, without attributes."""


@reads(*PLAIN)
def function(site: Site) -> Value:
    return site.give(PLAIN[site.operator](), site.value(0))


@reads("Elu")
def elu(site: Site) -> Value:
    return site.give(activation.Elu(alpha=site.real("alpha", 1.0)), site.value(0))


@reads("LeakyRelu")
def leaky_relu(site: Site) -> Value:
    return site.give(activation.LeakyRelu(negative_slope=site.real("alpha", 0.01)), site.value(0))


@reads("Selu")
def selu(site: Site) -> Value:
    usual = isclose(site.real("alpha", 1.67326), 1.67326, rel_tol=1e-4)
    if not usual or not isclose(site.real("gamma", 1.0507), 1.0507, rel_tol=1e-4):
        raise UnreadError("Selu: with other constants than the paper's")
    return site.give(functions.Selu(), site.value(0))


@reads("Gelu")
def gelu(site: Site) -> Value:
    return site.give(activation.Gelu.model_validate({"approximate": site.text("approximate", "none")}), site.value(0))


@reads("HardSigmoid")
def hardsigmoid(site: Site) -> Value:
    """PyTorch's has 1/6; ONNX's own default is 1/5."""
    if not isclose(site.real("alpha", 0.2), 1 / 6, rel_tol=1e-5) or site.real("beta", 0.5) != 0.5:
        raise UnreadError("HardSigmoid: with another slope than PyTorch's")
    return site.give(activation.Hardsigmoid(), site.value(0))


@reads("PRelu")
def prelu(site: Site) -> Value:
    slope = site.stored(1)
    return site.give(functions.Prelu(num_parameters=slope.count), site.value(0), weights=[slope])


@reads("Clip")
def clip(site: Site) -> Value:
    """Within 0 … 6 relu6, within others hardtanh; with one bound, or of whole numbers, clamp."""
    low, high = (_bound(site, *each) for each in ((1, "min"), (2, "max")))
    if site.type(0).dtype != "float32" or low is None or high is None:
        return site.give(activation.Clamp(min=low, max=high), site.value(0))
    if (low, high) == (0, 6):
        return site.give(activation.Relu6(), site.value(0))
    return site.give(functions.Hardtanh(min_val=float(low), max_val=float(high)), site.value(0))


def _bound(site: Site, index: int, attribute: str) -> float | None:
    if site.has(index):
        found = site.known(index).one()
        if not isinstance(found, (int, float)):
            raise UnreadError("Clip: a bound is a free size")
        return short(found) if isinstance(found, float) else found
    return site.real(attribute, 0.0) if attribute in site.attributes else None


@reads("Softmax")
def softmax(site: Site) -> Value:
    return site.give(activation.Softmax(dim=_class_axis(site)), site.value(0))


@reads("LogSoftmax")
def log_softmax(site: Site) -> Value:
    return site.give(activation.LogSoftmax(dim=_class_axis(site)), site.value(0))


def _class_axis(site: Site) -> int:
    """The axis; before opset 13 all from it on are meant, which is the same for the last."""
    rank, axis = site.type(0).rank, site.whole("axis", -1 if site.opset >= 13 else 1)
    if site.opset < 13 and axis % rank != rank - 1:
        raise UnreadError(f"{site.operator}: of opset {site.opset}, over several axes")
    return axis


@reads("Dropout")
def dropout(site: Site) -> Value:
    if len(site.node.output) > 1 and site.node.output[1]:
        raise UnreadError("Dropout: with its mask")
    ratio = site.known(1).one() if site.has(1) else site.real("ratio", 0.5)
    return site.give(activation.Dropout(p=short(float(str(ratio)))), site.value(0))


@reads("Identity")
def identity(site: Site) -> Entry:
    """Another name for the same."""
    return site.entry(0)
