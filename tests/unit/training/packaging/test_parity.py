"""The exported network is held against another: its outputs and its maps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from finding_nemo.core.errors import TrainingError
from finding_nemo.models.bundle.bundle import load_bundle
from finding_nemo.models.inference.onnxruntime_network import OnnxNetwork
from finding_nemo.training.packaging.parity import check_outputs

IMAGES = np.random.default_rng(5).normal(size=(2, 3, 32, 32)).astype(np.float32)


def test_maps__are_checked_like_outputs(bundle_with_maps: Path) -> None:
    bundle = load_bundle(bundle_with_maps)
    given = OnnxNetwork(bundle.onnx_path).forward(IMAGES, with_maps=True)
    maps = given.patch_logits
    assert maps is not None
    same = check_outputs(bundle, given.outputs, IMAGES, source="itself", patch_logits=maps)
    assert same == 0.0
    moved = maps.copy()
    moved[1, 7, 3, 4] += 0.01 * max(1.0, abs(moved[1, 7, 3, 4]))
    turned = maps.transpose(0, 1, 3, 2)[:, :, :, :14]
    nan = np.where(maps == maps[0, 0, 0, 0], np.nan, maps)
    for wrong in (moved, turned, nan):
        with pytest.raises(TrainingError, match="differs from torch"):
            check_outputs(bundle, given.outputs, IMAGES, source="torch", patch_logits=wrong)


def test_maps__that_are_missing_are_a_difference(small_bundle: Path) -> None:
    bundle = load_bundle(small_bundle)
    outputs = OnnxNetwork(bundle.onnx_path).outputs(IMAGES)
    maps = np.zeros((2, 30, 15, 15), dtype=np.float32)
    with pytest.raises(TrainingError, match="differs from torch by inf"):
        check_outputs(bundle, outputs, IMAGES, source="torch", patch_logits=maps)
