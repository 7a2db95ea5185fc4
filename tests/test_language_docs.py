"""The reference of the language: every example in docs/language.md is run, and nothing of the language is left out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from textwrap import indent
from typing import get_args

import pytest

from graphc import demands, library, loader, parse, source
from graphc.check import check
from graphc.codes import CODES
from graphc.compiler import compile
from graphc.diagnostics import SpecError
from graphc.distributions import DISTRIBUTIONS
from graphc.elaborate import arithmetic, build, elaborate, loops
from graphc.elaborate.functions import FUNCTIONS
from graphc.elaborate.values import OPERATORS
from graphc.extends import OWN
from graphc.graph import Graph
from graphc.reader import blocks, file, parts, pieces, steps
from graphc.settings import read_settings
from graphc.spec import Block, ParameterKind
from graphc.tensor import DType

TOP = Path(__file__).parents[1]
DOCUMENT = (TOP / "docs" / "language.md").read_text(encoding="utf-8")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PROSE = FENCE.sub("", DOCUMENT)
CODE = [code for _, code in re.findall(r"(`+)(.+?)\1", PROSE)]
"""What stands between backticks."""
WORDS = {word for code in CODE for word in re.findall(r"\w+", code)}
MARK = re.compile(r"# (?:error|warning): (\w+)")


@dataclass(frozen=True)
class Example:
    """A YAML block of the document; `line` is where it begins there."""

    line: int
    text: str

    def __str__(self) -> str:
        return f"line {self.line}"

    @property
    def is_whole(self) -> bool:
        return self.text.startswith("graphc: 1\n")

    @property
    def keys(self) -> list[str]:
        """The keys at the top."""
        return re.findall(r"^(\w+):", self.text, re.MULTILINE)

    @property
    def errors(self) -> list[tuple[str, int]]:
        """The codes that are marked, with their lines in the example."""
        lines = enumerate(self.text.split("\n"), 1)
        return [(code, number) for number, line in lines for code in MARK.findall(line)]

    def claim(self, name: str) -> list[str]:
        """What is listed behind `# name:`, in lines of their own."""
        lines = re.findall(rf"^# {name}: (.*)$", self.text, re.MULTILINE)
        return re.findall(r"[^ ,]+", ", ".join(lines))


def examples() -> list[Example]:
    found = [(match, DOCUMENT[: match.start()].count("\n") + 1) for match in FENCE.finditer(DOCUMENT)]
    return [Example(line, match[2]) for match, line in found if match[1] == "yaml"]


EXAMPLES = examples()
WHOLE = {re.findall(r"^name: (\w+)$", it.text, re.MULTILINE)[0]: it for it in EXAMPLES if it.is_whole}
HEAD = dict(re.findall(r"^(\w+): (.*)$", WHOLE["example"].text, re.MULTILINE))
WRONG = [it for it in EXAMPLES if it.errors]
RIGHT = [it for it in EXAMPLES if not it.errors]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All whole specs of the document, each under its name."""
    place = tmp_path_factory.mktemp("specs")
    for name, example in WHOLE.items():
        (place / f"{name}.yaml").write_text(example.text, encoding="utf-8")
    return place


def file_of(example: Example) -> tuple[str, int]:
    """The file that an example stands for, and how many lines are above it there."""
    if example.is_whole:
        return example.text, 0
    text = example.text
    keys = example.keys
    if not keys:
        text, keys = "graph:\n" + indent(text, "  "), ["graph"]
    above = [f"{key}: {value}\n" for key, value in HEAD.items() if key not in (*keys, "graph")]
    below = "" if "graph" in keys else f"graph: {HEAD['graph']}\n"
    return "".join(above) + text + below, len(above) + (keys == ["graph"] and not example.keys)


def graphs(text: str, folder: Path) -> Iterator[Graph]:
    """The graph of each variant of a spec."""
    path = folder / "fragment.yaml"
    path.write_text(text, encoding="utf-8")
    spec = library.load_file(path, path.name)
    for variant in spec.variants or [None]:
        yield elaborate(spec, library.standard(), variant)


def findings(text: str, folder: Path) -> list[tuple[str, int]]:
    """The code and line of all that is found, warnings too."""
    try:
        found = [finding for graph in graphs(text, folder) for finding in check(graph)]
    except SpecError as error:
        found = error.diagnostics
    return sorted(((finding.code, finding.span.line) for finding in found), key=lambda place: place[1])


# --- the examples


def test_nothing_is_skipped() -> None:
    assert DOCUMENT.count("\n```") == 2 * len(FENCE.findall(DOCUMENT))
    assert {language for language, _ in FENCE.findall(DOCUMENT)} == {"yaml", "text"}
    for example in EXAMPLES:
        keys = set(example.keys)
        assert example.is_whole or keys & set(file.FILE_KEYS) or example.text.startswith("- "), example
    assert len(WHOLE) == sum(example.is_whole for example in EXAMPLES)


@pytest.mark.parametrize("example", RIGHT, ids=str)
def test_an_example_is_right_and_comes_to_what_it_says(example: Example, folder: Path) -> None:
    text, _ = file_of(example)
    assert findings(text, folder) == []
    *_, graph = graphs(text, folder)
    paths, weights = example.claim("paths"), example.claim("weights")
    assert not paths or [node.path for node in graph.nodes] == paths
    assert not weights or [path for path, _ in graph.weights()] == weights
    shapes = re.findall(r"^  (\w+): .*# (\[.*\])$", example.text, re.MULTILINE)
    assert len(shapes) == len(re.findall(r"# \[", example.text))
    for name, shape in shapes:
        assert str(graph.outputs[name].type) == shape


@pytest.mark.parametrize("example", WRONG, ids=str)
def test_a_wrong_example_is_found_out_at_its_line(example: Example, folder: Path) -> None:
    text, above = file_of(example)
    assert findings(text, folder) == [(code, line + above) for code, line in example.errors]


# --- the tables


def rows(*header: str) -> list[list[str]]:
    """The cells of the table below a header, without backticks."""
    _, _, after = DOCUMENT.partition(f"| {' | '.join(header)} |\n")
    lines = after.split("\n\n")[0].split("\n")[1:]
    return [[cell.strip().strip("`").strip() for cell in line.strip("|").split(" | ")] for line in lines if line]


def test_each_call_gives_what_the_table_says(folder: Path) -> None:
    table = rows("call", "gives", "that is")
    assert {re.split(r"\W", call)[0] for call, *_ in table} == set(FUNCTIONS)
    for call, gives, _ in table:
        (graph,) = graphs(step_file(f"{{relu: , when: '{call} == {gives}'}}"), folder)
        assert [node.path for node in graph.nodes] == ["relu"], call


TRAPS = rows("written", "code", "instead", "because")


@pytest.mark.parametrize(("written", "code", "instead"), [row[:3] for row in TRAPS])
def test_each_trap_has_its_code_and_a_way_out(written: str, code: str, instead: str, folder: Path) -> None:
    assert [found for found, _ in findings(step_file(written), folder)] == [code]
    assert findings(step_file(instead), folder) == []


def step_file(step: str) -> str:
    return file_of(Example(0, f"- {step}\n"))[0]


@pytest.mark.parametrize("address", [row[0] for row in rows("address", "what it names")])
def test_each_address_leads_somewhere(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(TOP)
    monkeypatch.setattr("sys.stdin", StringIO((TOP / "specs" / "unet.yaml").read_text(encoding="utf-8")))
    needed = ["width=64", "in_channels=256"] if "#" in address else []
    compile(address, read_settings(needed))


LIMITS = [
    (source.MOST_BYTES, "E102"),
    (source.MOST_NODES, "E102"),
    (source.DEEPEST, "E102"),
    (loader.MOST_FILES, "E102"),
    (parse.LONGEST, "E301"),
    (parse.DEEPEST, "E301"),
    (parse.MOST_OPERATORS, "E301"),
    (pieces.LARGEST, "E207"),
    (demands.LONGEST_PERIOD, "E207"),
    (build.LARGEST, "E305"),
    (arithmetic.LARGEST_EXPONENT, "E305"),
    (build.HEAVIEST, "E305"),
    (arithmetic.LONGEST, "E305"),
    (loops.MOST_COPIES, "E305"),
    (build.MOST_NODES, "E305"),
    (build.DEEPEST, "E305"),
    (build.MOST_WORK, "E305"),
]


def test_the_limits_are_those_of_the_code() -> None:
    written = [
        (1 << 62 if number == "2^62" else int(number.replace(",", "")), code)
        for _, number, code in rows("limit", "number", "code")
    ]
    assert written == LIMITS


# --- nothing is left out


def inner_keys() -> Iterator[str]:
    """The keys of small mappings, whose names the readers have no table of."""
    yield from ("example", "multiple", "plus", "min", "shape", "dtype", "list", "optional", "loss", "trains")
    yield from ("title", "authors", "year", "arxiv", "weight", "bias", "let", "do")


@pytest.mark.parametrize(
    "wanted",
    [
        file.FILE_KEYS,
        file.FIGURES,
        blocks.BLOCK_KEYS,
        steps.STEP_KEYS,
        parts.TRAINING_KEYS,
        parts.SAMPLING_KEYS,
        tuple(inner_keys()),
        OWN,
        tuple(FUNCTIONS),
        get_args(ParameterKind),
        get_args(DType),
        tuple(DISTRIBUTIONS),
        tuple(name for kind in DISTRIBUTIONS.values() for name in kind.model_fields),
    ],
)
def test_every_name_of_the_language_is_in_the_reference(wanted: Iterable[str]) -> None:
    assert set(wanted) - WORDS == set()


def test_every_operator_is_in_the_reference() -> None:
    written = {word for code in CODE for word in code.split()}
    assert {*OPERATORS, "and", "or", "not", "if", "else", "for", "in"} - written == set()


def test_every_standard_block_is_in_the_reference() -> None:
    table = {row[0]: row[1] for row in rows("block", "parameters", "what it is")}
    assert table == {name: parameters(block) for name, block in library.standard().blocks.items()}


def parameters(block: Block) -> str:
    """The parameters of a block, as they are written."""
    written = block.span.source.text.split("\n")[block.span.line - 1 : block.span.line + 2]
    (found,) = re.findall(r"params: \{(.*)\}", "\n".join(written))
    return str(found)


def test_codes_and_links_are_there() -> None:
    assert set(re.findall(r"\b[EW]\d{3}\b", DOCUMENT)) <= set(CODES)
    headings = {
        re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-")
        for line in re.findall(r"^#+ (.*)$", DOCUMENT, re.MULTILINE)
    }
    for path, anchor in re.findall(r"\]\(([^)#]*)#?([^)]*)\)", PROSE):
        assert (TOP / "docs" / path).exists() if path else anchor in headings, (path, anchor)
