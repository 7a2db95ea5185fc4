"""The manual of the ops, from their classes: docs/ops.md and `graphc ops`."""

from __future__ import annotations

from graphc.opmanual.entry import Attribute, Entry, entry
from graphc.opmanual.family import Family, families, own_families
from graphc.opmanual.markdown import markdown
from graphc.opmanual.page import page
from graphc.opmanual.text import text

__all__ = ["Attribute", "Entry", "Family", "entry", "families", "markdown", "own_families", "page", "text"]
