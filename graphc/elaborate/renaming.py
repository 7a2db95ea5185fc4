"""The right side of a rule: the names of the file, and what is done with its tensors."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import NoReturn, TypeAlias

from graphc.checkpoint.origins import OPERATIONS, MisfitError, Origin
from graphc.elaborate.build import Build
from graphc.elaborate.evaluate import evaluate
from graphc.elaborate.fitting import Matched
from graphc.elaborate.frame import Frame
from graphc.elaborate.things import Thing, main_value, spoken
from graphc.spec import Formula, Operation, Renaming, Template

Key: TypeAlias = tuple[Formula, tuple[int | str | None, ...]]

_WORD = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True, slots=True)
class Renamer:
    """Says what rules say; `outer` has the names of the file that they see.

    `known` are texts by their expression and what it reads of the left side: most are read for many weights.
    """

    build: Build
    outer: Frame
    known: dict[Key, str] = field(default_factory=dict)

    def origin(self, rule: Renaming, matched: Matched) -> Origin:
        """What a rule says where the names on its left side stand for `matched`.

        Raises:
            Failed: it can't be said; reported.
        """
        if rule.path and isinstance(rule.theirs[0], Operation):
            return self._made(rule.theirs[0], rule, matched)
        return Origin(self._operands(rule.theirs, rule, matched))

    def _operands(
        self, theirs: Iterable[Template | Operation], rule: Renaming, matched: Matched
    ) -> tuple[str | Origin, ...]:
        return tuple(
            self._name(it, matched) if isinstance(it, Template) else self._made(it, rule, matched) for it in theirs
        )

    def _made(self, operation: Operation, rule: Renaming, matched: Matched) -> Origin:
        """What an operation gives."""
        operands = self._operands(operation.operands, rule, matched)
        kind, frame = OPERATIONS[operation.word], self._frame(matched)
        lists = {option.name for option in fields(kind) if option.type != "int"}
        given = {
            name: _numbers(self.build, frame, value) if name in lists else _number(self.build, frame, value)
            for name, value in operation.options.items()
        }
        try:
            return kind(operands, **given)
        except MisfitError as error:
            self.build.fail("E404", str(error), rule.key.span)

    def _frame(self, matched: Matched) -> Frame:
        return Frame(self.outer.block, self.outer.level, self.outer, dict(matched))

    def _name(self, template: Template, matched: Matched) -> str:
        """A name of the file: texts with the values of expressions between them."""
        parts = template.parts
        return "".join(part if isinstance(part, str) else self._text(part, matched) for part in parts)

    def _text(self, formula: Formula, matched: Matched) -> str:
        read = formula.scalar.text[formula.offset : formula.offset + formula.expression.end]
        key = formula, tuple(matched.get(word) for word in _WORD.findall(read))
        text = self.known.get(key)
        if text is None:
            text = self.known[key] = self._evaluated(formula, matched)
        return text

    def _evaluated(self, formula: Formula, matched: Matched) -> str:
        found = main_value(evaluate(self.build, self._frame(matched), formula))
        if isinstance(found, str) or _is_number(found):
            return str(found)
        _refuse(self.build, "a whole number or a text is needed here", found, formula)


def _number(build: Build, frame: Frame, value: Formula | tuple[Formula, ...]) -> int:
    """A whole number."""
    if isinstance(value, tuple):
        build.fail("E404", f"a whole number is needed here, not a list of {len(value)}", value[0].span)
    return _whole(build, evaluate(build, frame, value), value)


def _numbers(build: Build, frame: Frame, value: Formula | tuple[Formula, ...]) -> tuple[int, ...]:
    """Whole numbers, as a list or as an expression that gives one."""
    if isinstance(value, tuple):
        return tuple(_whole(build, evaluate(build, frame, item), item) for item in value)
    found = evaluate(build, frame, value)
    if not isinstance(found, list):
        _refuse(build, "a list is needed here", found, value)
    return tuple(_whole(build, item, value) for item in found)


def _whole(build: Build, found: Thing, formula: Formula) -> int:
    if isinstance(found, int) and not isinstance(found, bool):
        return found
    _refuse(build, "a whole number is needed here", found, formula)


def _is_number(thing: Thing) -> bool:
    return isinstance(thing, int) and not isinstance(thing, bool)


def _refuse(build: Build, message: str, found: Thing, formula: Formula) -> NoReturn:
    build.fail("E404", f"{message}, not {spoken(found)}", formula.at(formula.expression))
