"""`graphc ls`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, TypeAlias

from typer import Argument, Option

from graphc.cli.arguments import Form, Format, complete_spec
from graphc.cli.progress import Progress

if TYPE_CHECKING:
    from graphc.diagnostics import Diagnostic
    from graphc.listing import Entry, Listed

Found: TypeAlias = "Iterator[tuple[Listed, Entry]]"


class Kind(StrEnum):
    """What a list is written as."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"


def ls(
    places: Annotated[
        list[str] | None,
        Argument(
            metavar="SPEC",
            show_default=False,
            autocompletion=complete_spec,
            help="Files, folders, or names of installed specs. [default: all that come with graphc]",
        ),
    ] = None,
    kind: Annotated[Kind, Option("--as", help="What to print.")] = Kind.TEXT,
    _form: Format = Form.HUMAN,
) -> None:
    """List specs and variants with their parameters and MACs.

    MACs and inputs are at the example sizes. What is wrong with a spec goes to stderr; the others are listed all the
    same, and the exit code is 1.

    Example: graphc ls resnet vgg
    """
    from graphc.cli.terminal import tell
    from graphc.diagnostics import SpecError
    from graphc.listing import found

    specs = list(found(places or ()))
    wrong: list[Diagnostic] = []
    with Progress() as progress:
        for lines in _written(kind, specs, _entries(specs, progress, wrong)):
            progress.tell("")
            tell(*lines)
    if wrong:
        raise SpecError(wrong)


def _entries(specs: Sequence[Listed], progress: Progress, wrong: list[Diagnostic]) -> Found:
    """What each variant of each spec comes to; what is wrong is noted."""
    from graphc.listing import entry

    for listed in specs:
        for variant in listed.variants:
            progress.tell(variant or listed.address)
            made = entry(listed, variant)
            wrong += made.wrong
            yield listed, made


def _written(kind: Kind, specs: Sequence[Listed], entries: Found) -> Iterator[Sequence[str]]:
    """The list in some form, in parts that are printed as soon as they are known."""
    match kind:
        case Kind.TEXT:
            yield from _text(specs, entries)
        case Kind.MARKDOWN:
            yield from _markdown(entries)
        case Kind.JSON:
            yield _json(entries)


def _text(specs: Sequence[Listed], entries: Found) -> Iterator[Sequence[str]]:
    """A line a spec with its title, and a line for each of its variants."""
    from graphc.diagnostics import visible

    names = [variant or listed.address for listed in specs for variant in listed.variants]
    width = max(map(len, names), default=0) + 2
    last: Listed | None = None
    yield [f"{'':{width}}  {'parameters':>13}  {'MACs':>15}  inputs"]
    for listed, made in entries:
        if listed is not last:
            yield ["", visible(f"{listed.address}  {listed.heading}".rstrip())]
        last = listed
        params, macs, inputs = _cells(made)
        name = made.variant or listed.address
        yield [visible(f"  {name:{width - 2}}  {params:>13}  {macs:>15}  {inputs}".rstrip())]


def _markdown(entries: Found) -> Iterator[Sequence[str]]:
    """A table, a row a variant."""
    yield ["| spec | parameters | MACs | inputs |", "| --- | ---: | ---: | --- |"]
    for _, made in entries:
        params, macs, inputs = _cells(made)
        yield [f"| `{made.address}` | {params} | {macs} | {inputs} |"]


def _json(entries: Found) -> Sequence[str]:
    """A list of objects."""
    from json import dumps

    return dumps([made.data() for _, made in entries], indent=2, ensure_ascii=False).splitlines()


def _cells(made: Entry) -> tuple[str, str, str]:
    """Parameters, MACs and inputs as texts."""
    if made.wrong:
        return "wrong", "", f"{made.wrong[0].code}: see below"
    inputs = ", ".join(f"{name} [{', '.join(map(str, shape))}]" for name, shape in made.inputs)
    return f"{made.params:,}", "not counted" if made.macs is None else f"{made.macs:,}", inputs
