"""The exported network sees stored images as the trained one does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from finding_nemo.core.arrays import Ints
from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.core.reporter import no_progress
from finding_nemo.models.inference.pixel_network import NetworkOutput
from finding_nemo.models.inference.runtime_choice import open_network
from finding_nemo.models.networks.with_features import WithFeatures
from finding_nemo.models.onnx_export.export_onnx import export_onnx
from finding_nemo.training.augmentation.cutout import PreparePixels
from finding_nemo.training.examples.array_cache import ArrayCache, CachedRows
from finding_nemo.training.packaging.batch_inference import infer_with_runtime, infer_with_torch

SPEC = Preprocessing(width_px=8, height_px=8, mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.4))


@pytest.fixture
def stored(tmp_path: Path) -> CachedRows:
    pixels = np.random.default_rng(0).integers(0, 256, (37, 8, 8, 3), dtype=np.uint8)
    store = ArrayCache(tmp_path, row_shape=(8, 8, 3), dtype=np.uint8)
    keys = [str(row) for row in range(len(pixels))]
    store.add(keys, iter(pixels))
    return store.rows(keys)


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 5, 3, stride=2),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(5, 4),
    )


def by_torch(trained: nn.Module, stored: CachedRows, rows: Ints) -> NetworkOutput:
    return infer_with_torch(
        trained,
        PreparePixels(SPEC, cutout_px=0, channels_last=True),
        stored,
        rows,
        device=torch.device("cpu"),
        batch_size=8,
        progress=no_progress,
    )


def test_runtime__sees_what_torch_sees(stored: CachedRows) -> None:
    trained = network()
    # Not in order, and more than one task of the runtime's threads.
    rows = np.random.default_rng(1).permutation(37)[:35]
    wanted = by_torch(trained, stored, rows)
    exported = export_onnx(WithFeatures(trained), SPEC, output="logits", more=("features",))
    ticks: list[tuple[int, int]] = []
    output = infer_with_runtime(
        open_network(exported, SPEC),
        stored,
        rows,
        progress=lambda done, total, failures=0: ticks.append((done, total)),
    )
    assert wanted.features is not None
    assert output.features is not None
    assert wanted.outputs.shape == (35, 4)
    assert wanted.features.shape == (35, 5)
    np.testing.assert_allclose(output.outputs, wanted.outputs, atol=1e-5)
    np.testing.assert_allclose(output.features, wanted.features, atol=1e-5)
    assert ticks == [(16, 35), (32, 35), (35, 35)]


def test_network_without_features__gives_outputs_alone(stored: CachedRows) -> None:
    wide = nn.Sequential(nn.Conv2d(3, 4, 8), nn.Flatten())
    exported = export_onnx(wide, SPEC, output="logits")
    rows = np.arange(3)
    output = infer_with_runtime(open_network(exported, SPEC), stored, rows, progress=no_progress)
    wanted = by_torch(wide, stored, rows)
    assert output.features is None
    assert wanted.features is None
    np.testing.assert_allclose(output.outputs, wanted.outputs, atol=1e-5)


@pytest.mark.parametrize("way", ["torch", "runtime"])
def test_no_row__gives_no_output(stored: CachedRows, way: str) -> None:
    none = np.arange(0)
    if way == "torch":
        output = by_torch(network(), stored, none)
    else:
        exported = export_onnx(network(), SPEC, output="logits")
        output = infer_with_runtime(
            open_network(exported, SPEC), stored, none, progress=no_progress
        )
    assert len(output.outputs) == 0
