"""Pictures as signals: the imaging system against Fourier's formulas, and the numbers of its page in the docs."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

import graphc_torch
from by_hand import assert_backends_agree, drawn
from graphc.check import needs
from graphc.compiler import compile as compiled
from graphc.cost import frozen_parameters, parameters
from graphc.initial import initial_values
from graphc.settings import read_settings

PAGE = Path(__file__).parents[1] / "docs" / "imaging.md"
LEAST = 0.01
"""What is less is said to be gone."""


def run(light: Tensor, *settings: str) -> tuple[Tensor, Tensor]:
    """The picture and the optical transfer function."""
    module = graphc_torch.module(compiled("imaging", read_settings(settings))).eval()
    with torch.inference_mode():
        picture, otf = module(light)
    return picture, otf


def kernel(std: float) -> str:
    """A kernel that reaches four standard deviations to each side."""
    return f"kernel_size={2 * math.ceil(4 * std) + 1}"


def transfer(std: float) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """What is left of the frequencies 0, 1/256, … 1/2 along an axis."""
    _, otf = run(torch.rand(1, 1, 4, 4), f"std={std}", kernel(std), "frequencies=256")
    return np.asarray(otf[0, :129].numpy())


@pytest.mark.parametrize("std", [1.5, 2, 3])
def test_the_transfer_function_of_a_gaussian_is_a_gaussian(std: float) -> None:
    """exp(-2π²σ²f²), but for what lies beyond four deviations, 6·10⁻⁵ of it, and spectra that overlap."""
    frequency = np.arange(129) / 256
    assert transfer(std) == pytest.approx(np.exp(-2 * (np.pi * std * frequency) ** 2), abs=1e-4)


def test_the_transfer_function_is_what_becomes_of_waves() -> None:
    """A wave comes out as a wave of its frequency, whose amplitude is the transfer function's."""
    places = torch.arange(128) / 128
    for turns in (4, 16, 24):
        wave = (0.5 + 0.5 * torch.cos(2 * torch.pi * turns * places)).expand(1, 1, 128, 128)
        picture, _ = run(wave, "std=1.5", "stride=1", "levels=1000000")
        middle = picture[0, 0, 64, 32:96]  # away from the borders, beyond which it is dark
        spectrum = torch.fft.rfft(middle).abs() / 32
        assert float(spectrum[turns // 2]) == pytest.approx(0.5 * float(transfer(1.5)[2 * turns]), rel=1e-3)
        assert int(spectrum[1:].argmax()) + 1 == turns // 2


def test_blur_is_linear_and_the_same_everywhere() -> None:
    def blur(light: Tensor) -> Tensor:
        module = graphc_torch.module(compiled("imaging")).eval()
        with torch.inference_mode():
            found: Tensor = module.get_submodule("optics")(light)
        return found

    one, other = drawn(1, 1, 32, 32), drawn(1, 1, 32, 32).flip(2)
    assert torch.allclose(blur(2 * one - 3 * other), 2 * blur(one) - 3 * blur(other), atol=1e-5)
    shifted = functional.pad(one, (3, 0, 2, 0))
    assert torch.allclose(blur(shifted)[..., 8:, 9:], functional.pad(blur(one), (3, 0, 2, 0))[..., 8:, 9:], atol=1e-5)


@pytest.mark.parametrize(("form", "moved"), [("convolution", 2), ("cross_correlation", -2)])
def test_convolution_and_cross_correlation_move_a_point_opposite_ways(form: str, moved: int) -> None:
    """A point-spread function whose middle lies 2 pixels behind its own, and one point of light at 16."""
    point = torch.zeros(1, 1, 33, 33)
    point[0, 0, 16, 16] = 1
    picture, otf = run(point, f"form={form}", "mean=2", "stride=1", "levels=100000")
    row, column = divmod(int(picture.argmax()), 33)
    assert (row, column) == (16 + moved, 16 + moved)
    _, straight = run(point, "mean=0")
    assert torch.allclose(otf, straight, atol=2e-3), "its magnitude does not tell where the point is"


def test_convolution_is_the_sum_of_its_definition() -> None:
    """(k * x)[p] = Σ k[q] x[p - q], term by term."""
    graph = compiled("imaging", read_settings(["mean=1", "kernel_size=5", "stride=1", "levels=1000000"]))
    k = torch.from_numpy(dict(initial_values(graph))["optics.psf.weight"].copy())[0, 0]
    light, wanted = torch.rand(1, 1, 7, 7), torch.zeros(7, 7)
    for y in range(7):
        for x in range(7):
            for i in range(-2, 3):
                for j in range(-2, 3):
                    if 0 <= y - i < 7 and 0 <= x - j < 7:
                        wanted[y, x] += k[i + 2, j + 2] * light[0, 0, y - i, x - j]
    picture, _ = graphc_torch.module(graph).eval()(light)
    assert torch.allclose(picture[0, 0], wanted, atol=2e-6)


def test_quantisation_is_off_by_half_a_step_at_most() -> None:
    light = torch.rand(1, 1, 50, 50)
    settings = ["std=0.05", "stride=1", "kernel_size=3"]  # so sharp that nothing is blurred
    coarse, _ = run(light, *settings, "levels=5")
    assert set(coarse.unique().tolist()) == {0, 0.25, 0.5, 0.75, 1}
    assert float((coarse - light).abs().max()) <= 1 / 8 + 1e-6


def test_fixed_weights_count_as_frozen() -> None:
    graph = compiled("imaging", read_settings(["channels_=3", "kernel_size=9"]))
    assert parameters(graph) == frozen_parameters(graph) == 3 * 9 * 9


def test_the_source_alone_has_the_same_point_spread_function() -> None:
    live = graphc_torch.module(compiled("imaging", read_settings(["std=1.3", "mean=0.4"])))
    alone = type(live)()
    weight, other = (module.get_parameter("optics.psf.weight").detach() for module in (live, alone))
    assert torch.allclose(other, weight, atol=1e-7)
    assert float(weight.sum()) == pytest.approx(1)


@pytest.mark.parametrize("form", ["imaging_convolution", "imaging_cross_correlation"])
@pytest.mark.slow
def test_both_backends_agree_at_two_sizes(form: str) -> None:
    assert_backends_agree(compiled(form), {"N": 2, "H": 9, "W": 16}, {"N": 1, "H": 32, "W": 21})
    assert {str(need.needed) for need in needs(compiled(form))} == {"at least 1"}


# --- docs/imaging.md


def cut_offs() -> list[str]:
    """For several deviations: from which frequency on less than a hundredth is left, and which strides lose nothing."""
    rows = []
    for std in (1.5, 2.0, 3.0, 4.0):
        left = transfer(std)
        cut_off = int(np.argmax(left < LEAST)) / 256
        formula = math.sqrt(math.log(1 / LEAST) / 2) / (math.pi * std)
        rows.append(f"| {std:g} | {cut_off:.3f} | {formula:.3f} | {1 / (2 * cut_off):.2f} | {int(1 / (2 * cut_off))} |")
    return rows


def waves() -> list[str]:
    """What a stride of 2 makes of waves, behind a sharp and a soft lens."""
    rows, places = [], torch.arange(128)
    for turns in (8, 12, 20, 24):
        cells = []
        for std in (1.0, 2.0):
            wave = (0.5 + 0.5 * torch.cos(2 * torch.pi * turns / 64 * places)).expand(1, 1, 128, 128)
            picture, _ = run(wave, f"std={std}", kernel(std), "stride=2")
            spectrum = torch.fft.rfft(picture[0, 0, 32, 16:48]).abs()[1:] / 16
            seen = (int(spectrum.argmax()) + 1) / 64
            levels = float(spectrum.max()) * 255
            cells.append(f"{seen:.4f}, {levels:.0f}" if levels >= 1 else "nothing")
        rows.append(f"| {turns / 64:.4f} | {cells[0]} | {cells[1]} |")
    return rows


@pytest.mark.parametrize("table", [cut_offs, waves])
def test_the_numbers_of_the_page_come_from_the_spec(table: object) -> None:
    assert callable(table)
    rows = "\n".join(table())
    assert rows in PAGE.read_text("utf-8"), f"the page should have\n{rows}"
