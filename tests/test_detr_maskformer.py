"""DETR and MaskFormer against transformers' own, built without downloads: counts, outputs from its files, losses."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

import pytest
import torch
from torch import Tensor, nn

import graphc
import graphc_torch
from graphc import cost
from graphc.compiler import compile
from graphc.dims import Size, substitute
from graphc.settings import read_settings
from graphc.verify import Asked, verify
from test_training import batch, tensors, train

NEAR = 1e-5
"""How far an output may be from the reference's, relative to its scale."""
SMALL = ["channels=24", "layers=[2, 2, 2, 2]", "width=32", "heads=4", "hidden=48", "depth=2", "queries=9"]
Reference: TypeAlias = Any
"""A model of transformers, which has types, but not such that mypy could follow them."""
TINY = [*SMALL, "H=64", "W=96", "window=4"]
WIDTHS = {"maskformer_swin_t": 96, "maskformer_swin_s": 96, "maskformer_swin_b": 128}
SIZE = (288, 256)
"""Of pictures whose coarsest map is larger than a window: one that is all is shifted there, and not here."""


@pytest.fixture(scope="module")
def transformers(torchvision: ModuleType) -> ModuleType:
    """transformers, which imports torchvision."""
    library = import_module("transformers")
    library.logging.set_verbosity_error()
    library.logging.disable_progress_bar()
    return library


def stirred(module: nn.Module) -> nn.Module:
    """With random weights and statistics, so that all of them count."""
    torch.manual_seed(0)
    for path, weight in module.named_parameters():
        is_factor = weight.dim() == 1 and path.endswith("weight")
        inputs = weight[0].numel() if weight.dim() > 1 else len(weight)
        nn.init.normal_(weight, mean=float(is_factor), std=inputs**-0.5)
    for path, buffer in module.named_buffers():
        if path.endswith(("running_var", "bn1.weight", "bn2.weight", "bn3.weight", "downsample.1.weight")):
            nn.init.uniform_(buffer, 0.5, 1)
    return module.eval()


def worst(found: Tensor, wanted: Tensor) -> float:
    """The largest difference, relative to the largest number that is wanted."""
    return float((found - wanted).abs().max() / wanted.abs().max())


def files(module: Reference, folder: Path) -> dict[str, Tensor]:
    """The tensors of the file that transformers saves, whose names are not those of the module."""
    module.save_pretrained(folder)
    loaded: dict[str, Tensor] = import_module("safetensors.torch").load_file(folder / "model.safetensors")
    return loaded


def at_examples(size: Size | None, graph: graphc.Graph) -> int:
    assert size is not None
    return int(str(substitute(size, graph.examples())))


# --- DETR


@pytest.mark.slow
def test_detr_gives_what_transformers_gives_from_its_file(transformers: ModuleType, tmp_path: Path) -> None:
    """detr-resnet-50 but for the depth: a ResNet-50 of timm's, as the published weights have it."""
    config = transformers.DetrConfig(
        use_timm_backbone=True,
        backbone="resnet50",
        use_pretrained_backbone=False,
        encoder_layers=2,
        decoder_layers=2,
        num_queries=9,
        num_labels=91,
    )
    reference: Reference = stirred(transformers.DetrForObjectDetection(config))
    reference.save_pretrained(tmp_path)
    graph = compile("detr", read_settings(["depth=2", "queries=9"]))
    module = graph.module(weights=tmp_path / "model.safetensors")
    assert isinstance(module, nn.Module)
    image = torch.randn(2, 3, 96, 70)
    with torch.inference_mode():
        wanted = reference(image)
        logits, boxes = module.eval()(image)
    assert worst(wanted.logits[:1], wanted.logits[1:]) > 1e-3
    assert worst(logits, wanted.logits) < NEAR
    assert worst(boxes, wanted.pred_boxes) < NEAR


@pytest.mark.slow
def test_detr_counts_as_transformers(transformers: ModuleType) -> None:
    config = transformers.DetrConfig(backbone="resnet50", use_pretrained_backbone=False, num_labels=91)
    with torch.device("meta"):
        reference = transformers.DetrForObjectDetection(config)
    assert at_examples(cost.parameters(compile("detr")), compile("detr")) == weights_of(reference)


def weights_of(module: nn.Module) -> int:
    return sum(weight.numel() for weight in module.parameters())


# --- MaskFormer


def masked(transformers: ModuleType, graph: graphc.Graph, **further: Any) -> Reference:
    """A MaskFormer on Swin of the sizes that a graph's parameters have."""
    has = {name: binding.value for name, binding in graph.root.bindings.items()}
    swin = transformers.SwinConfig(
        image_size=512,  # or its last stage is not shifted, whatever the size of the picture
        embed_dim=has["channels"],
        depths=has["layers"],
        num_heads=has["stage_heads"],
        window_size=has["window"],
        drop_path_rate=has["drop_path"],
        out_features=["stage1", "stage2", "stage3", "stage4"],
    )
    decoder = transformers.DetrConfig(
        d_model=has["width"],
        num_queries=has["queries"],
        decoder_layers=has["depth"],
        decoder_attention_heads=has["heads"],
        decoder_ffn_dim=has["hidden"],
    )
    config = transformers.MaskFormerConfig(
        backbone_config=swin,
        decoder_config=decoder,
        num_labels=has["classes"],
        fpn_feature_size=has["width"],
        mask_feature_size=has["width"],
        **further,
    )
    return transformers.MaskFormerForInstanceSegmentation(config)


@pytest.mark.slow
@pytest.mark.parametrize("variant", WIDTHS)
def test_maskformer_counts_as_transformers(transformers: ModuleType, variant: str) -> None:
    """But for a norm behind Swin's last stage, which nothing reads. The paper's table 1 has 42, 63 and 102 million."""
    graph = compile(f"maskformer:{variant}")
    with torch.device("meta"):
        reference = masked(transformers, graph)
    assert at_examples(cost.parameters(graph), graph) + 2 * 8 * WIDTHS[variant] == weights_of(reference)


@pytest.mark.slow
def test_maskformers_products_are_those_that_torch_counts(transformers: ModuleType) -> None:
    """Beside them ours are 150·100 for each place of the semantic map, which transformers makes afterwards."""
    from torch.utils.flop_counter import FlopCounterMode

    graph = compile("maskformer")
    with torch.device("meta"):
        reference, image = masked(transformers, graph, attn_implementation="eager").eval(), torch.zeros(1, 3, 512, 512)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        reference(image)
    semantic = 150 * 100 * 128 * 128
    assert at_examples(cost.macs(graph), graph) == counter.get_total_flops() // 2 + semantic == 50_922_234_752


@pytest.fixture(scope="module")
def pair(transformers: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> tuple[Reference, nn.Module]:
    """transformers' MaskFormer, small, and ours with the weights of its file, with its losses."""
    graph = compile("maskformer", read_settings(SMALL))
    reference = stirred(masked(transformers, graph))
    module = graph.module(weights=files(reference, tmp_path_factory.mktemp("maskformer")), training=True)
    assert isinstance(module, nn.Module)
    return reference, module.eval()


@pytest.mark.slow
def test_maskformer_gives_what_transformers_gives(transformers: ModuleType, pair: tuple[Reference, nn.Module]) -> None:
    reference, module = pair
    image = torch.randn(2, 3, *SIZE)
    with torch.inference_mode():
        wanted = reference(image)
        logits, masks, semantic = module.get_submodule("model")(image)
    assert worst(wanted.masks_queries_logits[:1], wanted.masks_queries_logits[1:]) > 1e-3
    assert worst(logits, wanted.class_queries_logits) < NEAR
    assert worst(masks, wanted.masks_queries_logits) < NEAR
    likely = wanted.class_queries_logits.softmax(-1)[..., :-1]
    assert worst(semantic, torch.einsum("bqc,bqhw->bchw", likely, wanted.masks_queries_logits.sigmoid())) < NEAR
    processor = transformers.MaskFormerImageProcessor()
    chosen = torch.stack(processor.post_process_semantic_segmentation(wanted))
    assert (semantic.argmax(1) == chosen).float().mean() > 0.999


@pytest.mark.slow
def test_the_loss_is_that_of_transformers_in_each_layer(pair: tuple[Reference, nn.Module]) -> None:
    """Its own matching of three objects in two pictures; 1, 20 and 1 for classes, focal and dice loss."""
    reference, module = pair
    image, labels = torch.randn(2, 3, *SIZE), [torch.tensor([3]), torch.tensor([40, 149])]
    gt = [(torch.rand(len(classes), *SIZE) > 0.7).float() for classes in labels]
    queries, loss = [], torch.zeros(())
    with torch.inference_mode():
        for logits, masks in layers(reference, image):
            found = reference.criterion.matcher(masks, logits, gt, labels)
            queries.append(torch.cat([9 * n + rows[columns.argsort()] for n, (rows, columns) in enumerate(found)]))
            losses = reference.criterion(masks, logits, gt, labels)
            loss = loss + sum(losses[name] * weight for name, weight in reference.weight_dict.items())
        ours = module(image, torch.cat(gt), torch.cat(labels), torch.stack(queries))["total"]
    assert float(ours) == pytest.approx(float(loss), rel=1e-5)


def layers(reference: Reference, image: Tensor) -> list[tuple[Tensor, Tensor]]:
    """The logits of classes and masks that the heads make of each layer of the decoder."""
    caught: list[Tensor] = []

    def catch(_: nn.Module, __: object, output: Tensor) -> None:
        caught.append(output)

    decoder = reference.model.transformer_module.decoder
    handles = [layer.register_forward_hook(catch) for layer in decoder.layers]
    pixels = reference(image).pixel_decoder_last_hidden_state
    for handle in handles:
        handle.remove()
    objects = [decoder.layernorm(each) for each in caught]
    masks = [torch.einsum("bqc,bchw->bqhw", reference.mask_embedder(each), pixels) for each in objects]
    return [(reference.class_predictor(each), mask) for each, mask in zip(objects, masks, strict=True)]


@pytest.mark.slow
def test_maskformer_runs_alike_in_onnx_runtime() -> None:
    graph = compile("maskformer", read_settings(TINY))
    result = verify(graph, Asked(training=True))
    assert result, str(result)


@pytest.mark.slow
def test_maskformers_losses_fall_on_a_fixed_batch() -> None:
    graph = compile("maskformer", read_settings(TINY))
    losses = train(graphc_torch.module(graph, training=True), tensors(batch(graph, {"N": 2})), steps=20)
    assert torch.tensor(losses).isfinite().all()
    assert min(losses[-3:]) < 0.95 * losses[0], losses
