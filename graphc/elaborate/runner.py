"""What the parts of the elaborator ask of the one that runs steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from graphc.elaborate.build import Build
from graphc.elaborate.frame import Frame, Place
from graphc.elaborate.scopes import Label
from graphc.elaborate.things import Result, Thing
from graphc.graph import Kind
from graphc.spec import Step


class Runner(Protocol):
    """Runs steps. `frame.flow` is what flows into them."""

    build: Build

    def run(self, steps: Sequence[Step], frame: Frame) -> Thing:
        """Runs steps one after the other; what the last one gives."""

    def placed(self, step: Step, frame: Frame, label: Label = "") -> Result:
        """Gives a step its name, then runs it as often as it says."""

    def once(self, step: Step, frame: Frame, place: Place) -> Result:
        """Runs a step at a place."""

    def scoped(self, steps: Sequence[Step], frame: Frame, place: Place, kind: Kind, doc: str = "") -> Result:
        """Runs steps in a scope of their own."""
