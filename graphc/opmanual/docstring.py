"""What the docstring of an op's class says: a line, more, and where the op comes from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from inspect import cleandoc

_CODE = re.compile(r"`((?:torch|torchvision|functional|einops)(?:\.\w+)+)[^`]*`")
_PAPER = re.compile(
    r"(?:van den )?[A-Z][a-zé]+(?: & [A-Z][a-z]+| et al\.)? (?:19|20)\d\d(?:, (?:figure |equation )?\d+(?:\.\d+)*)?"
)


@dataclass(frozen=True, slots=True)
class Docstring:
    """The first line, without the sources behind it where they are all that stands in its parentheses; the rest."""

    summary: str
    details: str
    sources: tuple[str, ...]


def docstring(kind: type) -> Docstring:
    """What a class says of itself."""
    whole = cleandoc(kind.__doc__ or "")
    summary, _, details = whole.partition("\n\n")
    return Docstring(" ".join(summary.split()), _flowing(details), tuple(_sources(whole)))


def _sources(text: str) -> list[str]:
    """The functions and modules of libraries, then the papers."""
    code = [
        name.replace("functional.", "torch.nn.functional.") if name[0] == "f" else name for name in _CODE.findall(text)
    ]
    return list(dict.fromkeys((*(f"`{name}`" for name in code), *_PAPER.findall(" ".join(text.split())))))


def _flowing(text: str) -> str:
    """Paragraphs of one line each."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))
