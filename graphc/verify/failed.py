"""A backend that can't run what was built."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

Fed = TypeVar("Fed")
Found = TypeVar("Found")


class FailedError(Exception):
    """It can't be run: why, for the user, and at which of the sizes."""

    def __init__(self, message: str, at: int = 0) -> None:
        super().__init__(message)
        self.at = at


def each(
    run: Callable[[Fed], Found], feeds: Sequence[Fed], refusals: tuple[type[Exception], ...], who: str
) -> list[Found]:
    """What a run gives for each of the inputs.

    Raises:
        FailedError: one of the refusals was raised, by `who`.
    """
    found: list[Found] = []
    for feed in feeds:
        try:
            found.append(run(feed))
        except refusals as error:
            raise FailedError(f"{who} can't run it: {str(error).strip()}", len(found)) from error
    return found
