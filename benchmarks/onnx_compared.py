"""What the benchmarks of ONNX share: things done in turns, in random order, and the ratios of their times."""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Mapping
from time import perf_counter

RESAMPLES = 2000


def rounds(work: Mapping[str, Callable[[], object]], count: int) -> dict[str, list[float]]:
    """Seconds of each thing in each round; in a round everything is done once, in random order."""
    found: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(count):
        for name in random.sample(list(work), len(work)):
            start = perf_counter()
            work[name]()
            found[name].append(perf_counter() - start)
    return found


def report(title: str, found: Mapping[str, list[float]], base: str) -> None:
    """A table: the median in milliseconds, and that of the ratios to `base`, taken in each round, with its interval."""
    print(f"\n{title:<34} {'ms':>9} {'ratio':>8}   95 % interval")
    for name, seconds in found.items():
        ratios = [own / other for own, other in zip(seconds, found[base], strict=True)]
        low, high = interval(ratios)
        median = statistics.median(ratios)
        print(f"{name:<34} {1000 * statistics.median(seconds):9.1f} {median:8.3f}   {low:.3f} to {high:.3f}")


def interval(ratios: list[float]) -> tuple[float, float]:
    """95 % of the medians of samples drawn with replacement."""
    medians = sorted(statistics.median(random.choices(ratios, k=len(ratios))) for _ in range(RESAMPLES))
    return medians[RESAMPLES // 40], medians[-RESAMPLES // 40]
