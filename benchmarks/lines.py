"""Lines of each spec beside those of a reference implementation: `python benchmarks/lines.py`.

Counted on both sides is what makes the network, without blanks, comments and documentation: of a spec its parameters,
sizes, variants, blocks, graph, losses and initial values, and the blocks of other files that it uses; of a library the
classes that the model consists of, with their base classes, and what these use of the same files. Neither side's names,
papers, expected figures and tables of weights are counted, nor the library's builders. A library's classes may serve
more networks than a spec, and the other way round.
torchvision, timm and transformers come with `pip install -c constraints.txt '.[test]'`.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import io
import sys
import textwrap
import tokenize
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from types import FunctionType, ModuleType
from typing import NamedTuple, TypeAlias

import torch
import yaml
from torch import nn

import graphc
from graphc import library

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import oracle

REFERENCES = {
    "alexnet": "torchvision alexnet",
    "vgg": "torchvision vgg16",
    "squeezenet": "torchvision squeezenet1_1",
    "googlenet": "torchvision googlenet",
    "resnet": "torchvision resnet50",
    "densenet": "torchvision densenet121",
    "mobilenet_v2": "torchvision mobilenet_v2",
    "mobilenet_v3": "torchvision mobilenet_v3_large",
    "efficientnet": "torchvision efficientnet_b0",
    "convnext": "torchvision convnext_tiny",
    "vit": "torchvision vit_b_16",
    "swin": "torchvision swin_t",
    "fcn_resnet": "torchvision deeplabv3_resnet50",
    "video_resnet": "torchvision r3d_18",
    "faster_rcnn": "torchvision fasterrcnn_resnet50_fpn",
    "mask_rcnn": "torchvision maskrcnn_resnet50_fpn",
    "senet": "timm legacy_senet154",
    "deit": "timm deit_base_distilled_patch16_224",
    "vit_hybrid": "timm vit_base_r50_s16_224",
    "coatnet": "timm coatnet_0_224",
    "mobilevit": "timm mobilevit_s",
    "cvt": "transformers CvtForImageClassification",
    "detr": "transformers DetrForObjectDetection",
    "image_gpt": "transformers ImageGPTForCausalImageModeling",
    "mae": "transformers ViTMAEForPreTraining",
    "maskformer": "transformers MaskFormerForInstanceSegmentation",
}
"""What each spec is compared with."""
DOCUMENTS = {"graphc", "name", "title", "paper", "doc", "expect", "weights", "default", "use"}
"""Keys of a spec that don't make the network."""
BLANK = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)


class Pair(NamedTuple):
    """A key of a mapping and its value."""

    key: yaml.Node
    value: yaml.Node


PREFIXES = ("torchvision.", "timm.", "transformers.models.")
"""Modules whose definitions count; others are what any model stands on."""
Definition: TypeAlias = type | FunctionType


# --- ours


def ours(name: str) -> tuple[int, int]:
    """Lines of a spec's own file, and of what its variants use of other files."""
    variants = library.installed(name).variants or [""]
    graphs = [graphc.compile(f"{name}:{variant}" if variant else name) for variant in variants]
    found = {scope.definition for graph in graphs for scope in graph.root.scopes() if "#" in scope.definition}
    elsewhere = {definition for definition in found if not definition.startswith(f"{name}.yaml#")}
    return len(written(f"{name}.yaml")), sum(len(defined(*each.split("#"))) for each in elsewhere)


def defined(file: str, block: str) -> set[int]:
    """Lines of a block, or of what a file that is used as a block has beside blocks."""
    sections = top(file)
    blocks = dict(pairs(sections["blocks"])) if "blocks" in sections else {}
    if block in blocks:
        return lines_of(file, block_parts(blocks[block]))
    return written(file, without={"blocks"})


def written(file: str, without: Iterable[str] = ()) -> set[int]:
    """Lines of a file that make a network."""
    sections = {key: node for key, node in top(file).items() if key not in DOCUMENTS and key not in without}
    blocks = [part for _, block in pairs(sections.pop("blocks", None)) for part in block_parts(block)]
    return lines_of(file, [*sections.values(), *blocks])


def block_parts(block: Pair) -> list[Pair]:
    return [Pair(block.key, block.key), *(part for name, part in pairs(block) if name != "doc")]


def pairs(found: Pair | None) -> list[tuple[str, Pair]]:
    if found is None:
        return []
    return [(key.value, Pair(key, value)) for key, value in found.value.value]


def top(file: str) -> dict[str, Pair]:
    return dict(pairs(Pair(root := tree(file), root)))


@cache
def tree(file: str) -> yaml.Node:
    found = yaml.compose((library.specs() / file).read_text(encoding="utf-8"))
    assert found is not None
    return found


def lines_of(file: str, parts: Iterable[Pair]) -> set[int]:
    """Numbers of lines with something on them that is no comment."""
    text = (library.specs() / file).read_text(encoding="utf-8").splitlines()
    inside = {number for part in parts for number in range(part.key.start_mark.line, end_of(part.value))}
    return {number for number in inside if text[number].partition("#")[0].strip()}


def end_of(node: yaml.Node) -> int:
    """The line behind a node; where a collection has no brackets, its end is where the next thing starts."""
    open_ended = isinstance(node, yaml.CollectionNode) and not node.flow_style
    return int(node.end_mark.line) + (not open_ended)


# --- theirs


def theirs(reference: str) -> int:
    """Lines of the definitions that a library's model is made of."""
    by, name = reference.split()
    with torch.device("meta"):
        model = MAKERS[by](name)
    found: set[Definition] = set()
    waiting: list[Definition] = [type(module) for module in model.modules()]
    while waiting:
        definition = waiting.pop()
        if definition not in found and definition.__module__.startswith(PREFIXES):
            found.add(definition)
            waiting.extend([*bases(definition), *used(definition)])
    return sum(code_lines(source_of(definition)) for definition in found)


def bases(definition: Definition) -> Iterator[type]:
    if isinstance(definition, type):
        yield from definition.__bases__


def used(definition: Definition) -> Iterator[Definition]:
    """Functions and classes of the same library whose names occur in a definition of the same file."""
    module = sys.modules[definition.__module__]
    for part in ast.walk(ast.parse(source_of(definition))):
        found = named(module, part)
        if isinstance(found, type | FunctionType) and found.__module__ == module.__name__:
            yield found


def named(module: ModuleType, part: ast.AST) -> object:
    return getattr(module, part.id, None) if isinstance(part, ast.Name) else None


@cache
def source_of(definition: Definition) -> str:
    """Its text; nothing for what a call has made, as a namedtuple."""
    try:
        return textwrap.dedent(inspect.getsource(inspect.unwrap(definition)))
    except OSError:
        return ""


def code_lines(source: str) -> int:
    """Lines with something on them that is neither a comment nor documentation."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    code = {line for token in tokens if token.type not in BLANK for line in range(token.start[0], token.end[0] + 1)}
    return len(code - documentation(ast.parse(source)))


def documentation(tree: ast.Module) -> set[int]:
    """Lines of strings that stand alone as statements."""
    alone = [part for part in ast.walk(tree) if isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant)]
    return {line for part in alone for line in range(part.lineno, (part.end_lineno or part.lineno) + 1)}


def of_torchvision(name: str) -> nn.Module:
    models = oracle.torchvision().models
    found: nn.Module = models.get_model(
        name, weights=None, **({"weights_backbone": None} if name.endswith(BACKED) else {})
    )
    return found


def of_timm(name: str) -> nn.Module:
    oracle.torchvision()
    found: nn.Module = importlib.import_module("timm").create_model(name)
    return found


def of_transformers(name: str) -> nn.Module:
    oracle.torchvision()
    library = importlib.import_module("transformers")
    maker = getattr(library, name)
    options = {"backbone": "resnet50", "use_pretrained_backbone": False} if name.startswith("Detr") else {}
    found: nn.Module = maker(maker.config_class(**options))
    return found


BACKED = ("_fpn", "deeplabv3_resnet50")
"""Names that end so have a backbone with weights of its own."""
MAKERS: dict[str, Callable[[str], nn.Module]] = {
    "torchvision": of_torchvision,
    "timm": of_timm,
    "transformers": of_transformers,
}


def main() -> None:
    print("| spec | networks | its file | of other files | reference | its lines |")
    print("| --- | ---: | ---: | ---: | --- | ---: |")
    for name in library.names():
        own, shared = ours(name)
        reference = REFERENCES.get(name, "")
        count = f"{theirs(reference):,}" if reference else ""
        print(
            f"| {name} | {len(library.installed(name).variants) or 1} | {own} | {shared} | {reference} | {count} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
