"""docs/ops.md: all ops of graphc, and what each backend makes of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from graphc.opmanual.entry import Entry, entry
from graphc.opmanual.family import Family, own_families
from graphc.opmanual.markdown import markdown, row

HEAD = """# Ops

`graphc ops` lists them, `graphc ops NAME` says the same as here; both know the ops of installed packages too
([own_ops.md](own_ops.md)). All of this is made from the ops' classes and their examples, by `python -m graphc.manual`.

- Each op has an example, one step. *Here* are the types of its operands and what comes of them, in the spec's own free
  sizes; the weights and the cost are those of the example too.
- The cost is that of a forward pass in multiply-accumulates. *free* needs none; *not counted* has no rule.
- An attribute that takes a *size* takes an expression over free sizes too.
- Weights begin as PyTorch's do; [`init`](language.md#initial-values) replaces that.

## What the backends make of them

Each cell is what the backend makes of the example. For ONNX it has the lowest opset that does; other attributes can
need a higher one, which the file then has. The diagram draws every op."""


def page() -> str:
    """The whole document."""
    chapters = [(family, [entry(op) for op in family.ops.values()]) for family in own_families()]
    return "\n".join([HEAD, "", *_table(chapters), *_chapters(chapters)])


def _table(chapters: Sequence[tuple[Family, Sequence[Entry]]]) -> Iterator[str]:
    entries = sorted((found for _, family in chapters for found in family), key=lambda found: found.name)
    names = list(entries[0].backends)
    yield from (row(["op", *names]), row(["---"] * (len(names) + 1)))
    for found in entries:
        yield row([f"[{found.name}](#{found.name})", *found.backends.values()])


def _chapters(chapters: Sequence[tuple[Family, Sequence[Entry]]]) -> Iterator[str]:
    for family, entries in chapters:
        yield from ("", f"## {family.title}", "")
        yield "\n".join(markdown(found, level=3) for found in entries).rstrip("\n")
    yield ""
