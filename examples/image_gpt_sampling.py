"""Image GPT draws digits, pixel by pixel: a small one is trained on scikit-learn's digits, then sampled in a loop.

    pip install -c constraints.txt scikit-learn matplotlib
    python examples/image_gpt_sampling.py [-o FILE.png] [--epochs N]

The network gives for each pixel how likely each colour is where the pixels before it are known; what it says of the
first pixel does not depend on any. So one pixel is drawn and put into the picture, and the network is asked for the
next. Each step runs the whole picture again, for the network keeps nothing: 64 runs for 8×8 pixels.

1,797 pictures of 8×8 pixels in 17 greys; every fifth is held out. It takes a minute or two on a processor. The upper
row of the picture has held-out digits, the others are drawn.
"""

import argparse
from pathlib import Path

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn

import graphc

SIZE, GREYS = 8, 17
SETTINGS = {"H": SIZE, "W": SIZE, "colours": GREYS, "width": 64, "depth": 3, "heads": 4}
SHOWN = 12


def data() -> tuple[Tensor, Tensor]:
    """Pictures [N, 8, 8] of whole numbers below 17: those to learn from, and those held out."""
    pixels = torch.as_tensor(load_digits().images).long()
    held_out = torch.arange(len(pixels)) % 5 == 0
    return pixels[~held_out], pixels[held_out]


def fit(training: nn.Module, learnt: Tensor, epochs: int) -> None:
    """Trains by the objective of the spec: the cross entropy of each pixel."""
    optimizer = torch.optim.AdamW(training.parameters(), 3e-3, weight_decay=0.01)
    steps = epochs * -(-len(learnt) // 64)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, steps)
    for epoch in range(epochs):
        total = 0.0
        for pixels in learnt[torch.randperm(len(learnt))].split(64):
            loss = training(pixels)["total"]
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += float(loss.detach()) * len(pixels)
        print(f"epoch {epoch + 1:2}: loss {total / len(learnt):.3f}")


def sample(model: nn.Module, count: int) -> Tensor:
    """New pictures [count, 8, 8], each pixel drawn from what the network says after those before it."""
    pixels = torch.zeros(count, SIZE * SIZE, dtype=torch.long)
    for place in range(SIZE * SIZE):
        logits = model(pixels.view(count, SIZE, SIZE))  # [count, 64, 17]
        pixels[:, place] = torch.multinomial(logits[:, place].softmax(-1), 1)[:, 0]
    return pixels.view(count, SIZE, SIZE)


def by_frequency(learnt: Tensor, held_out: Tensor) -> float:
    """The cross entropy where each pixel's greys are as frequent as they were at its place, whatever lies before."""
    counts = 1 + nn.functional.one_hot(learnt.flatten(1), GREYS).sum(0)  # [64, 17]
    likely = (counts / counts.sum(1, keepdim=True)).log()
    return -float(likely.gather(1, held_out.flatten(1).T).mean())


def draw(held_out: Tensor, drawn: Tensor, path: Path) -> None:
    """A sheet: the first row from the data, the others drawn by the network."""
    from matplotlib.figure import Figure

    sheet = torch.cat([held_out[:SHOWN], drawn]).unflatten(0, (-1, SHOWN))
    sheet = nn.functional.pad(sheet, (1, 0, 1, 0)).transpose(1, 2).flatten(2).flatten(0, 1)
    figure = Figure(figsize=(sheet.shape[1] / 25, sheet.shape[0] / 25))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.imshow(sheet, cmap="gray")
    axes.axis("off")
    figure.savefig(path, dpi=100, metadata={"Software": None})


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("-o", "--output", type=Path, default=Path("image_gpt_digits.png"))
    parser.add_argument("--epochs", type=int, default=30)
    options = parser.parse_args()
    torch.manual_seed(0)
    learnt, held_out = data()
    training = graphc.compile("image_gpt", set=SETTINGS).module(training=True)
    fit(training, learnt, options.epochs)
    with torch.inference_mode():
        training.eval()
        found = float(training(held_out)["total"])
        print(
            f"{found:.3f} nats a pixel of {len(held_out)} held-out digits; {by_frequency(learnt, held_out):.3f} "
            "where each pixel stands alone"
        )
        drawn = sample(training.get_submodule("model"), 3 * SHOWN)
    known = {bytes(picture.flatten().tolist()) for picture in learnt}
    copies = sum(bytes(picture.flatten().tolist()) in known for picture in drawn)
    print(f"{len(drawn)} digits drawn, {copies} of them are in the data")
    draw(held_out, drawn, options.output)
    print(options.output)


if __name__ == "__main__":
    main()
