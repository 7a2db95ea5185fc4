"""All benchmarks, one after the other: `python benchmarks/run.py [--quick] [--only NAME]`.

Each prints its tables under its name. `--quick` takes few rounds: some minutes instead of an hour. docs/benchmarks.md
says what each measures, and what came of it on one machine.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A script beside this one, and its arguments. `plain`: its tables are text, not Markdown."""

    title: str
    quick: tuple[str, ...]
    full: tuple[str, ...] = ()
    plain: bool = False


BENCHMARKS = {
    "startup": Benchmark("Start-up", ("--rounds", "10")),
    "growth": Benchmark("Scaling to a million nodes", ("--rounds", "1"), ("--million",)),
    "costs": Benchmark("Costs, and the time to a summary", ("--rounds", "3")),
    "module_speed": Benchmark("Modules beside torchvision's", ("--rounds", "4")),
    "onnx_emission": Benchmark("Writing ONNX", ("resnet50", "--rounds", "2")),
    "onnx_latency": Benchmark("Running ONNX", ("resnet50", "--rounds", "10")),
    "drawing": Benchmark("Drawing", ("--rounds", "3")),
    "lines": Benchmark("Lines", ()),
    "diff_edits": Benchmark("Diff: random edits", ("--rounds", "2"), plain=True),
    "diff_scale": Benchmark("Diff: scaling", ("1250",), plain=True),
}
"""By the name of the script."""


def run(name: str, *, quick: bool) -> bool:
    """Runs one, its tables as it prints them; whether it came to its end."""
    found = BENCHMARKS[name]
    fence = "```text\n" if found.plain else ""
    print(f"\n## {found.title}\n\n{fence}", end="", flush=True)
    arguments = found.quick if quick else found.full
    done = subprocess.run([sys.executable, str(FOLDER / f"{name}.py"), *arguments], check=False)
    print("```" if found.plain else "", flush=True)
    return done.returncode == 0


def main() -> int:
    """Runs those asked for; 1 if one fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few rounds")
    parser.add_argument("--only", action="append", choices=list(BENCHMARKS), metavar="NAME", help="repeatable")
    asked = parser.parse_args()
    print(f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}, Python {platform.python_version()}")
    failed = [name for name in asked.only or BENCHMARKS if not run(name, quick=asked.quick)]
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return int(bool(failed))


if __name__ == "__main__":
    raise SystemExit(main())
