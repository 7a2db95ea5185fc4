"""What a network is made of and what each part costs, as a table; from the graph alone, without torch."""

from __future__ import annotations

from graphc.summary.summary import DEEPEST, Summary, fits, summary
from graphc.summary.table import chosen

__all__ = ["DEEPEST", "Summary", "chosen", "fits", "summary"]
