"""The examples keep what they say."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

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
