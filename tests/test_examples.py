"""The examples keep what they say."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.mark.slow
def test_a_small_resnet_learns_digits(tmp_path: Path) -> None:
    """97 % of the digits that it has never seen, by the objective of its spec."""
    command = [sys.executable, str(EXAMPLES / "digits.py")]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=500).stdout
    found = re.search(r"^([\d.]+)% of 360 held-out digits$", said, re.MULTILINE)
    assert found is not None, said
    assert float(found[1]) >= 97


@pytest.mark.slow
def test_where_networks_look_is_drawn(tmp_path: Path) -> None:
    """After one epoch they know little; the sheet is there, and a line for each of the two."""
    command = [sys.executable, str(EXAMPLES / "grad_cam.py"), "--epochs", "1", "-o", "sheet.png"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=500).stdout
    assert len(re.findall(r"% of 360 held-out digits; \d+% of Grad-CAM on the digit$", said, re.MULTILINE)) == 2
    assert (tmp_path / "sheet.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_activations_are_drawn(tmp_path: Path) -> None:
    """After one epoch they mean little; both diagrams are there, with a sheet beside each node that gives maps."""
    command = [sys.executable, str(EXAMPLES / "activations.py"), "--epochs", "1", "-o", "drawn"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=500).stdout
    pictures = {"drawn/activations_digits.svg": 7, "drawn/activations_digits_cbam.svg": 12}
    assert said.splitlines()[-1] in pictures
    for name, least in pictures.items():
        assert (tmp_path / name).read_text(encoding="utf-8").count("<image ") >= least


@pytest.mark.slow
def test_a_small_mask_rcnn_is_trained_and_shown(tmp_path: Path) -> None:
    """After three steps it finds nothing; the picture is there, and what was measured."""
    command = [sys.executable, str(EXAMPLES / "rectangles.py"), "--steps", "3", "-o", "shown"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=500).stdout
    assert re.search(r"^\d+ of \d+ rectangles found, \d+ told of; masks overlap by \d+%$", said, re.MULTILINE)
    assert (tmp_path / "shown" / "rectangles.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_image_gpt_draws_digits(tmp_path: Path) -> None:
    """It knows held-out digits better than who looks at each pixel alone, and its own are no copies."""
    command = [sys.executable, str(EXAMPLES / "image_gpt_sampling.py"), "-o", "drawn.png"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=900).stdout
    found = re.search(r"^([\d.]+) nats a pixel of 360 held-out digits; ([\d.]+) where", said, re.MULTILINE)
    assert found is not None, said
    assert float(found[1]) < float(found[2]) - 0.25
    assert "36 digits drawn, 0 of them are in the data" in said
    assert (tmp_path / "drawn.png").read_bytes().startswith(b"\x89PNG")


def test_a_pixel_is_drawn_after_those_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """From a network that says each pixel is one more than the one before, the loop makes 0, 1, 2, …, round at 17."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    sampling = importlib.import_module("image_gpt_sampling")

    def model(pixels: Tensor) -> Tensor:
        before = torch.cat([torch.full_like(pixels.flatten(1)[:, :1], 16), pixels.flatten(1)[:, :-1]], 1)
        return torch.where(torch.nn.functional.one_hot((before + 1) % 17, 17) == 1, 0.0, -torch.inf)

    assert sampling.sample(model, 2).flatten(1).tolist() == [[place % 17 for place in range(64)]] * 2
