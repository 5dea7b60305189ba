"""Heads on stored features of places, by hand and against a slow version."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import timm
import torch
from torch import nn

from finding_nemo.models.networks.frozen_patch_network import (
    FrozenPlaceHeads,
    FrozenPlaceNetwork,
    PlaceFeatures,
    PlaceSpread,
    spread_of,
)
from finding_nemo.models.networks.patch_heads import AS_TRAINED, Judgement, PlaceHeads

_PRIOR = np.array([0.5, 0.1, 0.02])


def heads(n_features: int = 4, dropout: float = 0.0, judgement: Judgement = AS_TRAINED) -> Any:
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    mean, std, place_std = rng.uniform(0.5, 2, (3, n_features)).astype(np.float32)
    spread = PlaceSpread(mean, std, place_std)
    inside = PlaceHeads(_PRIOR, n_features=n_features, judgement=judgement)
    nn.init.normal_(inside.whole.weight)
    nn.init.normal_(inside.places.weight)
    return FrozenPlaceHeads(inside, spread, dropout=dropout)


def features(n_images: int = 2, n_features: int = 4) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(n_images, 6, n_features, generator=generator)


def test_spread__by_hand() -> None:
    frames = np.array([[[0.0, 5.0], [2.0, 5.0]], [[4.0, 5.0], [8.0, 5.0]]], np.float32)
    spread = spread_of(frames)
    np.testing.assert_allclose(spread.mean, [3.5, 5])
    np.testing.assert_allclose(spread.std, [2.5, 1e-6], rtol=1e-6)
    # Beside their frames' means: -1, 1, -2, 2.
    np.testing.assert_allclose(spread.place_std, [2.5**0.5, 1e-6], rtol=1e-6)


def test_heads__standardise_the_mean_and_what_a_place_has_beside_it() -> None:
    model, seen = heads().eval(), features()
    logits, mean = model.with_features(seen)
    for image in range(2):
        frame = seen[image].numpy()
        middle = frame.mean(axis=0)
        whole = torch.from_numpy((middle - model.mean.numpy()) / model.std.numpy())
        places = torch.from_numpy((frame - middle) / model.place_std.numpy())
        expected = model.heads(whole[None], places[None])
        torch.testing.assert_close(logits[image], expected[0], rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(mean[image], middle, rtol=1e-5, atol=1e-6)


def test_places__do_not_see_what_a_whole_frame_has_in_common() -> None:
    model = heads()
    nn.init.zeros_(model.heads.whole.weight)
    seen = features()
    constant = torch.randn(2, 1, 4, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(model(seen), model(seen + constant), rtol=1e-4, atol=1e-4)


def test_dropout__takes_a_feature_from_all_places_of_a_frame() -> None:
    model = heads(n_features=64, dropout=0.5).train()
    seen = torch.zeros(1, 6, 64)
    # Opposite places: each place's logits, less the bias, are those of its opposite, negated.
    seen[0, :3] = torch.randn(1, 64, generator=torch.Generator().manual_seed(3))
    seen[0, 3:] = -seen[0, :3]
    places = model(seen)[0, 3:].reshape(6, 3) - model.heads.places.bias
    torch.testing.assert_close(places[:3], -places[3:], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(places[0], places[1])


@pytest.mark.parametrize("name", ["test_efficientnet", "test_convnext"])
def test_network__is_the_heads_on_the_backbone(name: str) -> None:
    backbone: Any = timm.create_model(name, num_classes=0).eval()
    model = heads(n_features=backbone.num_features).eval()
    places = PlaceFeatures(backbone)
    whole = FrozenPlaceNetwork(places, model).eval()
    pixels = torch.rand(2, 3, 64, 96, generator=torch.Generator().manual_seed(4))
    with torch.inference_mode():
        logits, mean = whole.with_features(pixels)
        torch.testing.assert_close(logits, model(places(pixels)))
        torch.testing.assert_close(logits, whole(pixels))
        torch.testing.assert_close(mean, places(pixels).mean(dim=1))
