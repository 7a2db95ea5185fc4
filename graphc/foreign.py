"""Types of what backends make, by name alone: they exist for type checkers, and nothing here loads torch or onnx."""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = ["ModelProto", "Module"]

if TYPE_CHECKING:
    from onnx import ModelProto
    from torch.nn import Module
