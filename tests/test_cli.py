"""The commands as a person or a script meets them: what they print, where, the files they leave, and the exit codes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest

from graphc import __version__
from graphc.backends import BackendError, backends
from graphc.cli import main
from graphc.diagnostics import Diagnostic, Note, Source, Span, human, one_line, summary

TOP = Path(__file__).parents[1]

TINY = """\
graphc: 1
name: tiny
dims: {N: 1, H: {min: 3, example: 8}, W: 8}
inputs: {image: [N, 3, H, W]}
graph:
  - conv2d: {out_channels: 4, kernel_size: 3}
    id: conv
outputs: {features: conv}
"""
WRONG = TINY.replace("conv2d:", "conv2e:")
STRANGER = """\
SUFFIXES = {".up": "the name in capitals", ".beside": "two files", ".bad": "never written", ".no": "not today"}

def write(graph, path, **options):
    actions[path.suffix](graph, path)

def up(graph, path):
    path.write_text(graph.name.upper())

def beside(graph, path):
    path.write_text("first")
    path.with_name(path.name + ".data").write_text("second")

def bad(graph, path):
    path.write_text("half")
    raise RuntimeError("a bug in the backend")

def no(graph, path):
    from graphc.backends import BackendError
    path.write_text("half")
    raise BackendError("this takes too long; try .up")

actions = {".up": up, ".beside": beside, ".bad": bad, ".no": no}
"""


@dataclass(frozen=True)
class Run:
    """What came of a command."""

    code: object
    out: str
    err: str


Graphc = Callable[..., Run]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a spec that is right and one that is wrong."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.yaml").write_text(TINY)
    (tmp_path / "wrong.yaml").write_text(WRONG)
    return tmp_path


@pytest.fixture
def graphc(folder: Path, capsys: pytest.CaptureFixture[str]) -> Graphc:
    """Runs a command line in that folder."""

    def run(*arguments: str) -> Run:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        captured = capsys.readouterr()
        return Run(ended.value.code or 0, captured.out, captured.err)

    return run


@pytest.fixture
def stranger(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Somebody else's backend is installed."""
    site = tmp_path_factory.mktemp("site")
    install(site, "stranger", STRANGER)
    monkeypatch.syspath_prepend(site)
    yield
    sys.modules.pop("stranger", None)


def install(site: Path, name: str, code: str) -> None:
    """A package with one module that is a backend, as pip would leave it."""
    (site / f"{name}.py").write_text(code)
    info = site / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[graphc.backends]\n{name} = {name}\n")


def files(folder: Path) -> set[str]:
    """Everything in a folder, hidden or not, but the two specs."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*")} - {"tiny.yaml", "wrong.yaml"}


# --- check


def test_check_says_what_unet_needs_and_the_papers_own_tiling_rule(graphc: Graphc) -> None:
    """31,030,658 parameters, H at least 188: issue 2. 16·k + 12: every 2×2 max-pooling on an even size (the paper)."""
    run = graphc("check", "unet")
    assert (run.code, run.err) == (0, "")
    assert re.search(r"^parameters +31,030,658$", run.out, re.MULTILINE)
    assert re.search(r"^MACs +150,428,424,448 for N = 1, H = 572, W = 572$", run.out, re.MULTILINE)
    assert re.search(
        r"^output logits +\[N, 2, H - 184, W - 184\], for example \[1, 2, 388, 388\]$", run.out, re.MULTILINE
    )
    assert "H must be at least 188.\n  No pooling drops a row if H is a multiple of 16 plus 12" in run.out
    assert "What holds for H holds for W." in run.out


def test_check_tells_a_spec_that_declares_more_than_the_graph_needs(graphc: Graphc) -> None:
    run = graphc("check", "resnet")
    assert re.search(r"^parameters +25,557,032$", run.out, re.MULTILINE)
    assert "H may be any size.\n" in run.out
    assert "  The spec declares a multiple of 32; the graph needs less.\n" in run.out


def test_check_tells_what_is_needed_where_the_spec_declares_the_same_or_nothing(graphc: Graphc) -> None:
    """A 3×3 window without padding needs 3 rows."""
    run = graphc("check", "tiny.yaml")
    assert run.out.endswith(
        "N may be any size.\nH must be at least 3.\n  The spec declares the same.\nW must be at least 3.\n"
    )


@pytest.mark.parametrize("spec", ["unet", "resnet", "resnet:resnet18"])
def test_check_fits_into_eighty_columns(graphc: Graphc, spec: str) -> None:
    assert max(map(len, graphc("check", spec).out.splitlines())) <= 80


def test_warnings_go_to_stderr_and_do_not_fail(graphc: Graphc, folder: Path) -> None:
    (folder / "tiny.yaml").write_text(TINY.replace("outputs:", "  - relu:\n    id: lost\noutputs:"))
    run = graphc("check", "tiny.yaml")
    assert run.code == 0
    assert run.out.startswith("tiny\n")
    assert "tiny.yaml:8:5: warning W101: `lost` reaches no output" in run.err


# --- build


def test_build_writes_source_onnx_and_diagram_into_out(graphc: Graphc, folder: Path) -> None:
    run = graphc("build", "tiny.yaml")
    assert (run.code, run.err) == (0, "")
    assert files(folder) == {"out", "out/tiny.py", "out/tiny.onnx", "out/tiny.svg"}
    rows = [line.split() for line in run.out.splitlines()]
    assert [row[0] for row in rows] == ["out/tiny.py", "out/tiny.onnx", "out/tiny.svg"]
    assert all(re.fullmatch(r"\d+(\.\d)?", row[1]) and row[2] in {"bytes", "kB"} for row in rows)


def test_the_default_files_have_the_variants_name(graphc: Graphc, folder: Path) -> None:
    variants = "params: {width: 4}\nvariants: {wide: {width: 8}}\ndims:"
    (folder / "tiny.yaml").write_text(TINY.replace("dims:", variants))
    assert graphc("build", "tiny.yaml:wide").code == 0
    assert files(folder) == {"out", "out/wide.py", "out/wide.onnx", "out/wide.svg"}


@pytest.mark.usefixtures("stranger")
def test_the_suffix_chooses_the_backend_a_strangers_too(graphc: Graphc, folder: Path) -> None:
    run = graphc("build", "tiny.yaml", "-o", "a.up", "-o", "new/b.beside", "--output", "c.py")
    assert run.code == 0
    assert [line.split()[0] for line in run.out.splitlines()] == ["a.up", "new/b.beside", "new/b.beside.data", "c.py"]
    assert (folder / "a.up").read_text() == "TINY"
    assert files(folder) == {"a.up", "c.py", "new", "new/b.beside", "new/b.beside.data"}


def test_a_wrong_spec_writes_nothing_and_changes_nothing(graphc: Graphc, folder: Path) -> None:
    (folder / "out").mkdir()
    (folder / "out" / "tiny.py").write_text("before")
    run = graphc("build", "wrong.yaml")
    assert (run.code, run.out) == (1, "")
    assert "wrong.yaml:6:5: error E401" in run.err
    assert "Traceback" not in run.err
    assert files(folder) == {"out", "out/tiny.py"}
    assert (folder / "out" / "tiny.py").read_text() == "before"


@pytest.mark.usefixtures("stranger")
@pytest.mark.parametrize(("suffix", "code"), [(".no", 2), (".bad", 70)])
def test_if_one_backend_fails_nothing_of_the_others_stays(graphc: Graphc, folder: Path, suffix: str, code: int) -> None:
    (folder / "a.up").write_text("before")
    run = graphc("build", "tiny.yaml", "-o", "a.up", "-o", "new/b.py", "-o", f"c{suffix}")
    assert (run.code, run.out) == (code, "")
    assert files(folder) == {"a.up"}
    assert (folder / "a.up").read_text() == "before"


@pytest.mark.usefixtures("stranger")
def test_what_a_backend_refuses_is_one_line(graphc: Graphc) -> None:
    assert graphc("build", "tiny.yaml", "-o", "c.no").err == "Error: this takes too long; try .up\n"


@pytest.mark.usefixtures("stranger")
def test_only_a_bug_has_a_traceback_and_a_line_that_says_whose_it_is(graphc: Graphc) -> None:
    run = graphc("build", "tiny.yaml", "-o", "c.bad")
    assert run.err.startswith("Traceback")
    assert "RuntimeError: a bug in the backend" in run.err
    assert "bug in graphc, not in your spec" in run.err.splitlines()[-1]


@pytest.mark.usefixtures("stranger")
def test_an_interrupted_build_leaves_nothing(graphc: Graphc, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(graph: object, path: Path) -> None:
        path.write_text("half")
        raise KeyboardInterrupt

    stranger = backends().by_suffix[".up"]
    monkeypatch.setattr(stranger, "write", interrupt)
    run = graphc("build", "tiny.yaml", "-o", "b.py", "-o", "a.up")
    assert (run.code, run.out, run.err) == (130, "", "")
    assert files(folder) == set()


def test_a_name_that_leads_elsewhere_is_no_name_for_a_file(graphc: Graphc, folder: Path) -> None:
    (folder / "tiny.yaml").write_text(TINY.replace("name: tiny", "name: ../../tiny"))
    run = graphc("build", "tiny.yaml")
    assert run.code in {1, 2}
    assert files(folder) == set()


# --- draw


def test_draw_writes_a_diagram_into_out(graphc: Graphc, folder: Path) -> None:
    run = graphc("draw", "tiny.yaml")
    assert (run.code, run.err) == (0, "")
    assert files(folder) == {"out", "out/tiny.svg"}
    assert "<svg" in (folder / "out" / "tiny.svg").read_text()


def test_draw_opens_blocks_to_the_depth(graphc: Graphc, folder: Path) -> None:
    """Deeper shows more; the convolutions inside U-Net's double_conv appear only where it is open."""
    for depth in ("1", "3"):
        assert graphc("draw", "unet", "-o", f"{depth}.dot", "--depth", depth).code == 0
    closed, opened = ((folder / f"{depth}.dot").read_text() for depth in ("1", "3"))
    assert len(closed) < len(opened)


def test_draw_takes_all_that_can_be_asked_of_a_diagram(graphc: Graphc, folder: Path) -> None:
    asked = "--expand bottom --collapse down.1 --show params,macs --direction right --theme dark --training --links http://x/"
    assert graphc("draw", "unet", "-o", "all.dot", *asked.split()).code == 0
    text = (folder / "all.dot").read_text("utf-8")
    wanted = ("rankdir=LR", "14.2M params", "(training)", 'HREF="http://x/unet.yaml#L', "#1B1B1F")
    assert all(part in text for part in wanted)
    assert graphc("draw", "unet", "-o", "one.mmd", "--focus", "up.0", "--depth", "1").code == 0
    assert "down.0" not in (folder / "one.mmd").read_text("utf-8")


def test_draw_shows_what_a_network_makes_of_an_image(graphc: Graphc, folder: Path) -> None:
    np.save(folder / "image.npy", np.zeros((3, 8, 8), np.float32))
    assert graphc("build", "tiny.yaml", "-o", "net.safetensors").code == 0
    asked = "--weights net.safetensors --image image.npy --activations conv --channels 2"
    assert graphc("draw", "tiny.yaml", "-o", "seen.svg", *asked.split()).code == 0
    assert (folder / "seen.svg").read_text(encoding="utf-8").count("<image ") == 1


def test_draw_only_draws(graphc: Graphc, folder: Path) -> None:
    run = graphc("draw", "tiny.yaml", "-o", "tiny.py")
    assert run.code == 2
    assert run.err == "Error: `.py` is none of the suffixes .dot, .mmd, .pdf, .png and .svg\n"
    assert files(folder) == set()


# --- a wrong call


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["build", "tiny.yaml", "-o", "x.ony"],
            "`.ony` is none of the suffixes .dot, .mmd, .onnx, .pdf, .png, .py, .safetensors and .svg; did",
        ),
        (
            ["build", "tiny.yaml", "-o", "x"],
            "a file's suffix says what to write: .dot, .mmd, .onnx, .pdf, .png, .py, .safetensors and .svg",
        ),
        (["build", "tiny.yaml", "-o", "x.py", "-o", "./x.py"], "x.py would be written twice"),
        (["build", "tiny.yaml", "-o", "new.py", "-o", "tiny.yaml/x.py"], "can't write tiny.yaml/x.py: Not a directory"),
        (["build", "wrong.yaml", "-o", "x.ony"], "`.ony` is none of the suffixes"),
        (["check", "unett"], "no spec `unett`\n  hint: did you mean `unet`?"),
        (["check", "no.yaml"], "no.yaml: error E105: can't read no.yaml: No such file or directory\n"),
        (["check", "folder.yaml"], "can't read folder.yaml: Is a directory"),
        (["check", "picture.yaml"], "picture.yaml is not UTF-8 text"),
        (["check", "tiny.yaml", "--colour"], "No such option: --colour"),
        (["check"], "Missing argument"),
        (["draw", "tiny.yaml", "--depth", "0"], "--depth"),
        (["draw", "unet", "--focus", "dwn"], "focus: nothing is at `dwn`; did you mean `down`?"),
        (["draw", "unet", "--show", "flops"], "Invalid value for --show: `flops` is none of params, macs"),
        (["chek", "tiny.yaml"], "No such command 'chek'"),
    ],
)
def test_a_wrong_call_is_told_in_short(graphc: Graphc, folder: Path, arguments: list[str], message: str) -> None:
    (folder / "folder.yaml").mkdir()
    (folder / "picture.yaml").write_bytes(b"\x89PNG\r\n\x1a\n\xff")
    run = graphc(*arguments)
    assert (run.code, run.out) == (2, "")
    assert message in run.err
    assert "Traceback" not in run.err
    assert len(run.err.splitlines()) <= 4
    assert files(folder) == {"folder.yaml", "picture.yaml"}


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("", "bad.yaml: error E101"),
        ("graph: [}", "bad.yaml:1:9: error E101"),
        ("name: \x07", "bad.yaml:1:"),
        ("\tname: x", "bad.yaml:1:1: error E101"),
        ("- a\n- b", "bad.yaml:1:1: error E201"),
        ("name: " + "[" * 500, "bad.yaml:1:"),
    ],
)
def test_a_text_that_is_no_spec_is_an_error_at_its_place(
    graphc: Graphc, folder: Path, content: str, place: str
) -> None:
    (folder / "bad.yaml").write_text(content)
    run = graphc("check", "bad.yaml")
    assert (run.code, run.out) == (1, "")
    assert run.err.startswith(place)
    assert "Traceback" not in run.err


# --- backends


def test_a_backend_that_does_not_load_is_told_where_it_is_missed_and_only_there(
    graphc: Graphc, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path_factory.mktemp("site")
    install(site, "broken_backend", "import a_module_that_is_missing")
    monkeypatch.syspath_prepend(site)
    assert graphc("build", "tiny.yaml", "-o", "x.py").code == 0
    run = graphc("build", "tiny.yaml", "-o", "x.broken")
    assert run.code == 2
    assert "the backend `broken_backend` can't be loaded: No module named 'a_module_that_is_missing'" in run.err


def test_two_backends_for_one_suffix_are_refused(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path_factory.mktemp("site")
    install(site, "rival", "SUFFIXES = {'.onnx': 'another'}")
    monkeypatch.syspath_prepend(site)
    with pytest.raises(BackendError, match=r"two backends write \.onnx, one is `rival`"):
        backends()


# --- how diagnostics look


def span(source: str, line: int, column: int, end: int) -> Span:
    return Span("net.yaml", line, column, end, Source("net.yaml", source))


def test_a_diagnostic_quotes_its_line_with_a_caret_the_other_place_and_the_hint() -> None:
    source = "name: net\ngraph: [relv]\n"
    note = Note("the ops are told here", span(source, 1, 1, 5))
    found = Diagnostic("E401", "no op `relv`", span(source, 2, 9, 13), (note,), "did you mean `relu`?")
    assert human(found) == dedent(
        """\
        net.yaml:2:9: error E401: no op `relv`
         2 | graph: [relv]
           |         ^^^^
          = the ops are told here (net.yaml:1:1)
          hint: did you mean `relu`?"""
    )


def test_the_caret_stands_below_wide_characters_and_tabs() -> None:
    """A Chinese character takes two columns, a combining accent none."""
    found = Diagnostic("E202", "no", span("名e\u0301\t: [x]", 1, 7, 8))
    assert human(found).splitlines()[1:] == [" 1 | 名e\u0301\t: [x]", "   |    \t  ^"]


def test_a_long_line_is_cut_around_the_caret() -> None:
    line = "a" * 300 + "HERE" + "b" * 300
    quoted, caret = human(Diagnostic("E202", "no", span(line, 1, 301, 305)), width=60).splitlines()[1:]
    assert max(len(quoted), len(caret)) <= 60
    assert quoted.startswith(" 1 | …a")
    assert quoted.endswith("b…")
    assert quoted[caret.index("^") : caret.rindex("^") + 1] == "HERE"


@pytest.mark.parametrize("source", ["", "name: net", "\n   \n"])
def test_where_there_is_no_line_nothing_is_quoted(source: str) -> None:
    assert human(Diagnostic("E101", "no", span(source, 2, 1, 2))) == "net.yaml:2:1: error E101: no"


def test_where_there_is_no_text_the_place_is_the_file() -> None:
    assert one_line(Diagnostic("E105", "can't read it", span("", 1, 1, 2))) == "net.yaml: error E105: can't read it"


def test_a_spec_can_not_move_the_cursor() -> None:
    found = Diagnostic("E202", "no `\x1b[2J\n`", span("a: \x1b[2J\u202e", 1, 1, 2))
    assert human(found).splitlines()[:2] == ["net.yaml:1:1: error E202: no `␛[2J␊`", " 1 | a: ␛[2J�"]


def test_several_diagnostics_are_apart_and_counted(graphc: Graphc, folder: Path) -> None:
    (folder / "wrong.yaml").write_text(WRONG.replace("name: tiny", "nam: tiny"))
    run = graphc("check", "wrong.yaml")
    blocks = run.err.rstrip().split("\n\n")
    assert all(block.startswith("wrong.yaml:") for block in blocks[:-1])
    assert blocks[-1] == f"{len(blocks) - 1} errors"
    assert len(blocks) > 2


def test_one_diagnostic_is_not_counted(graphc: Graphc) -> None:
    assert "1 error" not in graphc("check", "wrong.yaml").err


def test_errors_and_warnings_are_counted_apart() -> None:
    error = Diagnostic("E202", "no", span("", 1, 1, 2))
    warning = Diagnostic("W101", "hm", span("", 1, 1, 2), severity="warning")
    assert summary([error, warning, error]) == "2 errors, 1 warning"


# --- the process


def process(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, capture_output=True, text=True, env=environment(**variables), check=False, timeout=120
    )


def environment(**variables: str) -> dict[str, str]:
    """This process's environment without what changes how output is written, and with these variables."""
    told = {"NO_COLOR", "FORCE_COLOR", "COLUMNS", "PYTHONUNBUFFERED", "PYTHONIOENCODING", "PYTHONUTF8"}
    return {name: value for name, value in os.environ.items() if name not in told} | variables


def on_terminal(*arguments: str, columns: int, **variables: str) -> str:
    """What a command writes to a terminal."""
    pty = pytest.importorskip("pty")
    master, slave = pty.openpty()
    screen = {"TERM": "xterm-256color", "COLUMNS": str(columns), "LINES": "40"} | variables
    with subprocess.Popen(
        [sys.executable, "-m", "graphc", *arguments], stdin=slave, stdout=slave, stderr=slave, env=environment(**screen)
    ):
        os.close(slave)
        return "".join(_read(master)).replace("\r\n", "\n")


def _read(master: int) -> Iterator[str]:
    while True:
        try:
            data = os.read(master, 4096)
        except OSError:  # Linux says so where others give nothing
            data = b""
        if not data:
            os.close(master)
            return
        yield data.decode()


@pytest.mark.parametrize(
    ("arguments", "absent"),
    [
        (["check", "unet"], {"torch", "onnx", "pygraphviz", "graphviz", "numpy"}),
        (["check", "nope"], {"torch", "onnx", "pygraphviz", "graphviz", "numpy"}),
        (["draw", "unet", "-o", "OUT.svg"], {"torch", "onnx"}),
        (["--version"], {"torch", "onnx", "pydantic", "networkx", "yaml"}),
        (["--help"], {"torch", "onnx", "pydantic", "networkx", "yaml"}),
    ],
)
def test_a_command_loads_only_what_it_needs(tmp_path: Path, arguments: list[str], absent: set[str]) -> None:
    code = dedent(
        """\
        import sys
        from graphc.cli import main
        try:
            main(sys.argv[1:])
        except SystemExit:
            print("loaded:", *sys.modules)
        """
    )
    arguments = [argument.replace("OUT", str(tmp_path / "out")) for argument in arguments]
    loaded = process(sys.executable, "-c", code, *arguments).stdout.rpartition("loaded:")[2].split()
    assert "typer" in loaded
    assert not absent & set(loaded)


def test_version(graphc: Graphc) -> None:
    assert graphc("--version") == Run(0, f"graphc {__version__}\n", "")


@pytest.mark.parametrize("command", ["build", "check", "draw"])
def test_each_command_has_a_short_help_with_an_example_that_runs(graphc: Graphc, command: str) -> None:
    run = graphc(command, "--help")
    (example,) = re.findall(r"^ *Example: graphc (.+)$", run.out, re.MULTILINE)
    assert len(run.out.splitlines()) < 32
    assert graphc(*example.split()).code == 0


COMMANDS = [
    *("build", "check", "verify", "summary", "draw", "diff", "transfer"),
    *("ls", "ops", "expand", "explain", "schema", "new"),
]


def test_the_help_lists_the_commands_in_the_order_of_work_with_a_whole_line_each(graphc: Graphc) -> None:
    text = graphc("--help").out
    listed = text.partition("Commands:\n")[2].partition("\n\n")[0].splitlines()
    assert [line.split()[0] for line in listed] == COMMANDS
    assert all(line.endswith(".") and not line.endswith("...") for line in listed)
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("command", COMMANDS)
def test_a_help_fits_a_screen_and_has_an_example(graphc: Graphc, command: str) -> None:
    lines = graphc(command, "--help").out.splitlines()
    assert len(lines) <= 31
    assert max(map(len, lines)) <= 80
    assert re.search(rf"^  Examples?: graphc {command} ", "\n".join(lines), re.MULTILINE)


def test_an_option_has_one_name_everywhere(graphc: Graphc) -> None:
    """What is written goes to -o, its form is --as, that of errors --format; settings are --set and --size."""
    helps = {command: graphc(command, "--help").out for command in COMMANDS}
    options = {command: set(re.findall(r"(?<![\w-])--?[a-z][\w-]*", text)) for command, text in helps.items()}
    assert {command for command, told in options.items() if "-o" in told} == {
        "build", "draw", "diff", "transfer", "expand", "schema", "new",
    }  # fmt: skip
    assert all("--output" in told for told in options.values() if "-o" in told)
    assert not {"--out", "--json", "--kind", "--param", "--shape"} & set().union(*options.values())
    described = {"check", "build", "summary", "draw", "diff", "verify", "expand"}
    assert {command for command, told in options.items() if {"--set", "--size"} <= told} == described
    assert all("--format" in options[command] for command in described | {"ls", "schema", "transfer"})


def test_without_a_command_the_help_is_shown(graphc: Graphc) -> None:
    run = graphc()
    assert all(command in run.out + run.err for command in ("build", "check", "draw"))


def test_python_m_graphc_is_graphc(folder: Path) -> None:
    assert process(sys.executable, "-m", "graphc", "--version").stdout == f"graphc {__version__}\n"


def test_cli_py_runs_from_a_checkout_that_is_not_installed(folder: Path) -> None:
    """Without site packages' own start-up files an editable installation is not seen, only what graphc depends on."""
    python = [sys.executable, "-S", str(TOP / "cli.py")]
    done = process(*python, "build", "tiny.yaml", "-o", "tiny.py", PYTHONPATH=sysconfig.get_path("purelib"))
    assert (done.returncode, done.stderr) == (0, "")
    assert files(folder) == {"tiny.py"}


@pytest.mark.parametrize("arguments", [["check", "unet"], ["--version"]])
def test_a_closed_pipe_is_no_traceback(arguments: list[str]) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "graphc", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        assert running.stderr.read() == b""
    assert running.returncode == 141


@pytest.mark.parametrize("arguments", [["ops"], ["ops", "conv2d"], ["summary", "tiny.yaml"], ["check", "tiny.yaml"]])
def test_a_stdout_that_is_closed_from_the_start_is_no_bug(folder: Path, arguments: list[str]) -> None:
    command = [sys.executable, "-m", "graphc", *arguments]
    done = process("sh", "-c", 'exec "$@" >&-', "sh", *command)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_results_that_can_not_be_written_are_told() -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "graphc", "check", "unet"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False, env=environment())
    assert (done.returncode, done.stderr) == (2, "Error: can't write the results: No space left on device\n")


def test_a_stream_that_knows_no_such_letter_gets_a_sign_instead(folder: Path) -> None:
    (folder / "tiny.yaml").write_text(TINY.replace("name: tiny", "name: tiny\ntitle: Größe"), "utf-8")
    done = process(sys.executable, "-m", "graphc", "check", "tiny.yaml", PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert done.stdout.startswith("tiny: Gr??e\n")


def test_colour_is_for_terminals(folder: Path) -> None:
    assert "\x1b[" not in process(sys.executable, "-m", "graphc", "check", "wrong.yaml").stderr
    assert "\x1b[" in on_terminal("check", "wrong.yaml", columns=80)


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_who_wants_no_colour_gets_none(folder: Path, variables: dict[str, str]) -> None:
    shown = on_terminal("check", "wrong.yaml", columns=80, **variables)
    assert "error E401" in shown
    assert "\x1b[" not in shown


@pytest.mark.parametrize("columns", [40, 80])
def test_a_terminals_width_is_kept(folder: Path, columns: int) -> None:
    comment = "    #" + " and so on" * 30
    (folder / "wrong.yaml").write_text(WRONG.replace("kernel_size: 3}", "kernel_size: 3}" + comment))
    shown = on_terminal("check", "wrong.yaml", columns=columns, NO_COLOR="1").splitlines()
    assert max(map(len, shown)) <= columns
    quoted, caret = shown[next(i for i, line in enumerate(shown) if line.startswith(" 6 | ")) :][:2]
    assert quoted[caret.index("^") : caret.rindex("^") + 1] == "conv2e"


def test_taps_are_outputs_of_what_is_written(graphc: Graphc, folder: Path) -> None:
    run = graphc("build", "tiny.yaml", "-o", "tiny.py", "--tap", "conv")
    assert (run.code, run.err) == (0, "")
    assert "-> tuple[Tensor, Tensor]:" in (folder / "tiny.py").read_text()


def test_a_wrong_tap_is_a_wrong_call(graphc: Graphc, folder: Path) -> None:
    run = graphc("build", "tiny.yaml", "-o", "tiny.py", "--tap", "konv")
    assert run.code == 2
    assert "no value at `konv`: did you mean `conv`?" in " ".join(run.err.split())
    assert files(folder) == set()


# --- saved graphs


def test_what_expand_writes_the_other_commands_read(graphc: Graphc, folder: Path) -> None:
    assert graphc("expand", "tiny.yaml", "-o", "tiny.json").code == 0
    whole, saved = graphc("check", "tiny.yaml"), graphc("check", "tiny.json")
    assert saved.out == whole.out
    assert graphc("summary", "tiny.json").out == graphc("summary", "tiny.yaml").out
    for address, file in (("tiny.yaml", "a"), ("tiny.json", "b")):
        assert graphc("build", address, "-o", f"{file}.py", "-o", f"{file}.mmd").code == 0
    assert (folder / "a.py").read_text() == (folder / "b.py").read_text()
    assert (folder / "a.mmd").read_text() == (folder / "b.mmd").read_text()


def test_expand_writes_what_the_suffix_says_unless_it_is_told(graphc: Graphc, folder: Path) -> None:
    assert graphc("expand", "tiny.yaml", "-o", "one.json").out.startswith("one.json")
    assert (folder / "one.json").read_text() == graphc("expand", "tiny.yaml", "--as", "json").out
    assert graphc("expand", "tiny.yaml", "-o", "one.yaml").code == 0
    assert (folder / "one.yaml").read_text() == graphc("expand", "tiny.yaml").out
    graphc("expand", "tiny.yaml", "--as", "yaml", "-o", "two.json")
    assert (folder / "two.json").read_text() == (folder / "one.yaml").read_text()


def test_a_saved_graph_has_nothing_to_set(graphc: Graphc, folder: Path) -> None:
    graphc("expand", "tiny.yaml", "-o", "tiny.json")
    run = graphc("check", "tiny.json", "--set", "width=2")
    assert run.code == 2
    assert "`width` can't be set: this is no spec" in run.err
    assert graphc("check", "none.json").code == 2


def test_a_schema_goes_to_a_file(graphc: Graphc, folder: Path) -> None:
    run = graphc("schema", "tiny.yaml", "-o", "tiny.schema.json")
    assert (run.code, run.err) == (0, "")
    assert (folder / "tiny.schema.json").read_text() == graphc("schema", "tiny.yaml").out


# --- narrow terminals, and blocks where ops are asked for


@pytest.mark.parametrize("columns", [30, 60, 80])
def test_a_summary_keeps_to_the_width(columns: int) -> None:
    table = on_terminal("summary", "resnet18", columns=columns, NO_COLOR="1").split("\n\n")[1].splitlines()
    assert len(table) > 10
    assert max(map(len, table)) <= columns
    assert all(re.search(r"(-|parameters|free|\d|─|MACs)$", line) for line in table)


def test_a_block_without_anything_in_order_is_not_called_free(graphc: Graphc, folder: Path) -> None:
    text = "blocks: {one: {graph: [conv2e: 3]}}\ngraph:\n  - relu\n  - do: [one]\n    for: {i: [1, 2]}\n    id: part\n"
    (folder / "wrong.yaml").write_text(TINY.partition("graph:\n")[0] + text + "outputs: {features: x}\n")
    run = graphc("summary", "wrong.yaml")
    assert run.code == 1
    assert re.search(r"^part\b.* -$", run.out, re.MULTILINE)


def test_a_block_is_no_op_and_the_hint_says_so(graphc: Graphc) -> None:
    run = graphc("ops", "conv_bn_relu")
    assert run.code == 2
    assert "it is a block that every spec may use" in " ".join(run.err.split())


def test_empty_names_of_columns_are_passed_over(graphc: Graphc) -> None:
    assert graphc("summary", "tiny.yaml", "--columns", "op, params,").out == (
        graphc("summary", "tiny.yaml", "--columns", "op,params").out
    )


UNUSED = """
graphc: 1
name: unused
inputs: {image: [1, 3, 8, 8], mask: [1, 3, 8, 8]}
graph:
  - relu:
    from: image
"""


def test_findings_as_json_are_one_array_whatever_there_is(graphc: Graphc, folder: Path) -> None:
    (folder / "unused.yaml").write_text(UNUSED)
    clean = graphc("check", "tiny.yaml", "--format", "json")
    assert json.loads(clean.err) == []
    assert "parameters" in clean.out
    warned = graphc("check", "unused.yaml", "--format", "json")
    assert [each["code"] for each in json.loads(warned.err)] == ["W101"]
    assert graphc("check", "tiny.yaml", "--format", "line").err == ""
    assert graphc("check", "tiny.yaml").err == ""
    wrong = graphc("check", "wrong.yaml", "--format", "json")
    assert wrong.code == 1
    assert {each["severity"] for each in json.loads(wrong.err)} == {"error"}
    assert [each["code"] for each in json.loads(graphc("check", "none.yaml", "--format", "json").err)] == ["E105"]
