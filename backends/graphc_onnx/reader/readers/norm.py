"""Normalisation."""

from __future__ import annotations

from graphc.graph import Value
from graphc.ops import norm
from graphc_onnx.reader.entries import UnreadError
from graphc_onnx.reader.site import Site, reads


@reads("BatchNormalization")
def batch_norm(site: Site) -> Value:
    if site.whole("training_mode", 0):
        raise UnreadError("BatchNormalization: in training mode")
    momentum = round(1 - site.real("momentum", 0.9), 7)
    op = norm.BatchNorm(eps=site.real("epsilon", 1e-5), momentum=momentum)
    weights = [site.stored(index) for index in range(1, 5)]
    return site.give(op, site.value(0), weights=weights)


@reads("InstanceNormalization")
def instance_norm(site: Site) -> Value:
    weights = [site.stored(1), site.stored(2)]
    return site.give(norm.InstanceNorm(eps=site.real("epsilon", 1e-5), affine=True), site.value(0), weights=weights)


@reads("GroupNormalization")
def group_norm(site: Site) -> Value:
    op = norm.GroupNorm(num_groups=site.whole("num_groups", 1), eps=site.real("epsilon", 1e-5))
    weights = [site.stored(1), site.stored(2)]
    if weights[0].shape != (site.type(0).channels,):
        raise UnreadError("GroupNormalization: of opset 18, with a scale for each group")
    return site.give(op, site.value(0), weights=weights)


@reads("LayerNormalization")
def layer_norm(site: Site) -> Value:
    input = site.value(0)
    axis = site.whole("axis", -1)
    dims = -axis if axis < 0 else input.type.rank - axis
    weights = [site.stored(index) for index in (1, 2) if site.has(index)]
    if weights[0].shape != input.type.shape[-dims:]:
        raise UnreadError("LayerNormalization: the scale has another shape")
    op = norm.LayerNorm(dims=dims, eps=site.real("epsilon", 1e-5), bias=len(weights) > 1)
    return site.give(op, input, weights=weights)


@reads("LRN")
def local_response_norm(site: Site) -> Value:
    op = norm.LocalResponseNorm(
        size=site.whole("size", 1),
        alpha=site.real("alpha", 1e-4),
        beta=site.real("beta", 0.75),
        k=site.real("bias", 1.0),
    )
    return site.give(op, site.value(0))
