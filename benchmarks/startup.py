"""Start-up: `graphc check` beside the bare imports of the libraries that graphc stands on, a process each.

`python benchmarks/startup.py [--rounds N]`. Bare is a process that imports pydantic (with one model), typer, PyYAML and
networkx, and ends; check is `graphc check` on a network of one op, and on U-Net. Processor time, in rounds of random
order after one that doesn't count, with bare against itself as the control; medians, and the middle half of the ratios
of one round. Modules are compiled already, as those of what is installed are.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import statistics
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ONE = "graphc: 1\nname: one\ninputs: {image: [1, 3, 8, 8]}\ngraph: [relu]\noutputs: {features: x}\n"
BARE = "from pydantic import BaseModel\nclass One(BaseModel):\n    one: int = 1\nimport networkx, typer, yaml"


def seconds(command: list[str]) -> float:
    """The processor time of a process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    rounds: int = parser.parse_args().rounds
    with TemporaryDirectory() as folder:
        one = Path(folder) / "one.yaml"
        one.write_text(ONE, "utf-8")
        graphc = [sys.executable, "-m", "graphc"]
        commands = {
            "bare": [sys.executable, "-c", BARE],
            "bare again": [sys.executable, "-c", BARE],
            "graphc --version": [*graphc, "--version"],
            "graphc check, one op": [*graphc, "check", str(one)],
            "graphc check unet": [*graphc, "check", "unet"],
        }
        taken: dict[str, list[float]] = {name: [] for name in commands}
        for command in commands.values():
            seconds(command)
        for _ in range(rounds):
            for name in random.sample(list(commands), len(commands)):
                taken[name].append(seconds(commands[name]))
    print("| process | median ms | to bare | middle half |")
    print("| --- | ---: | ---: | --- |")
    for name, times in taken.items():
        ratios = [each / bare for each, bare in zip(times, taken["bare"], strict=True)]
        low, middle, high = statistics.quantiles(ratios)
        print(f"| {name} | {statistics.median(times) * 1000:.0f} | {middle:.2f} | {low:.2f} to {high:.2f} |")


if __name__ == "__main__":
    main()
