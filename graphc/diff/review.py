"""What a pull request changes, as one comment: `python -m graphc.diff.review BASE PATTERN…`, as action.yml runs it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence

from graphc.diagnostics import SpecError, one_line
from graphc.diff.difference import diff
from graphc.graph import Graph

MARK = "<!-- graphc diff -->"
"""By this a comment is found again."""
SUFFIXES = (".yaml", ".yml", ".json", ".onnx")


def review(base: str, patterns: Sequence[str]) -> str:
    """The report on the files that are different from those at a revision; of specs each variant."""
    told = [part for path in _files(base, patterns) for part in _file(base, path)]
    return "\n".join([MARK, *(told or ["No architecture is different."])])


def _files(base: str, patterns: Sequence[str]) -> list[str]:
    """All files that are there now or were there: one that did not change itself may use one that did."""
    now = _git("ls-files", "--", *patterns)
    then = _git("diff", "--name-only", "--relative", base, "--", *patterns)
    return sorted(path for path in {*now, *then} if path.endswith(SUFFIXES))


def _file(base: str, path: str) -> Iterator[str]:
    try:
        before, after = _graphs(f"git:{base}:{path}"), _graphs(f"./{path}")
    except SpecError as error:
        yield f"### `{path}`\n\nNot compared: {one_line(error.diagnostics[0])}\n"
        return
    for name in dict.fromkeys([*before, *after]):
        if name not in after:
            yield f"### `{path}`: `{name}` is gone\n"
        elif name not in before:
            yield f"### `{path}`: `{name}` is new\n\n`{after[name]!r}`\n"
        else:
            made = diff(before[name], after[name], names=(f"{name} before", f"{name} now"))
            if not made.same:
                yield made.markdown()


def _graphs(address: str) -> dict[str, Graph]:
    """The graphs of a file by their names; none where there is no such file, or it is one of blocks."""
    from graphc import library
    from graphc.sources import graph_of

    try:
        if not address.endswith((".yaml", ".yml")):
            return {(graph := graph_of(address)[0]).name: graph}
        spec, _ = library.load(address)
        addresses = [f"{address}:{variant}" for variant in spec.variants] or [address]
        return {graph.name: graph for graph, _ in map(graph_of, addresses)}
    except SpecError as error:
        if {found.code for found in error.diagnostics} <= {"E105", "E203"}:
            return {}
        raise


def _git(*arguments: str) -> list[str]:
    done = subprocess.run(["git", *arguments], capture_output=True, check=True, text=True)
    return done.stdout.splitlines()


if __name__ == "__main__":
    sys.stdout.write(review(sys.argv[1], sys.argv[2:]) + "\n")
