"""What a command line sets: parameters (`--set width=32`) and example sizes (`--size H=512,W=512`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from graphc.diagnostics import Diagnostic, Source, Span, SpecError
from graphc.source import Tree, read_text


@dataclass(frozen=True, slots=True)
class Settings:
    """Parameters and sizes by name, each as it was written; `compile` applies them after the variant.

    `names` has the place of each name.
    """

    parameters: dict[str, Tree] = field(default_factory=dict)
    sizes: dict[str, Tree] = field(default_factory=dict)
    names: dict[str, Span] = field(default_factory=dict)

    def with_parameters(self, values: Mapping[str, int]) -> Settings:
        """The same with these parameters too."""
        own = read_settings(f"{name}={value}" for name, value in values.items())
        return Settings({**self.parameters, **own.parameters}, self.sizes, {**self.names, **own.names})

    def __bool__(self) -> bool:
        return bool(self.parameters or self.sizes)


NO_SETTINGS = Settings()


def read_settings(parameters: Iterable[str] = (), sizes: Iterable[str] = ()) -> Settings:
    """The settings that texts say: `width=32` each, and `H=512,W=512` each.

    Raises:
        SpecError: a text is not of that form.
    """
    parts = (part for text in sizes for part in text.split(","))
    set_ = [_setting(text, "--set") for text in parameters]
    sized = [_setting(text, "--size") for text in parts]
    names = {name: span for name, span, _ in (*set_, *sized)}
    return Settings({name: tree for name, _, tree in set_}, {name: tree for name, _, tree in sized}, names)


def _setting(text: str, option: str) -> tuple[str, Span, Tree]:
    """The name, its place, and the value."""
    name, sign, value = text.partition("=")
    source = Source(option, text)
    if not (sign and name.strip() and value.strip()):
        span = Span(option, 1, 1, len(text) + 1, source)
        raise SpecError([Diagnostic("E106", f"`{text}` is not of the form name=value", span)])
    return name.strip(), Span(option, 1, 1, len(name) + 1, source), read_text(value, option, f"{name}=")
