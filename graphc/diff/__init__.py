"""The difference of two architectures, as a person would tell it: `docs/diff.md`."""

from __future__ import annotations

from graphc.diff.difference import Diff, diff
from graphc.diff.edits import Edit

__all__ = ["Diff", "Edit", "diff"]
