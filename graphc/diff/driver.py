"""What git's external diff shows of a spec: `git config diff.graphc.command "graphc diff --git"`.

Git gives the path, and of both sides a file, its object and its mode. The file of a side is a temporary one, outside of
the folder with the files that the spec uses and extends; so it is looked up in which revision the path has that object,
and all is read from there. Git ends a diff if the command fails: what can't be compared is shown as text.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory

from graphc.diagnostics import SpecError, one_line
from graphc.diff.difference import diff
from graphc.graph import Graph

NOTHING = "/dev/null"
PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class _Side:
    """A side of a file's diff: its path in the repository, the file that git gives, and its object."""

    path: str
    file: str
    object: str

    @property
    def is_there(self) -> bool:
        return self.file != NOTHING

    def text(self) -> list[str]:
        """The lines of the file."""
        return Path(self.file).read_text("utf-8", "replace").splitlines() if self.is_there else []


def report(arguments: Sequence[str]) -> list[str]:
    """The lines for what git gives: path, old file, object and mode, new file, object and mode; and a new path.

    Raises:
        ValueError: these are not git's arguments.
    """
    if len(arguments) == 1:
        return [f"* {arguments[0]} is not merged"]
    if len(arguments) < 7:
        raise ValueError("git gives seven arguments: path, old file, hex and mode, new file, hex and mode")
    path, old_file, old_object, _, new_file, new_object, _ = arguments[:7]
    renamed = arguments[7] if len(arguments) > 7 else path
    old, new = _Side(path, old_file, old_object), _Side(renamed, new_file, new_object)
    title = path if path == renamed else f"{path} → {renamed}"
    return [f"graphc diff {title}", *_told(old, new), ""]


def _told(old: _Side, new: _Side) -> Iterator[str]:
    with TemporaryDirectory(prefix="graphc-") as folder:
        try:
            before = _graphs(old, Path(folder) / "old")
            after = _graphs(new, Path(folder) / "new")
        except (SpecError, OSError, subprocess.SubprocessError) as error:
            yield f"not compared as an architecture: {_reason(error)}"
            yield from unified_diff(old.text(), new.text(), f"a/{old.path}", f"b/{new.path}", lineterm="")
            return
        yield from _variants(before, after)


def _variants(before: dict[str, Graph], after: dict[str, Graph]) -> Iterator[str]:
    """The difference of each variant; of those with the same edits once, and the equal ones by name."""
    told: dict[str, list[str]] = {}
    same: list[str] = []
    for name in dict.fromkeys([*after, *before]):
        if name not in before or name not in after:
            graph = (after if name in after else before)[name]
            told.setdefault(_alone(graph, is_new=name in after), []).append(name)
            continue
        made = diff(before[name], after[name], names=(f"a/{name}", f"b/{name}"))
        if made.same:
            same.append(name)
        else:
            key = "\n".join(edit.text for edit in made.edits)
            told.setdefault(key, []).append(name)
            if len(told[key]) == 1:
                told[key].append(made.text())
    for key, names in told.items():
        whole = next((it for it in names if "\n" in it), key)
        variants = [it for it in names if "\n" not in it]
        also = f" ({', '.join(variants[1:])} likewise)" if len(variants) > 1 else ""
        first, _, rest = whole.partition("\n")
        yield from [f"{first}{also}", *rest.splitlines()]
    if same:
        yield f"the same: {', '.join(same)}"


def _alone(graph: Graph, *, is_new: bool) -> str:
    from graphc.cost import parameters

    sign, word = ("+", "new") if is_new else ("-", "removed")
    return f"{sign} {word}: {graph!r}, {parameters(graph.bound())} parameters"


def _graphs(side: _Side, folder: Path) -> dict[str, Graph]:
    """The graphs of a spec by their names: of the default, and of each variant."""
    from graphc import library
    from graphc.sources import graph_of

    if not side.is_there:
        return {}
    address = _address(side, folder)
    suffix = Path(side.path).suffix
    if suffix not in {".yaml", ".yml"}:
        graph, _ = graph_of(address)
        return {graph.name: graph}
    spec, _ = library.load(address)
    graphs = [graph_of(f"{address}:{name}" if name else address)[0] for name in spec.variants or [""]]
    return {graph.name: graph for graph in graphs}


def _address(side: _Side, folder: Path) -> str:
    """Where a side can be read with the files around it."""
    if not side.object.strip("0") or side.file == side.path:
        return f"./{side.path}"
    revision = _revision(side)
    if revision:
        return f"git:{revision}:{side.path}"
    return str(_beside(side, folder))


def _revision(side: _Side) -> str:
    """A revision at which the path has the object; empty where there is none, as of what is staged."""
    candidates = ["HEAD"]
    found = _git("log", "--all", "--max-count=8", "--format=%H %P", f"--find-object={side.object}", "--", side.path)
    candidates += found.split()
    for revision in candidates:
        if _git("rev-parse", "--quiet", "--verify", f"{revision}:./{side.path}").strip().startswith(side.object):
            return revision
    return ""


def _beside(side: _Side, folder: Path) -> Path:
    """The file among copies of the files that are around its path now."""
    around = Path(side.path).parent
    if around.is_dir():
        copytree(around, folder, ignore=_others)
    else:
        folder.mkdir(parents=True)
    place = folder / Path(side.path).name
    place.write_bytes(Path(side.file).read_bytes())
    return place


def _others(place: str, names: list[str]) -> set[str]:
    """What is no spec, and is not copied."""
    folders = {name for name in names if (Path(place) / name).is_dir() and not name.startswith(".")}
    return set(names) - folders - {name for name in names if Path(name).suffix in {".yaml", ".yml"}}


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], capture_output=True, check=False, timeout=PATIENCE)
    return done.stdout.decode(errors="replace")


def _reason(error: Exception) -> str:
    if isinstance(error, SpecError):
        return one_line(error.diagnostics[0])
    return str(error)
