"""Values that no operand holds."""

from __future__ import annotations

from graphc.graph import Value
from graphc.ops.source import Arange, Full, NormalLike
from graphc_onnx.reader.entries import Entry, UnreadError, of_tensor
from graphc_onnx.reader.site import Site, constant_of, reads


@reads("Constant")
def constant(site: Site) -> Entry:
    return constant_of(site.tensor("value"), site.node.output[0])


@reads("ConstantOfShape")
def filled(site: Site) -> Value:
    number = of_tensor(site.tensor("value")).one() if "value" in site.attributes else 0.0
    return site.give(Full.model_validate({"shape": site.known(0).sizes, "fill_value": number}))


@reads("Range")
def counted(site: Site) -> Value:
    start, end, step = (site.known(at).one() for at in range(3))
    return site.give(Arange.model_validate({"start": start, "end": end, "step": step}))


@reads("RandomNormalLike")
def random(site: Site) -> Value:
    if site.real("mean", 0.0) != 0 or site.real("scale", 1.0) != 1:
        raise UnreadError("RandomNormalLike: of another distribution")
    return site.give(NormalLike(), site.value(0))
