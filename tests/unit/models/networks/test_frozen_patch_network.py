"""Heads on stored features of patches, by hand and against a slow version."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import timm
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from finding_nemo.models.networks.frozen_patch_network import (
    FrozenPatchHeads,
    FrozenPatchNetwork,
    PatchFeatures,
    PatchSpread,
    scale_of,
    spread_of,
)
from finding_nemo.models.networks.patch_heads import TRAINING_POOLING, PatchHeads, PoolingConfig

_PRIOR = np.array([0.5, 0.1, 0.02])


def heads(
    n_features: int = 4, dropout: float = 0.0, pooling: PoolingConfig = TRAINING_POOLING
) -> Any:
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    mean, std, patch_std = rng.uniform(0.5, 2, (3, n_features)).astype(np.float32)
    spread = PatchSpread(mean, std, patch_std)
    inside = PatchHeads(_PRIOR, n_features=n_features, pooling=pooling)
    nn.init.normal_(inside.global_head.weight)
    nn.init.normal_(inside.patch_head.weight)
    return FrozenPatchHeads(inside, spread, dropout=dropout)


def features(n_images: int = 2, n_features: int = 4) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(n_images, 6, n_features, generator=generator)


@pytest.mark.parametrize(
    ("std", "scale"),
    [
        # The mean is 1, a twentieth of it 0.05.
        ([2.0, 1.96, 0.04, 0.0], [2.0, 1.96, 0.05, 0.05]),
        ([1.0, 0.5], [1.0, 0.5]),
        ([0.0, 0.0], [1e-6, 1e-6]),
        ([1e-9], [1e-6]),
    ],
)
def test_scale__by_hand(std: list[float], scale: list[float]) -> None:
    np.testing.assert_allclose(scale_of(np.array(std)), scale)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=20))
def test_scale__equals_a_slow_version(std: list[float]) -> None:
    mean = sum(std) / len(std)
    slow = [one if one > max(mean / 20, 1e-6) else max(mean / 20, 1e-6) for one in std]
    np.testing.assert_allclose(scale_of(np.array(std)), slow)


def test_scale__takes_half_precision() -> None:
    # Their sum overflows float16.
    np.testing.assert_allclose(scale_of(np.full(5000, 60.0, np.float16)), 60)


def test_spread__by_hand() -> None:
    frames = np.array([[[0.0, 5.0], [2.0, 5.0]], [[4.0, 5.0], [8.0, 5.0]]], np.float32)
    spread = spread_of(frames)
    np.testing.assert_allclose(spread.mean, [3.5, 5])
    # The second feature never changes: a twentieth of the mean of 2.5 and 0.
    np.testing.assert_allclose(spread.std, [2.5, 0.0625], rtol=1e-6)
    # Beside their frames' means: -1, 1, -2, 2.
    np.testing.assert_allclose(spread.patch_std, [2.5**0.5, 2.5**0.5 / 40], rtol=1e-6)


def test_spread__lets_no_feature_that_was_shut_outweigh_all_others() -> None:
    rng = np.random.default_rng(5)
    seen = rng.uniform(0, 6, (40, 12, 5)).astype(np.float32)
    seen[:, :, 4] = 0
    seen[7, 3, 4] = 1e-5
    inside = PatchHeads(_PRIOR, n_features=5, pooling=TRAINING_POOLING)
    nn.init.ones_(inside.global_head.weight)
    nn.init.ones_(inside.patch_head.weight)
    network: Any = FrozenPatchHeads(inside, spread_of(seen), dropout=0.0).eval()
    later = torch.from_numpy(seen[:1].copy())
    later[0, 2, 4] = 6  # ReLU6 is open at last.
    # By its own standard deviation, 5e-7, that patch would have ten million.
    assert float(network(later).detach().abs().max()) < 500


def test_spread__equals_that_of_all_frames_at_once() -> None:
    rng = np.random.default_rng(3)
    frames = (rng.normal(size=(9, 12, 5)) * rng.uniform(0.1, 9, 5) + 40).astype(np.float16)
    spread = spread_of(iter(frames))
    exact = frames.astype(np.float64)
    means = exact.mean(axis=1)
    beside = (exact - means[:, None]).reshape(-1, 5)
    np.testing.assert_allclose(spread.mean, means.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(spread.std, means.std(axis=0), rtol=1e-5)
    np.testing.assert_allclose(spread.patch_std, beside.std(axis=0), rtol=1e-4)


def test_heads__standardise_the_mean_and_what_a_place_has_beside_it() -> None:
    model, seen = heads().eval(), features()
    logits, mean = model.with_features(seen)
    for image in range(2):
        frame = seen[image].numpy()
        middle = frame.mean(axis=0)
        whole = torch.from_numpy((middle - model.mean.numpy()) / model.std.numpy())
        patches = torch.from_numpy((frame - middle) / model.patch_std.numpy())
        expected = model.heads(whole[None], patches[None])
        torch.testing.assert_close(logits[image], expected[0], rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(mean[image], middle, rtol=1e-5, atol=1e-6)


def test_places__do_not_see_what_a_whole_frame_has_in_common() -> None:
    model = heads()
    nn.init.zeros_(model.heads.global_head.weight)
    seen = features()
    constant = torch.randn(2, 1, 4, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(model(seen), model(seen + constant), rtol=1e-4, atol=1e-4)


def test_dropout__takes_a_feature_from_all_places_of_a_frame() -> None:
    model = heads(n_features=64, dropout=0.5).train()
    seen = torch.zeros(1, 6, 64)
    # Opposite patches: each patch's logits, less the bias, are those of its opposite, negated.
    seen[0, :3] = torch.randn(1, 64, generator=torch.Generator().manual_seed(3))
    seen[0, 3:] = -seen[0, :3]
    patches = model(seen)[0, 3:].reshape(6, 3) - model.heads.patch_head.bias
    torch.testing.assert_close(patches[:3], -patches[3:], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(patches[0], patches[1])


@pytest.mark.parametrize("name", ["test_efficientnet", "test_convnext"])
def test_network__is_the_heads_on_the_backbone(name: str) -> None:
    backbone: Any = timm.create_model(name, num_classes=0).eval()
    model = heads(n_features=backbone.num_features).eval()
    patches = PatchFeatures(backbone)
    frame = FrozenPatchNetwork(patches, model).eval()
    pixels = torch.rand(2, 3, 64, 96, generator=torch.Generator().manual_seed(4))
    with torch.inference_mode():
        logits, mean = frame.with_features(pixels)
        torch.testing.assert_close(logits, model(patches(pixels)))
        torch.testing.assert_close(logits, frame(pixels))
        torch.testing.assert_close(mean, patches(pixels).mean(dim=1))
        mapped = FrozenPatchNetwork(patches, model, grid=(2, 3)).eval()
        again, features, maps = mapped.with_maps(pixels)
        torch.testing.assert_close(again, logits, rtol=0, atol=0)
        torch.testing.assert_close(features, mean, rtol=0, atol=0)
        seen = patches(pixels)
        beside = (seen[:, 4] - mean) / model.patch_std
        # Patch 4 of 2 x 3 is in the second row, second column.
        torch.testing.assert_close(
            maps[:, :, 1, 1], model.heads.patch_head(beside), rtol=1e-4, atol=1e-4
        )
