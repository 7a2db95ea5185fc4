"""Reading YAML: every node knows its place, nothing is too deep or too large, and YAML's traps are refused."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from time import perf_counter

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from graphc.diagnostics import SpecError
from graphc.reader.scalars import plain
from graphc.source import DEEPEST, MOST_BYTES, MOST_NODES, Mapping, Scalar, Sequence, Tree, read_source, read_text

SPECS = Path(__file__).parents[1] / "specs"


def walk(tree: Tree) -> Iterator[Tree]:
    yield tree
    if isinstance(tree, Sequence):
        for item in tree.items:
            yield from walk(item)
    if isinstance(tree, Mapping):
        for key, value in zip(tree.keys.values(), tree.values.values(), strict=True):
            yield key
            yield from walk(value)


def error_of(text: str) -> tuple[str, str, str]:
    """Code, place and message of the one thing wrong with a text."""
    with pytest.raises(SpecError) as caught:
        read_text(text, "a.yaml")
    (found,) = caught.value.diagnostics
    return found.code, f"{found.span.line}:{found.span.column}", f"{found.message} | {found.hint}"


def plain_tree(tree: Tree) -> object:
    """The tree without places: what YAML says, all scalars being texts."""
    if isinstance(tree, Mapping):
        return {key: plain_tree(value) for key, value in tree.values.items()}
    return [plain_tree(item) for item in tree.items] if isinstance(tree, Sequence) else tree.text


# --- places


TEXT = """\
graphc: 1
"quoted key": 'single'   # a comment
größe: {a: 1, "b": [x, y + 1]}
🙂stral: [ü, 🙂b, c]
block: |
  two
  lines
folded: one
  two
empty:
list:
- first
-   second
escaped: "a\\tb"
"""


def test_every_scalar_stands_where_its_span_says() -> None:
    lines = TEXT.split("\n")
    scalars = [node for node in walk(read_text(TEXT, "a.yaml")) if isinstance(node, Scalar)]
    assert len(scalars) == 25
    for scalar in scalars:
        line = lines[scalar.span.line - 1]
        assert 1 <= scalar.span.column <= scalar.span.end <= len(line) + 1
        if scalar.exact:
            assert line[scalar.first - 1 : scalar.first - 1 + len(scalar.text)] == scalar.text
            part = scalar.part(0, len(scalar.text))
            assert line[part.column - 1 : part.end - 1] == scalar.text
        written = line[scalar.span.column - 1 : scalar.span.end - 1]
        assert not scalar.quoted or written[:1] in {"'", '"', "|"}
    assert [s.text for s in scalars if not s.exact] == ["two\nlines\n", "one two", "a\tb"]


def test_lists_and_mappings_begin_where_their_spans_say() -> None:
    found = [node for node in walk(read_text(TEXT, "a.yaml")) if not isinstance(node, Scalar)]
    assert [f"{n.span.line}:{n.span.column}" for n in found] == ["1:1", "3:8", "3:20", "4:9", "12:1"]


def test_windows_line_ends_move_nothing() -> None:
    unix, windows = (list(walk(read_text(text, "a.yaml"))) for text in (TEXT, TEXT.replace("\n", "\r\n")))
    assert [(n.span.line, n.span.column, n.span.end) for n in unix] == [
        (n.span.line, n.span.column, n.span.end) for n in windows
    ]
    assert [n.text for n in unix if isinstance(n, Scalar)] == [n.text for n in windows if isinstance(n, Scalar)]


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    tree = read_text("\ufeffa: 1\n", "a.yaml")
    assert isinstance(tree, Mapping)
    assert list(tree.keys) == ["a"]
    assert tree.keys["a"].span.column == 1
    assert tree.keys["a"].exact


@pytest.mark.parametrize("path", sorted(SPECS.rglob("*.yaml")), ids=lambda path: path.stem)
def test_the_tree_of_a_spec_is_what_pyyaml_reads(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert plain_tree(read_text(text, path.name)) == yaml.load(text, Loader=yaml.BaseLoader)


texts = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Zl", "Zp"), exclude_characters="()"), max_size=30
)
trees: st.SearchStrategy[object] = st.recursive(
    texts, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=12
)


@given(trees, st.booleans())
def test_what_yaml_writes_is_read_back(tree: object, in_brackets: bool) -> None:
    text = yaml.safe_dump(tree, default_flow_style=in_brackets, allow_unicode=True)
    if not any(character in text for character in "\x85\u2028\u2029\ufeff"):
        assert plain_tree(read_text(text, "a.yaml")) == tree


# --- what a scalar means


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-3", -3),
        ("31_030_658", 31030658),
        ("4.09e9", 4.09e9),
        ("1e-5", 1e-5),
        ("true", True),
        ("null", None),
        ("~", None),
        ("yes", "yes"),
        ("on", "on"),
        ("no", "no"),
        ("1:30", "1:30"),
        ("010", 10),
        ("0x10", "0x10"),
        (".5", ".5"),
        (".inf", ".inf"),
        ("3 * width", "3 * width"),
        ("٣", "٣"),
        ("9" * 30, "9" * 30),
        ("1e400", float("inf")),
    ],
)
def test_numbers_and_constants_are_those_of_yaml_1_2(text: str, value: object) -> None:
    tree = read_text(f"[{text}]" if ":" not in text else f"- {text}", "a.yaml")
    assert isinstance(tree, Sequence)
    (scalar,) = tree.items
    assert isinstance(scalar, Scalar)
    assert plain(scalar) == value
    assert type(plain(scalar)) is type(value)


def test_what_is_quoted_is_a_text() -> None:
    tree = read_text("['1', \"true\", '']", "a.yaml")
    assert isinstance(tree, Sequence)
    assert [plain(item) for item in tree.items if isinstance(item, Scalar)] == ["1", "true", ""]


# --- what is refused


REFUSED = [
    ("", "E101", "1:1", "the spec is empty"),
    ("# only a comment\n", "E101", "1:1", "the spec is empty"),
    ("a: [1, 2\n", "E101", "1:4", "close the bracket"),
    ("a: 'b\n", "E101", "1:4", "no closing quote"),
    ("a:\n\tb: 1\n", "E101", "2:1", "indent with spaces"),
    ("a: @b\n", "E101", "1:4", "quote a text that begins with `@`"),
    ("a: %b\n", "E101", "1:4", "quote a text that begins with `%`"),
    ("a: | b\n", "E101", "1:6", "quote a text that begins with `|` or `>`"),
    ("when: > 3\n", "E101", "1:9", "quote a text that begins with `|` or `>`"),
    ("a: - b\n", "E101", "1:4", "a list begins on the line below its key"),
    ("a: 1\n  b: 2\n", "E101", "2:4", "ends with a colon"),
    ("doc: Two convs: each\n", "E101", "1:15", "quote a text that has `: ` in it"),
    ("- relu\n  id: r\n", "E101", "2:5", "a step with keys below it ends with a colon"),
    ("- linear: 10\n    id: r\n", "E101", "2:7", "stand under its first letter"),
    ("- relu:\n    id: r\n   from: x\n", "E101", "3:4", "exactly below each other"),
    ("{l: reversed(lateral[:-1])}\n", "E101", "1:21", "quote a text that has `[`"),
    ("- *.boxes\n", "E101", "1:4", "must be quoted"),
    ("a: 1\rb: 2\n", "E101", "1:5", "U+000D"),
    ("a: 1\u2028b\n", "E101", "1:5", "U+2028"),
    ("a: 1\n\nb: \x85\n", "E101", "3:4", "U+0085"),
    ("a: \x07\n", "E101", "1:4", "U+0007"),
    ("a: \x00\n", "E101", "1:4", "U+0000"),
    ("ab: \ud800\n", "E101", "1:5", "U+D800"),
    ("%YAML 3.0\n---\na: 1\n", "E101", "1:1", "incompatible"),
    ("a: 1\nb: 2\na: 3\n", "E103", "3:1", "already a key of this mapping (line 1)"),
    ("a: {b: 1, 'b': 2}\n", "E103", "1:11", "line 1"),
    ("a: *b\n", "E104", "1:4", "the alias *b stands for nothing before it"),
    ("a: !x 1\n", "E104", "1:4", "write `not`"),
    ("a: ! x\n", "E104", "1:4", "write `not`"),
    ("a: !!python/object:os.system {}\n", "E104", "1:4", "a tag"),
    ("a: !!map\n  b: 1\n", "E104", "1:4", "a tag"),
    ("a: 1\n---\nb: 2\n", "E104", "2:1", "a second document"),
    ("{out_channels: max(1, C // 4)}\n", "E107", "1:16", "`max(1` and `C // 4)`"),
    ("[center_crop(skip, x), x]\n", "E107", "1:2", "quote a text that has a comma"),
    ("? [a]\n: 1\n", "E201", "1:3", "a key must be a text, not a list"),
    ("{{a: 1}: 2}\n", "E201", "1:2", "a key must be a text, not a mapping"),
]


@pytest.mark.parametrize(("text", "code", "place", "says"), REFUSED, ids=[ascii(row[0])[:30] for row in REFUSED])
def test_what_is_refused_is_said_at_its_place(text: str, code: str, place: str, says: str) -> None:
    found = error_of(text)
    assert found[:2] == (code, place)
    assert says in found[2]


def test_brackets_in_texts_are_no_mistake() -> None:
    read_text("{title: 'a (b, c)', doc: (a), f: max(x)}", "a.yaml")
    read_text("title: one (of two\ndoc: two) of two", "a.yaml")


def test_several_mistakes_are_said_together() -> None:
    with pytest.raises(SpecError) as caught:
        read_text("a: 1\nb: !y 2\nc: !z 3\na: 3\n", "a.yaml")
    assert [found.code for found in caught.value.diagnostics] == ["E104", "E104", "E103"]


@given(st.text(st.sampled_from("ab:-[]{}'\"#&*!|>%@` \n\t,?$()\r\ufeff\u2028é")))
def test_any_text_is_a_tree_or_an_error_in_it(text: str) -> None:
    read_or_located(text)


@given(st.text())
def test_so_is_any_text_at_all(text: str) -> None:
    read_or_located(text)


def read_or_located(text: str) -> None:
    lines = text.removeprefix("\ufeff").split("\n")
    for line, column in places(text):
        assert 1 <= line <= len(lines)
        assert 1 <= column <= len(lines[line - 1]) + 1


def places(text: str) -> list[tuple[int, int]]:
    try:
        return [(node.span.line, node.span.column) for node in walk(read_text(text, "a.yaml"))]
    except SpecError as error:
        return [(found.span.line, found.span.column) for found in error.diagnostics]


# --- limits


BOMBS = {
    "brackets": "[" * 100_000,
    "braces": "{a: " * 100_000,
    "dashes": "- " * 100_000,
    "indentation": "".join(" " * n + "a:\n" for n in range(400)),
    "closed brackets": "[" * 100_000 + "]" * 100_000,
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
def test_deep_nesting_is_refused_at_once(text: str) -> None:
    start = perf_counter()
    code, _, says = error_of(text)
    assert code == "E102"
    assert f"nest at most {DEEPEST} deep" in says
    assert perf_counter() - start < 1


def test_large_texts_are_refused() -> None:
    assert error_of("a" * (MOST_BYTES + 1))[0] == "E102"
    assert f"at most {MOST_NODES} YAML nodes" in error_of("[" + "a," * MOST_NODES + "]")[2]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"title: gr\xf6\xdfe")
    (tmp_path / "large.yaml").write_bytes(b"#" * (MOST_BYTES + 1))
    wanted = {"latin.yaml": "E105", "large.yaml": "E102", "missing.yaml": "E105", ".": "E105"}
    found = {}
    for name in wanted:
        with pytest.raises(SpecError) as caught:
            read_source(tmp_path / name, name)
        found[name] = caught.value.diagnostics[0].code
    assert found == wanted


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs a file without an end")
def test_a_file_without_an_end_is_not_read_to_it() -> None:
    with pytest.raises(SpecError):
        read_source(Path(os.sep, "dev", "zero"), "zero")


def test_an_alias_stands_for_its_tree() -> None:
    tree = read_text("a: &it {b: [1, 2]}\nc: *it\nd: [*it, 3]\n", "a.yaml")
    assert isinstance(tree, Mapping)
    assert tree.values["c"] is tree.values["a"]
    inner = tree.values["d"]
    assert isinstance(inner, Sequence)
    assert inner.items[0] is tree.values["a"]


def test_aliases_count_as_what_they_stand_for() -> None:
    """A billion laughs: nine lines that would be 10**9 nodes."""
    lines = ["a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]" for a, b in pairwise("abcdefghi")]
    assert error_of("\n".join(lines))[:2] == ("E102", "5:36")
