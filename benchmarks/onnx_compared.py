"""What the benchmarks share: things done in turns, in random order, and the ratios of their times."""

from __future__ import annotations

import argparse
import random
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import perf_counter

RESAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Asked:
    """The command line of a benchmark."""

    networks: list[str]
    rounds: int


def asked(said: str | None, networks: tuple[str, ...], count: int) -> Asked:
    """Reads `[SPEC…] [--rounds N]`."""
    parser = argparse.ArgumentParser(description=said, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", metavar="SPEC", default=list(networks))
    parser.add_argument("--rounds", type=int, default=count)
    found = parser.parse_args()
    return Asked(found.networks, found.rounds)


def rounds(
    work: Mapping[str, Callable[[], object]], count: int, clock: Callable[[], float] = perf_counter
) -> dict[str, list[float]]:
    """Seconds of each thing in each round; in a round everything is done once, in random order."""
    found: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(count):
        for name in random.sample(list(work), len(work)):
            start = clock()
            work[name]()
            found[name].append(clock() - start)
    return found


def report(title: str, found: Mapping[str, list[float]], base: str) -> None:
    """A table: the median in milliseconds, that of the ratios to `base` in each round, their middle half, and how sure.

    The last column holds 95 % of the medians of samples drawn with replacement.
    """
    count = len(found[base])
    print(f"\n| {title}, {count} rounds | ms | ratio | middle half | 95 % interval of the median |")
    print("| --- | ---: | ---: | --- | --- |")
    for name, seconds in found.items():
        ratios = [own / other for own, other in zip(seconds, found[base], strict=True)]
        quarter, median, last = statistics.quantiles(ratios, method="inclusive") if count > 1 else ratios * 3
        low, high = interval(ratios)
        spread = f"{quarter:.3f} to {last:.3f} | {low:.3f} to {high:.3f}"
        print(f"| {name} | {1000 * statistics.median(seconds):.1f} | {median:.3f} | {spread} |", flush=True)


def interval(ratios: list[float]) -> tuple[float, float]:
    """95 % of the medians of samples drawn with replacement."""
    medians = sorted(statistics.median(random.choices(ratios, k=len(ratios))) for _ in range(RESAMPLES))
    return medians[RESAMPLES // 40], medians[-RESAMPLES // 40]
