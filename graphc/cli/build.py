"""`graphc build`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

from graphc.cli.arguments import Form, Format, SetOption, SizeOption, Spec, TapOption, tapped
from graphc.cli.model import DtypeOption, ExternalDataOption, FunctionsOption, OpsetOption, TorchvisionOpsOption

DEFAULT_SUFFIXES = (".py", ".onnx", ".svg")


def build(
    spec: Spec,
    *,
    output: Annotated[
        list[Path] | None,
        Option("-o", "--output", metavar="FILE", help="A file to write; its suffix says as what. Repeatable."),
    ] = None,
    weights: Annotated[
        Path | None,
        Option(
            "--weights",
            metavar="FILE",
            help="Weights; beside a .py they are .safetensors.",
        ),
    ] = None,
    set_: SetOption = None,
    size: SizeOption = None,
    tap: TapOption = None,
    opset: OpsetOption = None,
    dtype: DtypeOption = None,
    functions: FunctionsOption = False,
    external_data: ExternalDataOption = False,
    torchvision_ops: TorchvisionOpsOption = False,
    form: Format = Form.HUMAN,
) -> None:
    """Write PyTorch source, an ONNX file and a diagram.

    Without -o: out/NAME.py, out/NAME.onnx and out/NAME.svg. If anything is wrong, nothing is written.

    Example: graphc build resnet:resnet18 -o net.py -o net.onnx
    """
    from graphc.backends import backends
    from graphc.cli.graphs import compiled
    from graphc.cli.weights import Given, require_use
    from graphc.cli.writing import default_path, require_taken, write

    chosen = backends().writing([path.suffix for path in output] if output else DEFAULT_SUFFIXES)
    if weights:
        require_use(chosen)
    options = {
        "opset": opset,
        "dtype": dtype and dtype.value,
        "functions": functions or None,
        "external_data": external_data or None,
        "torchvision_ops": torchvision_ops or None,
    }
    require_taken(chosen, options)
    graph = tapped(compiled(spec, set_, size), tap)
    given = Given(weights, spec).weights(graph) if weights else None
    paths = output or [default_path(graph, suffix) for suffix in chosen]
    write(graph, paths, chosen, [weights] if weights else [], weights=given, **options)
