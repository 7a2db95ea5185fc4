"""How each op is written in PyTorch, one file a family as in `graphc.ops`. Importing these registers them."""

from __future__ import annotations

from graphc_torch.lowerings import activation, conv, join, linear, norm, pool, shape

__all__ = ["FAMILIES"]

FAMILIES = (activation, conv, join, linear, norm, pool, shape)
"""The modules with lowerings."""
