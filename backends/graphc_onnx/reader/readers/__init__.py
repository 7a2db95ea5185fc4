"""What each operator of ONNX becomes, a file a family. Importing these registers them in `site.READERS`."""

from __future__ import annotations

from graphc_onnx.reader.readers import (
    activation,
    arithmetic,
    conv,
    einsum,
    index,
    norm,
    pool,
    reduce,
    resize,
    shape,
    source,
)

FAMILIES = (activation, arithmetic, conv, einsum, index, norm, pool, reduce, resize, shape, source)
"""The modules with readers."""
