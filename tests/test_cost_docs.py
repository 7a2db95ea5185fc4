"""docs/costs.md: its examples run, and its tables leave no op out."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from graphc.dims import product
from graphc.ops import OPS
from graphc.ops.base import Op
from graphc.tensor import Tensor
from test_cli import Graphc, folder
from test_cli import graphc as graphc_fixture

__all__ = ["folder", "graphc_fixture"]

DOCUMENT = (Path(__file__).parents[1] / "docs" / "costs.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
ROWS = re.findall(r"^\| (.*`.*) \| (.*) \|$", DOCUMENT, re.MULTILINE)
ONE = {name for ops, what in ROWS if re.fullmatch("1|1 of the result", what) for name in re.findall(r"`(\w+)`", ops)}
NONE = {name for ops, what in ROWS if what.startswith("0") for name in re.findall(r"`(\w+)`", ops)} - {"interpolate"}


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_runs(example: str) -> None:
    done = subprocess.run([sys.executable, "-c", example], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
def test_commands_run(graphc_fixture: Graphc, tmp_path: Path) -> None:
    commands = re.findall(r"(?:`|\$ )graphc (summary \w+ --[^`\n]+)", DOCUMENT)
    assert len(commands) == 4
    for command in commands:
        assert graphc_fixture(*command.split()).code == 0
    plots = re.findall(r"`graphc (summary .* --plot (\S+) .*?)`", DOCUMENT)
    assert len(plots) == 2
    for plot, name in plots:
        picture = tmp_path / name
        assert graphc_fixture(*plot.replace(name, str(picture)).split()).code == 0
        assert picture.exists()


def test_every_op_stands_in_the_table() -> None:
    told = {name for ops, _ in ROWS for name in re.findall(r"`(\w+)`", ops)}
    losses = {name for name, op in OPS.items() if op.__module__ == "graphc.ops.loss"}
    assert told >= set(OPS) - losses - {name for name, op in OPS.items() if not op.__module__.startswith("graphc.")}


def test_ops_cost_what_the_table_says() -> None:
    """Those that it gives one operation for each element, and those that it gives none."""
    for name in ONE | NONE:
        op = OPS[name]
        if op.work is Op.work:
            assert op.each == (name in ONE), name
    assert OPS["relu"]().work(Tensor((2, 3))) == product((2, 3))
