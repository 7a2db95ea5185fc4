"""Trains examples/digits.yaml on scikit-learn's digits, by the objective that the spec states.

    pip install -c constraints.txt scikit-learn
    python examples/digits.py

1,797 pictures of 8×8 pixels; every fifth is held out. It takes some ten seconds on a processor.
"""

from collections.abc import Callable
from pathlib import Path

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

import graphc

EPOCHS = 10


def data() -> tuple[TensorDataset, TensorDataset]:
    """Pictures [N, 1, 8, 8] in [0, 1] with their digits [N]: those to learn from, and those held out."""
    pictures, digits = load_digits(return_X_y=True)
    image = torch.as_tensor(pictures, dtype=torch.float32).reshape(-1, 1, 8, 8) / 16
    label = torch.as_tensor(digits)
    held_out = torch.arange(len(label)) % 5 == 0
    return TensorDataset(image[~held_out], label[~held_out]), TensorDataset(image[held_out], label[held_out])


def shifted(image: Tensor) -> Tensor:
    """Pictures moved by a pixel at most, each batch in one direction."""
    dy, dx = torch.randint(-1, 2, (2,)).tolist()
    return torch.roll(image, (dy, dx), dims=(2, 3))


def fit(training: nn.Module, learnt: TensorDataset, epochs: int, change: Callable[[Tensor], Tensor]) -> None:
    """Trains by the losses of the spec; each batch of pictures is changed before it is seen."""
    optimizer = torch.optim.AdamW(training.parameters(), weight_decay=0.01)
    batches = DataLoader(learnt, batch_size=64, shuffle=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.01, epochs * len(batches))
    for epoch in range(epochs):
        total = 0.0
        for image, label in batches:
            loss = training(change(image), label)["total"]
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += float(loss.detach()) * len(label)
        print(f"epoch {epoch + 1:2}: loss {total / len(learnt):.3f}")


def main() -> None:
    torch.manual_seed(0)
    learnt, held_out = data()
    training = graphc.compile(Path(__file__).with_name("digits.yaml")).module(training=True)
    fit(training, learnt, EPOCHS, shifted)
    image, label = held_out.tensors
    with torch.inference_mode():
        found = training.eval().get_submodule("model")(image).argmax(1)
    print(f"{(found == label).float().mean():.1%} of {len(label)} held-out digits")


if __name__ == "__main__":
    main()
