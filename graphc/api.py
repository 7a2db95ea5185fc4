"""`graphc.compile`: a spec becomes a graph, in Python."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Mapping, Sequence
from os import PathLike, fspath
from typing import TypeAlias, overload

from graphc import library
from graphc.compiler import compile_spec, compile_with_warnings
from graphc.diagnostics import Diagnostic, Source, Span, SpecError, human
from graphc.graph import Graph
from graphc.rewrite import with_taps
from graphc.settings import Settings
from graphc.source import Tree, read_text

Setting: TypeAlias = "str | float | bool | Sequence[Setting] | Mapping[str, Setting] | None"
"""What a parameter can be set to: a number, a list or a mapping; a text is read as behind `--set`."""


class SpecWarning(UserWarning):
    """Something in a spec is not wrong, but worth a look."""


@overload
def compile(
    address: str | PathLike[str],
    *,
    set: Mapping[str, Setting] | None = None,
    size: Mapping[str, int] | None = None,
    taps: Iterable[str] = (),
) -> Graph: ...


@overload
def compile(
    *,
    text: str,
    set: Mapping[str, Setting] | None = None,
    size: Mapping[str, int] | None = None,
    taps: Iterable[str] = (),
) -> Graph: ...


def compile(
    address: str | PathLike[str] | None = None,
    *,
    text: str | None = None,
    set: Mapping[str, Setting] | None = None,
    size: Mapping[str, int] | None = None,
    taps: Iterable[str] = (),
) -> Graph:
    """The checked graph of a spec.

    The spec is named as on the command line (`unet`, `resnet:resnet18`, `specs/unet.yaml`), or is itself the `text`,
    which can use the installed files alone. `set` gives values to its parameters (`{"classes": 10}`) or fixes free
    sizes, `size` sets the example sizes (`{"H": 64}`). Under either, what the spec expects is not checked.

    `taps` are paths of values that are outputs too, under these names and behind the spec's own: `stage.2`, `fc`.

    What is not wrong but worth a look is a `graphc.SpecWarning`, by `warnings.warn`.

    Raises:
        graphc.SpecError: the spec or a setting is wrong; `diagnostics` has all that was found.
        TypeError: neither an address nor a text is given, or both; or a value is nothing that a parameter can be.
        ValueError: there is no value at the path of a tap.
    """
    if (address is None) == (text is None):
        raise TypeError("compile needs an address or a text, and not both")
    try:
        settings = _settings(set or {}, size or {})
        graph, found = _compiled(address, text, settings)
    except SpecError as error:
        error.add_note(_details(error))
        raise error.with_traceback(None) from None
    for finding in found:
        warnings.warn(human(finding), SpecWarning, stacklevel=2)
    return with_taps(graph, taps)


def _compiled(
    address: str | PathLike[str] | None, text: str | None, settings: Settings
) -> tuple[Graph, list[Diagnostic]]:
    if address is not None:
        return compile_with_warnings(fspath(address), settings)
    return compile_spec(library.parse(text or "", "<text>"), None, settings)


def _details(error: SpecError) -> str:
    """What stands below an error's own text in a traceback: source lines, other places and hints."""
    told = [human(diagnostic) for diagnostic in error.diagnostics]
    return told[0].partition("\n")[2] if len(told) == 1 else "\n" + "\n\n".join(told)


def _settings(parameters: Mapping[str, Setting], sizes: Mapping[str, int]) -> Settings:
    """The settings that Python values say."""
    set_ = [_setting("set", *item) for item in parameters.items()]
    sized = [_setting("size", *item) for item in sizes.items()]
    names = {name: span for name, span, _ in (*set_, *sized)}
    return Settings({name: tree for name, _, tree in set_}, {name: tree for name, _, tree in sized}, names)


def _setting(argument: str, name: str, value: Setting) -> tuple[str, Span, Tree]:
    """A name, its place and its value, as if they were written `name=value`."""
    written = value if isinstance(value, str) else _written(name, value)
    source = Source(argument, f"{name}={written}")
    return name, Span(argument, 1, 1, len(name) + 1, source), read_text(written, argument, f"{name}=")


def _written(name: str, value: Setting) -> str:
    """A value as YAML has it; JSON is that.

    Raises:
        TypeError: it has no form there.
    """
    try:
        return json.dumps(value, allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise TypeError(f"`{name}` can't be set to {value!r}: {error}") from error
