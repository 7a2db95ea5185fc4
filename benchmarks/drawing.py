"""How long a diagram takes: `python benchmarks/drawing.py [SPEC…] [--rounds N]`.

A compiled graph is drawn as SVG, at depth 1 (under two names, as a control), at the depth that is chosen without
`--depth`, and with all blocks open to depth 2. In turns and in random order; what is claimed are the ratios.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from onnx_compared import asked, report, rounds

import graphc

NETWORKS = ("resnet152", "densenet201")
ROUNDS = 5
CLOSED = "depth 1"


def main() -> None:
    """Measures and prints tables."""
    said = asked(__doc__, NETWORKS, ROUNDS)
    for name in said.networks:
        graph = graphc.compile(name)
        with TemporaryDirectory() as folder:
            file = Path(folder) / "net.svg"
            work = {
                CLOSED: partial(graph.draw, file, depth=1),
                f"{CLOSED} again": partial(graph.draw, file, depth=1),
                "depth 2": partial(graph.draw, file, depth=2),
                "without --depth": partial(graph.draw, file),
            }
            rounds(work, 1)
            report(f"{name}, {len(graph.nodes)} nodes", rounds(work, said.rounds), CLOSED)


if __name__ == "__main__":
    main()
