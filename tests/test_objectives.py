"""Each spec with losses is trained for twenty steps by a test: one of those that go through these tables."""

from __future__ import annotations

import pytest

import test_conv_attention
import test_detection
import test_detr_maskformer
import test_pyramids
import test_residual
import test_restoration
import test_segmentation
import test_training
import test_transformers
import test_windowed
import test_yolo
from graphc import library
from graphc.compiler import compile

TRAINED = {
    *test_conv_attention.SMALL,
    *test_detection.NETWORKS,
    *test_detection.RATES,
    *test_residual.SMALL,
    *test_restoration.SMALL,
    *test_segmentation.FALLING,
    *test_training.FALLING,
    *test_transformers.SMALL,
    *test_windowed.SMALL,
    *test_yolo.SMALL,
}
ALONE = {
    "fcn_resnet": test_segmentation.test_losses_fall_on_a_dilated_resnet,
    "maskformer": test_detr_maskformer.test_maskformers_losses_fall_on_a_fixed_batch,
    "pyramids": test_pyramids.test_losses_fall,
    "rcnn": test_detection.test_twenty_steps_lower_each_loss_of_rcnn,
}
"""Specs with a test of their own."""


def families() -> dict[str, str]:
    """The spec that each variant is of."""
    found = {name: name for name in library.names()}
    return {variant: name for name in found for variant in library.installed(name).variants} | found


@pytest.mark.parametrize("family", library.names())
def test_its_losses_fall(family: str) -> None:
    variants = library.installed(family).variants
    training = compile(f"{family}:{next(iter(variants))}" if variants else family).training
    if training is None or not training.losses:
        return
    known = families()
    assert family in ALONE or family in {known[name.partition(",")[0].partition(":")[0]] for name in TRAINED}
