"""The network that looks at patches, on backbones of every shape, with random weights."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import timm
import torch
from torch import nn

from finding_nemo.core.errors import SettingsError
from finding_nemo.models.networks.patch_heads import TRAINING_POOLING, PatchHeads, PoolingConfig
from finding_nemo.models.networks.patch_network import (
    PatchNetwork,
    averaged_grid,
    patch_features,
    patch_grid,
)
from finding_nemo.models.networks.study_networks import LinearProbe, ProbeNetwork
from finding_nemo.models.networks.with_features import has_maps

_PRIOR = np.array([0.5, 0.1, 0.02])


def network(pooling: PoolingConfig = TRAINING_POOLING) -> PatchNetwork:
    torch.manual_seed(0)
    backbone: Any = timm.create_model("test_efficientnet", num_classes=0)
    heads = PatchHeads(_PRIOR, n_features=backbone.num_features, pooling=pooling)
    return PatchNetwork(backbone, heads, dropout=0.0)


@pytest.mark.parametrize(
    ("name", "size", "grid"),
    [
        ("test_efficientnet", (96, 64), (2, 3)),
        ("test_convnext", (96, 64), (2, 3)),
        ("test_vit", (160, 160), (10, 10)),
    ],
)
def test_places__come_from_convolutions_and_transformers(
    name: str, size: tuple[int, int], grid: tuple[int, int]
) -> None:
    width, height = size
    backbone = timm.create_model(name, num_classes=0).eval()
    assert patch_grid(backbone, width_px=width, height_px=height) == grid
    features = patch_features(backbone, torch.zeros(2, 3, height, width))
    assert features.shape == (2, grid[0] * grid[1], backbone.num_features)


def test_grid__refuses_a_network_without_places() -> None:
    class Flat(nn.Module):
        num_features = 4

        def forward_features(self, pixels: torch.Tensor) -> torch.Tensor:
            return pixels.flatten(1)[:, :4]

    with pytest.raises(SettingsError, match="no rows and columns"):
        patch_grid(Flat(), width_px=8, height_px=8)


class Tokens(nn.Module):
    """A network that gives tokens and no account of their rows and columns."""

    num_features = 4

    def __init__(self, n_tokens: int, *, n_prefix: int = 0) -> None:
        super().__init__()
        self.n_tokens = n_tokens
        self.num_prefix_tokens = n_prefix

    def forward_features(self, pixels: torch.Tensor) -> torch.Tensor:
        return torch.zeros(len(pixels), self.n_tokens, 4)


@pytest.mark.parametrize(
    ("tokens", "grid"),
    [
        (Tokens(6 * 8), (6, 8)),
        (Tokens(11 * 15 + 1, n_prefix=1), (11, 15)),
        (Tokens(22 * 30), (22, 30)),
    ],
)
def test_grid__follows_from_the_number_of_tokens(tokens: Tokens, grid: tuple[int, int]) -> None:
    assert patch_grid(tokens, width_px=480, height_px=352) == grid


def test_grid__refuses_tokens_that_fill_none() -> None:
    with pytest.raises(SettingsError, match=r"\(1, 47, 4\), which have no rows and columns"):
        patch_grid(Tokens(47), width_px=480, height_px=352)


def test_maps__are_the_patches_that_the_logits_rest_on() -> None:
    model = network(PoolingConfig(global_weight=0.5, top_k_patches=2)).eval()
    nn.init.normal_(model.heads.patch_head.weight)
    pixels = torch.rand(2, 3, 64, 96, generator=torch.Generator().manual_seed(1))
    assert not has_maps(model)
    with pytest.raises(ValueError, match="without the rows and columns"):
        model.with_maps(pixels)
    model.map_grid = patch_grid(model.backbone, width_px=96, height_px=64)
    is_mapped = has_maps(model)
    assert is_mapped
    with torch.inference_mode():
        logits, features, maps = model.with_maps(pixels)
        torch.testing.assert_close(logits, model(pixels), rtol=0, atol=0)
        torch.testing.assert_close(features, model.with_features(pixels)[1], rtol=0, atol=0)
        assert maps.shape == (2, 3, 2, 3)
        cells = model.backbone.forward_features(pixels)
        for row in range(2):
            for column in range(3):
                here = model.heads.patch_head(cells[:, :, row, column])
                torch.testing.assert_close(maps[:, :, row, column], here)
        best = maps.flatten(2).topk(2, dim=2).values.mean(dim=2)
        rest = 0.5 * model.heads.global_head(features)
        gain = model.heads.patch_gain
        torch.testing.assert_close(logits, rest + gain * (best + 4.0) - 4.0)


@pytest.mark.parametrize(
    ("name", "grid"), [("test_efficientnet", (2, 3)), ("test_resnet", (2, 3)), ("test_vit", None)]
)
def test_averaged_grid__is_found_where_features_are_a_mean(
    name: str, grid: tuple[int, int] | None
) -> None:
    size = (96, 64) if grid else (160, 160)
    backbone = timm.create_model(name, num_classes=0)
    assert averaged_grid(backbone, width_px=size[0], height_px=size[1]) == grid


def test_averaged_grid__of_a_network_that_takes_the_largest_is_none() -> None:
    backbone = timm.create_model("test_efficientnet", num_classes=0, global_pool="max")
    assert averaged_grid(backbone, width_px=96, height_px=64) is None
    assert averaged_grid(nn.Identity(), width_px=96, height_px=64) is None


def test_probe__says_of_the_mean_the_mean_of_what_it_says_of_cells() -> None:
    backbone: Any = timm.create_model("test_efficientnet", num_classes=0).eval()
    rng = np.random.default_rng(0)
    mean, std = rng.uniform(0.5, 2, (2, backbone.num_features)).astype(np.float32)
    head = LinearProbe(mean, std, _PRIOR, dropout=0.5)
    nn.init.normal_(head.linear.weight)
    model = ProbeNetwork(backbone, head, grid=(2, 3)).eval()
    pixels = torch.rand(2, 3, 64, 96, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        logits, features, maps = model.with_maps(pixels)
        torch.testing.assert_close(logits, model(pixels), rtol=0, atol=0)
        torch.testing.assert_close(features, model.with_features(pixels)[1], rtol=0, atol=0)
        torch.testing.assert_close(maps.mean(dim=(2, 3)), logits, rtol=1e-4, atol=1e-4)
        cell = backbone.forward_features(pixels)[:, :, 1, 2]
        torch.testing.assert_close(maps[:, :, 1, 2], head(cell), rtol=1e-4, atol=1e-4)
    assert not has_maps(ProbeNetwork(backbone, head))


def test_network__starts_near_class_frequency() -> None:
    model = network().eval()
    with torch.inference_mode():
        logits = model(torch.zeros(1, 3, 64, 96))
    np.testing.assert_allclose(torch.sigmoid(logits)[0].numpy(), _PRIOR, atol=0.1)


def test_network__gives_places_while_training_only() -> None:
    model, pixels = network(), torch.rand(2, 3, 64, 96)
    assert model.train()(pixels).shape == (2, 3 * (1 + 6))
    assert model.eval()(pixels).shape == (2, 3)


def test_logits__are_the_whole_plus_a_soft_maximum_over_places() -> None:
    model, pixels = network(), torch.rand(2, 3, 64, 96)
    outputs = model.train()(pixels).detach()
    features = patch_features(model.backbone, pixels).mean(dim=1)
    whole = model.heads.global_head(features).detach()
    for image in range(2):
        for column in range(3):
            patches = outputs[image, 3:].reshape(6, 3)[:, column].tolist()
            soft = math.log(sum(math.exp(patch) for patch in patches) / 6) + 4
            assert float(outputs[image, column]) == pytest.approx(
                float(whole[image, column]) + soft, abs=1e-4
            )


def test_batch_norm__never_learns_from_the_batch() -> None:
    model = network().train()
    norms = [name for name, _ in model.backbone.named_buffers() if "running_mean" in name]
    before = {name: buffer.clone() for name, buffer in model.backbone.named_buffers()}
    together = model(torch.rand(4, 3, 64, 96))
    together.sum().backward()
    assert norms
    for name, buffer in model.backbone.named_buffers():
        torch.testing.assert_close(buffer, before[name])


def test_batch_norm__gives_in_training_what_it_gave_before() -> None:
    torch.manual_seed(0)
    backbone: Any = timm.create_model("test_efficientnet", num_classes=0).eval()
    pixels = torch.rand(2, 3, 64, 96)
    with torch.inference_mode():
        before = patch_features(backbone, pixels)
    heads = PatchHeads(_PRIOR, n_features=backbone.num_features)
    model = PatchNetwork(backbone, heads, dropout=0.0).train()
    with torch.inference_mode():
        torch.testing.assert_close(patch_features(model.backbone, pixels), before)


def test_prediction__half_the_whole_and_the_mean_of_the_clearest_places() -> None:
    model = network(PoolingConfig(global_weight=0.5, top_k_patches=2))
    pixels = torch.rand(2, 3, 64, 96)
    training = model.train()(pixels).detach()
    predicted = model.eval()(pixels).detach()
    whole = model.heads.global_head(patch_features(model.backbone, pixels).mean(dim=1)).detach()
    for image in range(2):
        for column in range(3):
            patches = sorted(training[image, 3:].reshape(6, 3)[:, column].tolist())
            expected = 0.5 * float(whole[image, column]) + sum(patches[-2:]) / 2
            assert float(predicted[image, column]) == pytest.approx(expected, abs=1e-4)


def test_prediction__takes_all_places_where_there_are_fewer() -> None:
    model = network(PoolingConfig(global_weight=1.0, top_k_patches=100)).eval()
    assert torch.isfinite(model(torch.rand(1, 3, 64, 96))).all()


def test_training__moves_the_weights_of_batch_normalisation_and_not_its_statistics() -> None:
    model = network().train()
    kept = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    nn.init.normal_(model.heads.global_head.weight)
    pixels = torch.rand(3, 3, 64, 96, generator=torch.Generator().manual_seed(1))
    model(pixels).square().mean().backward()
    torch.optim.SGD(model.parameters(), lr=0.1).step()
    after = model.state_dict()
    norms = [name.removesuffix("running_var") for name in kept if name.endswith("running_var")]
    assert norms
    for norm in norms:
        for statistic in ("running_mean", "running_var"):
            assert torch.equal(after[norm + statistic], kept[norm + statistic])
        assert not torch.equal(after[norm + "weight"], kept[norm + "weight"])
        assert not torch.equal(after[norm + "bias"], kept[norm + "bias"])


def test_an_image__is_seen_alike_in_training_whatever_is_beside_it() -> None:
    model = network().train()
    pixels = torch.rand(3, 3, 64, 96, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(model(pixels)[:1], model(pixels[:1]), rtol=1e-4, atol=1e-5)
