"""The torch backend on random specs: its module gives the graph's values, its source is clean and always the same."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import torch
import yaml

import graphc_torch
from graphc.compiler import compile
from graphc.diagnostics import SpecError
from graphc.graph import Graph
from interpreter import feeds, random_weights, run_in_torch

Step: TypeAlias = str | dict[str, Any]
COUNT = 150
PLAIN = ("stem", "trunk", "mid", "neck", "mix", "side", "tower", "level", "unit", "head")
NASTY = (
    "zip",
    "range",
    "reversed",
    "torch",
    "nn",
    "functional",
    "Tensor",
    "OrderedDict",
    "x_",
    "output",
    "super",
    "conv2d",
)
BLOCKS = ("cell", "unit", "tensor", "ordered_dict", "stage", "net", "cell2", "self_", "x_")


@dataclass(frozen=True)
class Known:
    """A value that can be read: its text, its channels ("" where no name here gives them), how often it was shrunk."""

    text: str
    channels: str
    level: int = 0


@dataclass(frozen=True)
class Signature:
    """A block that was written: what a call must give it, and what it gives."""

    name: str
    params: Mapping[str, str]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    shrinks: int


@dataclass
class Level:
    """What can be read at one place of a graph."""

    flow: Known
    numbers: list[str]
    flags: list[str]
    values: list[Known] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)
    norm: str = "batch_norm"

    def inside(self, flow: Known) -> Level:
        return Level(flow, [*self.numbers], self.flags, [*self.values], self.taken, self.norm)


class Writer:
    """Draws one spec."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.blocks: list[Signature] = []
        self.nasty = self.chance(0.25)

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def spec(self) -> dict[str, Any]:
        blocks = dict(self.block(name) for name in self.random.sample(BLOCKS, self.random.randint(1, 3)))
        params = {
            "width": self.random.randint(2, 5),
            "deep": self.chance(0.5),
            "widths": self.random.sample(range(2, 7), 3),
        }
        inputs = ["image", "other", "zip"][: self.random.randint(1, 3)]
        known = [Known(name, "3") for name in inputs]
        level = Level(known[0], ["width", "2 * width", "4", "3"], ["deep"], known, {"width", "deep", "widths", *inputs})
        graph = self.steps(level, self.random.randint(2, 6), 2)
        outputs = {"out": "x"} | {
            f"out{i}": value.text for i, value in enumerate(self.some(level.values[len(inputs) :], 2))
        }
        return {
            "graphc": 1,
            "name": "fuzz",
            "dims": {"N": 2, "H": 19, "W": 23},
            "params": params,
            "inputs": {name: ["N", 3, "H", "W"] for name in inputs},
            "blocks": blocks,
            "graph": [*graph, "relu"],
            "outputs": outputs,
        }

    def some(self, values: list[Known], most: int) -> list[Known]:
        return self.random.sample(values, min(len(values), self.random.randint(0, most)))

    def block(self, name: str) -> tuple[str, dict[str, Any]]:
        params: dict[str, Any] = {"width": "int", "kernel": self.random.choice([1, 3]), "deep": self.chance(0.3)}
        kinds = {"width": "number", "kernel": "kernel", "deep": "flag"}
        if self.chance(0.4):
            params["norm"], kinds["norm"] = "batch_norm", "norm"
        if self.chance(0.4):
            params["inner"], kinds["inner"] = "$(width + 2)", "number"
        if self.blocks and self.chance(0.3):
            params["block"], kinds["block"] = "step", "block"
        if self.chance(0.3):
            params["widths"], kinds["widths"] = "list", "list"
        names = self.random.choice([(), ("features",), ("a", "b"), ("x_",), ("torch", "zip")])
        inputs = {text: ["N", channels, "H", "W"] for text, channels in zip(names, ("C", "D"), strict=False)}
        known = [Known(text, channels) for text, channels in zip(names, ("C", "D"), strict=False)]
        numbers = ["width", "2 * width", "max(width, 3)", *(["inner"] if "inner" in params else [])]
        level = Level(known[0] if known else Known("input", ""), numbers, ["deep", "width > 4"], known)
        level.norm = "$norm" if "norm" in params else "batch_norm"
        level.taken = {*params, *names, "C", "D", "N", "H", "W"}
        graph = self.steps(level, self.random.randint(1, 4), 1, kinds)
        shrinks, extra = level.flow.level, [v for v in level.values if v not in known and v.level == level.flow.level]
        outputs = {f"out{i}": value.text for i, value in enumerate(self.some(extra, 1))}
        written = {"params": params, "inputs": inputs, "graph": graph, "outputs": {"main": "x"} | outputs}
        self.blocks.append(Signature(name, kinds, names or ("input",), ("main", *outputs), shrinks))
        return name, {key: value for key, value in written.items() if value and (key != "outputs" or outputs)}

    # --- steps

    def steps(self, level: Level, count: int, depth: int, kinds: Mapping[str, str] | None = None) -> list[Step]:
        written: list[Step] = []
        if not level.flow.channels:
            written += self.convolution(level)
        makers: list[Callable[[Level], list[Step]]] = [
            *(self.convolution, self.convolution, self.plain, self.optional, self.joined, self.called, self.lets)
        ]
        if depth:
            deep = (self.scope, self.loop, self.over_values, self.repeated)
            makers += [partial(make, depth=depth - 1) for make in deep]
        if kinds and "block" in kinds:
            written += self.placed(level)
        if kinds and "widths" in kinds:
            written += self.widths(level)
        for _ in range(count):
            written += self.random.choice(makers)(level)
        return written

    def name(self, level: Level) -> str:
        pool = [name for name in (NASTY if self.nasty and self.chance(0.4) else PLAIN) if name not in level.taken]
        name = self.random.choice(pool) if pool else f"step{len(level.taken)}"
        level.taken.add(name)
        return name

    def kept(self, level: Level, step: dict[str, Any], channels: str, shrinks: int = 0) -> list[Step]:
        """The step, with an id where it may be read later."""
        text = "x"
        if self.chance(0.4):
            text = step["id"] = self.name(level)
        level.flow = Known(text, channels, level.flow.level + shrinks)
        if text != "x":
            level.values.append(level.flow)
        return [step]

    def filter(self, level: Level, channels: str) -> dict[str, Any]:
        kernel = self.random.choice([1, 3])
        if self.chance(0.5):
            arguments: dict[str, Any] = {"out_channels": channels, "kernel_size": kernel}
            if self.chance(0.3):
                arguments["norm"] = level.norm
            return {self.random.choice(["conv_bn", "conv_bn_relu"]): arguments}
        return {"conv2d": {"out_channels": channels, "kernel_size": kernel, "padding": kernel // 2}}

    def convolution(self, level: Level) -> list[Step]:
        channels = self.random.choice(level.numbers)
        return self.kept(level, self.filter(level, channels), channels)

    def plain(self, level: Level) -> list[Step]:
        choices: list[tuple[dict[str, Any], int]] = [
            ({"relu": {}}, 0),
            ({"dropout": 0.2}, 0),
            ({"identity": {}}, 0),
            ({level.norm: {}}, 0),
            ({"max_pool2d": {"kernel_size": 3, "stride": 1, "padding": 1}}, 0),
            ({"max_pool2d": {"kernel_size": 2, "stride": 1}}, 1),
        ]
        step, shrinks = self.random.choice(choices[: 5 if level.flow.level > 3 else 6])
        if self.chance(0.2) and not shrinks:
            same = [value for value in level.values if value.level == level.flow.level]
            if same:
                value = self.random.choice(same)
                level.flow = value
                return self.kept(level, {**step, "from": value.text}, value.channels)
        return self.kept(level, step, level.flow.channels, shrinks)

    def optional(self, level: Level) -> list[Step]:
        """A step that some instances skip."""
        step = self.filter(level, level.flow.channels) if level.flow.channels and self.chance(0.6) else {"relu": {}}
        return self.kept(level, {**step, "when": self.random.choice(level.flags)}, level.flow.channels)

    def crop(self, level: Level, value: Known) -> str:
        return value.text if value.level == level.flow.level else f"center_crop({value.text}, x)"

    def operand(self, level: Level, channels: str) -> Step | list[Step]:
        """An operand of these channels ("" for any): a value, a step or a branch."""
        near = [v for v in level.values if v.level <= level.flow.level and (not channels or v.channels == channels)]
        if near and self.chance(0.4):
            return self.crop(level, self.random.choice(near))
        wanted = channels or self.random.choice(level.numbers)
        step = self.filter(level, wanted)
        if self.chance(0.4):
            sources = [v for v in level.values if v.level == level.flow.level]
            return {**step, "from": self.random.choice(sources).text} if sources and self.chance(0.4) else step
        branch: list[Step] = [step]
        if self.chance(0.6):
            extra: list[Step] = ["relu", {"dropout": 0.1}]
            branch.insert(self.random.randint(0, 1), self.random.choice(extra))
        if self.chance(0.3):
            branch.append({**self.filter(level, wanted), "when": self.random.choice(level.flags)})
        if self.chance(0.2):
            branch.append({"add": {}, "from": ["x", self.filter(level, wanted)]})
        return branch

    def joined(self, level: Level) -> list[Step]:
        channels = level.flow.channels if self.chance(0.5) and level.flow.channels else ""
        count = self.random.randint(1, 3)
        operands = [self.operand(level, channels) for _ in range(count)]
        operands.insert(self.random.randint(0, count), "x")
        op = "add" if channels else "concat"
        if self.chance(0.4):
            return self.kept(level, {op: {}, "from": {self.name(level): operand for operand in operands}}, channels)
        return self.kept(level, {op: {}, "from": operands}, channels)

    def lets(self, level: Level) -> list[Step]:
        name = self.name(level)
        same = [v for v in level.values if v.level == level.flow.level and v.channels == level.flow.channels]
        if same and level.flow.channels and self.chance(0.5):
            value = Known(name, level.flow.channels, level.flow.level)
            other = self.random.choice(same).text
            level.flow = Known("x", value.channels, value.level)
            level.values.append(value)
            text = self.random.choice([f"x + {other}", other, f"{other} + x + {other}"])
            return [{"let": {name: text}}, {"add": {}, "from": [name, "x"]}]
        level.numbers.append(name)
        step = self.filter(level, name)
        number = self.random.choice(level.numbers[:-1])
        return [{"let": {name: f"{number} + 1"}}, *self.kept(level, step, name)]

    # --- blocks

    def arguments(self, level: Level, block: Signature) -> dict[str, Any]:
        draw: dict[str, Callable[[], Any]] = {
            "number": lambda: self.random.choice(level.numbers),
            "kernel": lambda: self.random.choice([1, 3, 3]),
            "flag": lambda: self.random.choice([True, False, *level.flags]),
            "norm": lambda: self.random.choice(["batch_norm", "identity", "relu"]),
            "block": lambda: {self.random.choice(["conv_bn", "conv_bn_relu"]): {"kernel_size": 3}},
            "list": lambda: f"[{', '.join(self.random.choices(level.numbers, k=self.random.randint(2, 3)))}]",
        }
        needed = ("width", "block", "widths")
        return {name: draw[kind]() for name, kind in block.params.items() if name in needed or self.chance(0.4)}

    def called(self, level: Level) -> list[Step]:
        blocks = [block for block in self.blocks if level.flow.level + block.shrinks < 7]
        if not blocks:
            return self.plain(level)
        block = self.random.choice(blocks)
        step: dict[str, Any] = {block.name: self.arguments(level, block)}
        if len(block.inputs) == 2:
            same = [v.text for v in level.values if v.level == level.flow.level]
            second = self.random.choice([*same, {"relu": {}}, [self.filter(level, "3"), "relu"]])
            step["from"] = ["x", second] if self.chance(0.5) else {block.inputs[1]: second, block.inputs[0]: "x"}
        written = self.kept(level, step, "", block.shrinks)
        if "id" in step and len(block.outputs) > 1:
            level.values.append(Known(f"{step['id']}.{block.outputs[1]}", "", level.flow.level))
        if self.chance(0.2) and not block.shrinks and len(block.inputs) == 1:
            step["repeat"] = self.random.randint(1, 3)
            level.values = [v for v in level.values if not v.text.startswith(f"{step.get('id')}.")]
        if self.chance(0.15) and not block.shrinks:
            step["when"] = self.random.choice(level.flags)
            level.values = [v for v in level.values if not v.text.startswith(f"{step.get('id')}.")]
        return written

    def placed(self, level: Level) -> list[Step]:
        channels = self.random.choice(level.numbers)
        return self.kept(level, {"$block": {"out_channels": channels}}, channels)

    def widths(self, level: Level) -> list[Step]:
        step = {**self.filter(level, "w"), "for": {"w": "widths"}}
        return self.kept(level, step, "")

    # --- scopes

    def scope(self, level: Level, depth: int) -> list[Step]:
        inner = level.inside(Known("x", level.flow.channels, level.flow.level))
        body = self.steps(inner, self.random.randint(1, 3), depth)
        name = self.name(level)
        made = [v for v in inner.values if v not in level.values and "." not in v.text and v.text in _ids(body)]
        level.flow = Known(name, "", inner.flow.level)
        level.values += [level.flow, *(Known(f"{name}.{v.text}", "", v.level) for v in made)]
        step: dict[str, Any] = {"do": body, "id": name}
        if self.chance(0.2):
            step["doc"] = "A part with a name."
        return [step]

    def loop(self, level: Level, depth: int) -> list[Step]:
        """A `for` over numbers; what it makes is read from inside."""
        count = self.random.randint(1, 4)
        inner = level.inside(Known("x", "", level.flow.level))
        inner.numbers = ["w", "2 * w", *level.numbers]
        inner.taken.add("w")
        inner.flags = [*level.flags, "w > 4"]
        body = self.steps(inner, self.random.randint(0, 2), depth)
        level.taken.discard("w")
        shrinks = inner.flow.level - level.flow.level
        name = self.name(level)
        numbers = [self.random.choice(level.numbers) for _ in range(count)]
        lists: dict[str, Any] = {"w": f"[{', '.join(numbers)}]" if self.chance(0.6) else f"range(2, {2 + count})"}
        step: dict[str, Any] = {"do": body, "for": lists, "id": name}
        made = [v for v in inner.values if v not in level.values and "." not in v.text and v.text in _ids(body)]
        level.flow = Known(name, "", level.flow.level + shrinks * count)
        written: list[Step] = [step]
        level.values += [Known(f"{name}.{c}.{v.text}", "", v.level) for v in made for c in (0, -1) if not shrinks]
        if not shrinks and self.chance(0.6):
            text = self.random.choice(
                [f"{name}.*", *(f"{name}.*.{v.text}" for v in made if v.level == level.flow.level)]
            )
            written += self.kept(level, {"concat": {}, "from": text}, "")
        if not shrinks and made and self.chance(0.4):
            text = f"reversed({name}.*.{made[0].text})" if self.chance(0.5) else f"{name}.*"
            written.append(self.back_over(level, text))
        return written

    def back_over(self, level: Level, text: str) -> Step:
        """A `for` over the values that another has made."""
        name = self.name(level)
        level.flow = Known(name, "4", level.flow.level)
        level.values.append(level.flow)
        return {"do": [{"concat": {}, "from": ["x", "v"]}, self.filter(level, "4")], "for": {"v": text}, "id": name}

    def over_values(self, level: Level, depth: int) -> list[Step]:
        """A `for` over values, each by itself or with the copy before."""
        same = [v.text for v in level.values if v.level == level.flow.level]
        values = [self.random.choice([*same, "x"]) for _ in range(self.random.randint(1, 3))]
        name = self.name(level)
        lists = {"v": f"[{', '.join(values)}]"}
        if self.chance(0.4):
            lists["w"] = f"[{', '.join(self.random.choice(level.numbers) for _ in values)}]"
        channels = self.random.choice([*level.numbers[:2], *(["w"] if "w" in lists and "w" not in level.taken else [])])
        if "w" in level.taken:
            lists.pop("w", None)
        level.flow = Known(name, "" if channels == "w" else channels, level.flow.level)
        written: list[Step] = [{**self.fed_by(level, channels), "for": lists, "id": name}]
        level.values.append(level.flow)
        if self.chance(0.5):
            op = "concat" if channels == "w" or self.chance(0.5) else "add"
            written += self.kept(level, {op: {}, "from": f"{name}.*"}, level.flow.channels if op == "add" else "")
        return written

    def fed_by(self, level: Level, channels: str) -> dict[str, Any]:
        """A copy of a `for` over the values `v`."""
        if self.chance(0.5):
            return {**self.filter(level, channels), "from": "v"}
        first: Step = {"concat": {}, "from": self.random.choice([["x", "v"], ["v", ["relu"]], ["v", "v"]])}
        return {"do": [first, self.filter(level, channels)]}

    def repeated(self, level: Level, depth: int) -> list[Step]:
        count = self.random.choice([1, 2, 3, "width", "len(widths)" if "widths" in level.taken else 4])
        inner = level.inside(Known("x", "", level.flow.level))
        body = self.steps(inner, 0, 0)
        step: dict[str, Any] = {"do": body, "repeat": count}
        return self.kept(level, step, inner.flow.channels)


def _ids(steps: list[Step]) -> set[str]:
    return {step["id"] for step in steps if isinstance(step, dict) and "id" in step}


class _Dumper(yaml.SafeDumper):
    """Writes what occurs twice twice."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def text_of(seed: int) -> str:
    """The spec of a seed."""
    return yaml.dump(Writer(seed).spec(), Dumper=_Dumper, sort_keys=False, width=100)


def written(path: Path, seeds: range) -> Iterator[tuple[int, Graph]]:
    """The graphs of the seeds; a few of the drawn specs are not valid."""
    for seed in seeds:
        file = path / f"fuzz{seed}.yaml"
        file.write_text(text_of(seed))
        with suppress(SpecError):
            yield seed, compile(str(file))


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """The networks are tiny: threads would only wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def graphs(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Graph]:
    return dict(written(tmp_path_factory.mktemp("fuzz"), range(COUNT)))


@pytest.fixture(scope="module")
def sources(graphs: dict[int, Graph], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source of each graph."""
    folder = tmp_path_factory.mktemp("sources")
    for seed, graph in graphs.items():
        (folder / f"fuzz{seed}.py").write_text(graphc_torch.source(graph))
    return folder


def test_most_drawn_specs_are_valid(graphs: dict[int, Graph]) -> None:
    assert len(graphs) > 0.9 * COUNT


def test_drawn_specs_give_the_values_of_the_graph(graphs: dict[int, Graph]) -> None:
    for seed, graph in graphs.items():
        module = graphc_torch.module(graph).eval()
        found = {name: tuple(value.shape) for name, value in module.state_dict().items()}
        assert found == {path: weight.shape for path, weight in graph.weights()}, seed
        weights = random_weights(graph)
        module.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
        inputs = feeds(graph, graph.examples())
        wanted = run_in_torch(graph, weights, inputs)
        with torch.inference_mode():
            given = module(*map(torch.from_numpy, inputs.values()))
        results = given if isinstance(given, tuple) else (given,)
        for value, result in zip(graph.outputs.values(), results, strict=True):
            torch.testing.assert_close(result, torch.from_numpy(wanted[value]), msg=f"seed {seed}")


def test_drawn_specs_give_the_same_source_again(sources: Path, tmp_path: Path) -> None:
    for seed, graph in written(tmp_path, range(0, COUNT, 5)):
        first = (sources / f"fuzz{seed}.py").read_text().splitlines()
        again = graphc_torch.source(graph).splitlines()
        assert [line for line in again if "sha256" not in line] == [line for line in first if "sha256" not in line]


@pytest.mark.parametrize("command", [["format", "--check", "--diff"], ["check"]], ids=lambda command: command[0])
def test_sources_of_drawn_specs_are_clean(sources: Path, command: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *command, "--isolated", str(sources)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_mypy_passes_sources_of_drawn_specs(sources: Path) -> None:
    files = sorted(map(str, sources.glob("*.py")))[:100]
    command = [sys.executable, "-m", "mypy", "--config-file=", "--follow-imports=silent", "--no-incremental", *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
