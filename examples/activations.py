"""What the layers of digits.yaml make of a digit, with and without CBAM: diagrams with activations in them.

    pip install -c constraints.txt scikit-learn
    python examples/activations.py [-o FOLDER] [--epochs N]

Both networks are trained as in grad_cam.py, for a shorter time, on digits that lie somewhere among pieces of others.
One diagram has the network, its stages open; the other the first unit of the second stage, in which CBAM weighs
channels and then places. It takes some minutes on two cores.
"""

import argparse
from pathlib import Path

import torch
from digits import data
from grad_cam import SIZE, scattered, trained

import graphc
from graphc.made import LookOptions

SPEC = Path(__file__).with_name("digits.yaml")
DRAWN: dict[str, LookOptions] = {
    "digits": {"depth": 2},
    "digits_cbam": {"depth": 2, "focus": ["stage.1.unit.0"]},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, default=Path("out"))
    parser.add_argument("--epochs", type=int, default=6)
    given = parser.parse_args()
    learnt, held_out = data()
    image, _ = scattered(held_out.tensors[0], torch.Generator().manual_seed(1))
    given.output.mkdir(parents=True, exist_ok=True)
    for variant, options in DRAWN.items():
        weights = trained(variant, learnt, given.epochs).state_dict()
        graph = graphc.compile(f"{SPEC}:{variant}", set={"size": SIZE})
        path = given.output / f"activations_{variant}.svg"
        asked: LookOptions = {**options, "image": image[0], "weights": weights}
        graph.draw(path, **asked)
        print(path)


if __name__ == "__main__":
    main()
