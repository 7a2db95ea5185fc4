"""Names of a saved graph, which become attributes and files: only those are taken that a spec could have given."""

from __future__ import annotations

from keyword import iskeyword

from graphc.saved.piece import Piece


def require_name(piece: Piece, name: str) -> str:
    """A name of letters, digits and _, in a path or alone; a number counts as one."""
    if not is_name(name):
        piece.fail(f"`{name[:60]}` can't be a name")
    return name


def require_path(piece: Piece) -> str:
    """Names with dots between them."""
    path = piece.text()
    for name in path.split("."):
        require_name(piece, name)
    return path


def is_name(name: str) -> bool:
    """Whether a text is a name, or the number of a copy."""
    return (name.isidentifier() and not iskeyword(name)) or (name.isascii() and name.isdecimal())


def require_keys(piece: Piece) -> Piece:
    """The keys of a mapping are names or paths."""
    for key in piece.entries():
        for name in key.split("."):
            require_name(piece, name)
    return piece


def require_title(piece: Piece) -> str:
    """The name of a graph, which becomes that of a class and of files: letters, digits, _, - and spaces."""
    text = piece.text()
    if not text or not all(sign.isalnum() or sign in "_- " for sign in text):
        piece.fail(f"`{ascii(text)[:60]}` can't stand here")
    return text


def require_line(piece: Piece) -> str:
    """A text that would end no line and no comment: of a file, of a digest."""
    text = piece.text()
    if not text.isprintable() or '"""' in text or "\\" in text:
        piece.fail(f"`{ascii(text)[:60]}` can't stand here")
    return text
