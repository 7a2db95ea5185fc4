"""Other sizes of the space that a value covers."""

from __future__ import annotations

from graphc.dims import Size
from graphc.graph import Value
from graphc.ops.resize import Interpolate, Pad, PixelShuffle
from graphc_onnx.reader.entries import Entry, UnreadError
from graphc_onnx.reader.site import Site, reads

MODES = {"constant": "constant", "edge": "replicate", "reflect": "reflect"}
LINEAR = {3: "linear", 4: "bilinear", 5: "trilinear"}
WAYS = {
    ("nearest", "asymmetric", "floor"): ("nearest", None),
    ("nearest", "half_pixel", "round_prefer_ceil"): ("nearest-exact", None),
    ("linear", "half_pixel", ""): ("linear", None),
    ("linear", "pytorch_half_pixel", ""): ("linear", None),
    ("linear", "align_corners", ""): ("linear", True),
    ("cubic", "half_pixel", ""): ("bicubic", None),
    ("cubic", "pytorch_half_pixel", ""): ("bicubic", None),
    ("cubic", "align_corners", ""): ("bicubic", True),
}
"""PyTorch's mode, and whether it aligns the corners, for what ONNX says in three attributes."""


@reads("Pad")
def pad(site: Site) -> Value:
    found, rank = site.sizes(1, "pads"), site.type(0).rank
    axes = site.numbers(3) if site.has(3) else tuple(range(rank))
    mode = MODES.get(site.text("mode", "constant"))
    if found is None or axes is None or mode is None:
        raise UnreadError("Pad: in a mode that PyTorch has not")
    pairs: dict[int, tuple[Size, Size]] = {
        axis % rank: (found[at], found[at + len(axes)]) for at, axis in enumerate(axes)
    }
    first = min((axis for axis, pair in pairs.items() if pair != (0, 0)), default=rank - 1)
    pads = [size for axis in range(rank - 1, first - 1, -1) for size in pairs.get(axis, (0, 0))]
    number = site.known(2).one() if site.has(2) else site.real("value", 0.0)
    return site.give(Pad.model_validate({"pad": tuple(pads), "mode": mode, "value": number or 0}), site.value(0))


@reads("Resize", "Upsample")
def resize(site: Site) -> Entry:
    input = site.value(0)
    way = site.text("mode", "nearest"), site.text("coordinate_transformation_mode", "half_pixel")
    nearest = site.text("nearest_mode", "round_prefer_floor") if way[0] == "nearest" else ""
    found = WAYS.get((*way, nearest))
    if found is None:
        raise UnreadError("Resize: in a way that PyTorch has not")
    mode = LINEAR.get(input.type.rank, "linear") if found[0] == "linear" else found[0]
    op = Interpolate.model_validate({**_wanted(site), "mode": mode, "align_corners": found[1]})
    return site.give(op, input)


def _wanted(site: Site) -> dict[str, object]:
    """The size or the factor of the space."""
    if site.has(3) and site.known(3).array.size:
        return {"size": site.known(3).sizes[2:]}
    factors = [float(each) for each in site.known(2).array.reshape(-1).tolist()]
    if factors[:2] != [1, 1] or len(factors) < 3:
        raise UnreadError("Resize: of the batch or the channels")
    space = tuple(int(each) if each.is_integer() else each for each in factors[2:])
    return {"scale_factor": space[0] if len(set(space)) == 1 else space}


@reads("DepthToSpace")
def pixel_shuffle(site: Site) -> Value:
    if site.text("mode", "DCR") != "CRD":
        raise UnreadError("DepthToSpace: with the channels in another order than PyTorch's")
    return site.give(PixelShuffle(upscale_factor=site.whole("blocksize", 1)), site.value(0))
