"""Position codes against transformers' own: T5's buckets of distances, and rotations as in GPT-J and RoFormer."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn

from graphc.compiler import compile
from graphc.settings import read_settings

POSITION = Path(__file__).parent.parent / "specs" / "blocks" / "position.yaml"
NEAR = 1e-5
"""How far an output may be from the reference's, relative to its scale."""


@pytest.fixture(scope="module")
def models(torchvision: ModuleType) -> str:
    """Where transformers has its models; they import torchvision."""
    return "transformers.models"


def block(name: str, *settings: str, **weights: Tensor) -> nn.Module:
    """A block of position.yaml as a module."""
    module = compile(f"{POSITION}#{name}", read_settings(list(settings))).module(weights=weights or None)
    assert isinstance(module, nn.Module)
    return module.eval()


@pytest.mark.parametrize("is_causal", [False, True])
@pytest.mark.parametrize(("buckets", "distance"), [(32, 128), (16, 64), (8, 20)])
def test_distances_share_the_buckets_of_transformers_t5(
    models: str, is_causal: bool, buckets: int, distance: int
) -> None:
    """Each distance from -400 to 400, those at which a bucket begins too."""
    attention = import_module(f"{models}.t5.modeling_t5").T5Attention
    given = ["heads=1", f"buckets={buckets}", f"distance={distance}", f"is_causal={str(is_causal).lower()}"]
    module = block("bucketed_bias", *given, **{"table.weight": torch.arange(float(buckets))[:, None]})
    found = module(torch.zeros(1, 401, 1), torch.zeros(1, 401, 1))[0].detach().long()
    places = torch.arange(401)[None] - torch.arange(401)[:, None]
    wanted = attention._relative_position_bucket(
        places, bidirectional=not is_causal, num_buckets=buckets, max_distance=distance
    )
    assert wanted.unique().numel() == buckets - (not is_causal)  # 0 has no direction
    assert torch.equal(found, wanted)


def test_rotations_are_those_of_transformers_gpt_j(models: str) -> None:
    """Pairs of neighbours are turned, as in RoFormer (Su et al. 2021, equation 34)."""
    torch.manual_seed(0)
    gptj = import_module(f"{models}.gptj.modeling_gptj")
    tokens = torch.randn(2, 50, 24)
    sine, cosine = gptj.create_sinusoidal_positions(50, 8).split(4, -1)
    wanted = gptj.apply_rotary_pos_emb(tokens.view(2, 50, 3, 8), sine[None], cosine[None]).flatten(2)
    found = block("rotate", "heads=3", "C=24")(tokens)
    assert float((found - wanted).abs().max() / wanted.abs().max()) < NEAR
    assert float((tokens - wanted).abs().max()) > 1
