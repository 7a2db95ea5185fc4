"""Shared modules: declared once, used in several places, with their weights where they are declared."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from graphc.elaborate.arguments import read_step
from graphc.elaborate.build import Build
from graphc.elaborate.frame import Frame
from graphc.elaborate.make import make
from graphc.elaborate.parameters import require_arguments
from graphc.elaborate.scopes import define
from graphc.elaborate.things import UNKNOWN, Argument, Arguments, Failed, Shared, Thing
from graphc.spec import Block, Module


def declare(build: Build, modules: Mapping[str, Module], frame: Frame) -> None:
    """Gives the names of shared modules their meaning in a frame, whose parameters and inputs are bound."""
    for module in modules.values():
        try:
            thing: Thing = _shared(build, module, frame)
        except Failed:
            thing = UNKNOWN
        with suppress(Failed):
            if module.name.text in frame.level.used:
                frame.names[module.name.text] = UNKNOWN
                build.fail("E205", f"`{module.name.text}` is already the name of a step or a module", module.name.span)
            define(build, frame, module.name, thing)
            frame.level.keep(module.name.text)


def _shared(build: Build, module: Module, frame: Frame) -> Shared:
    name, level = module.name.text, frame.level
    callee = read_step(build, module.step, frame)
    given = Arguments({key: Argument(thing, module.step.span) for key, thing in callee.arguments.items()})
    if isinstance(callee.target, Block):
        require_arguments(build, callee.target, given, module.step.span)
    else:
        make(build, callee.target, given, module.step.span)
    found = Shared(name, level.home(name), callee, level)
    found.callee = replace(callee, shared=found, from_parameter=False)
    return found
