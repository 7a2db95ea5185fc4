"""Tree → typed spec. Everything wrong with a file's form is reported in one run; what is wrong is left out."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

from graphc.diagnostics import SpecError
from graphc.reader.file import read_file
from graphc.reader.pieces import Pieces
from graphc.source import Tree
from graphc.spec import Spec

__all__ = ["read"]


def read(tree: Tree, file: str, text: str) -> Spec:
    """The spec that a tree says; `text` is what the tree was made from.

    Raises:
        SpecError: something is wrong with the file's form, and so much that the rest makes no sense; all of it.
    """
    pieces = Pieces(file)
    spec = read_file(pieces, tree, sha256(text.encode()).hexdigest())
    if pieces.lost or spec is None:
        raise SpecError(pieces.found)
    return replace(spec, wrong=tuple(pieces.found))
