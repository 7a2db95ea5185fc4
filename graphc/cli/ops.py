"""`graphc ops`."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

from typer import Argument, BadParameter, Option

if TYPE_CHECKING:
    from graphc.ops import Op


BLOCK = "it is a block that every spec may use: docs/language.md, Standard blocks"


class Kind(StrEnum):
    """What is printed of an op, or of all."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"


def ops(
    name: Annotated[
        str | None, Argument(metavar="NAME", show_default=False, help="An op: all that is known of it.")
    ] = None,
    kind: Annotated[Kind, Option("--as", help="What to print.")] = Kind.TEXT,
) -> None:
    """List the ops, or say all about one.

    That is operands, attributes, shapes, weights, cost, and what backends make of it. The ops of installed packages are
    there too.

    Example: graphc ops conv2d
    """
    from graphc.cli.terminal import tell

    tell(*(_listed(kind) if name is None else _entry(_found(name), kind)))


def _found(name: str) -> type[Op]:
    """The op of that name.

    Raises:
        BadParameter: there is none.
    """
    from graphc.diagnostics import did_you_mean
    from graphc.elaborate.build import ELSEWHERE
    from graphc.library import standard
    from graphc.ops import OPS

    if name not in OPS:
        block = BLOCK if name in standard().blocks else None
        hint = block or ELSEWHERE.get(name) or did_you_mean(name, OPS, "`graphc ops` lists them")
        raise BadParameter(f"no op `{name}`; {hint}", param_hint="NAME")
    return OPS[name]


def _entry(op: type[Op], kind: Kind) -> list[str]:
    """All about one op, as lines."""
    from graphc.cli.terminal import width
    from graphc.opmanual import entry, markdown, text
    from graphc.opmanual.text import WIDTH

    found = entry(op)
    match kind:
        case Kind.MARKDOWN:
            return markdown(found).splitlines()
        case Kind.JSON:
            return [_json(found.data())]
    return text(found, width() or WIDTH).splitlines()


def _listed(kind: Kind) -> list[str]:
    """All ops with a line each, in their families."""
    from graphc.cli.terminal import width
    from graphc.opmanual import families
    from graphc.opmanual.docstring import docstring

    lines = {family.title: {name: docstring(op).summary for name, op in family.ops.items()} for family in families()}
    match kind:
        case Kind.MARKDOWN:
            return list(_as_lists(lines))
        case Kind.JSON:
            return [_json(lines)]
    return list(_as_columns(lines, width()))


def _as_lists(families: dict[str, dict[str, str]]) -> Iterator[str]:
    for number, (title, ops) in enumerate(families.items()):
        yield from ("", f"## {title}", "") if number else (f"## {title}", "")
        yield from (f"- `{name}`: {summary}" for name, summary in ops.items())


def _as_columns(families: dict[str, dict[str, str]], width: int | None) -> Iterator[str]:
    """The names in one column; on a terminal a line is cut at its end."""
    longest = max(len(name) for ops in families.values() for name in ops)
    for number, (title, ops) in enumerate(families.items()):
        yield from ("", title) if number else (title,)
        for name, summary in ops.items():
            yield _cut(f"  {name:{longest}}  {summary.replace('`', '')}", width)


def _cut(line: str, width: int | None) -> str:
    return line if width is None or len(line) <= width else f"{line[: width - 1]}…"


def _json(data: object) -> str:
    from json import dumps

    return dumps(data, indent=2, ensure_ascii=False)
