"""The exported network sees stored images as the trained one does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.models.engine import open_network
from finding_nemo.models.export import export_onnx
from finding_nemo.models.pooled import WithFeatures
from finding_nemo.training.array_store import ArrayStore, StoredRows
from finding_nemo.training.look_again import look_by_runtime, look_by_torch
from finding_nemo.training.pixels import PreparePixels

SPEC = Preprocessing(width_px=8, height_px=8, mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.4))


@pytest.fixture
def stored(tmp_path: Path) -> StoredRows:
    pixels = np.random.default_rng(0).integers(0, 256, (37, 8, 8, 3), dtype=np.uint8)
    store = ArrayStore(tmp_path, row_shape=(8, 8, 3), dtype=np.uint8)
    keys = [str(row) for row in range(len(pixels))]
    store.add(keys, iter(pixels))
    return store.rows(keys)


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 5, 3, stride=2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(5, 4),
    )  # fmt: skip


def test_runtime__sees_what_torch_sees(stored: StoredRows) -> None:
    trained = network()
    prepare = PreparePixels(SPEC, cutout_px=0, channels_last=True)
    # Not in order, and more than one task of the runtime's threads.
    rows = np.random.default_rng(1).permutation(37)[:35]
    by_torch = look_by_torch(
        trained, prepare, stored, rows, device=torch.device("cpu"), batch_size=8
    )
    exported = export_onnx(WithFeatures(trained), SPEC, output="logits", second="features")
    by_runtime = look_by_runtime(open_network(exported, SPEC), stored, rows)
    assert by_torch.logits.shape == (35, 4)
    assert by_torch.features.shape == (35, 5)
    np.testing.assert_allclose(by_runtime.logits, by_torch.logits, atol=1e-5)
    np.testing.assert_allclose(by_runtime.features, by_torch.features, atol=1e-5)


def test_network_without_features__is_refused(stored: StoredRows) -> None:
    exported = export_onnx(network(), SPEC, output="logits")
    with pytest.raises(ValueError, match="no output 'features'"):
        look_by_runtime(open_network(exported, SPEC), stored, np.arange(3))
