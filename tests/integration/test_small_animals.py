"""The recipes that look at places, from data set to bundle."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from finding_nemo.core.records import Dataset, Split
from finding_nemo.prediction.inputs import collect_images
from finding_nemo.prediction.predictor import Predictor
from finding_nemo.training import checkpoints, loop
from finding_nemo.training.train import TrainedRun, train

pytestmark = pytest.mark.slow

_SMALL: dict[str, Any] = {
    "backbone": "test_efficientnet",
    "width_px": 64,
    "height_px": 64,
    "pretrained": False,
    "batch_size": 8,
    "epochs": 2,
}


def trained(
    dataset: Dataset, split: Split, out: Path, recipe: str = "nemo", **changes: Any
) -> TrainedRun:
    resume = bool(changes.pop("resume", False))
    settings = {**_SMALL, **changes}
    return train(dataset, out=out, recipe=recipe, split=split, settings=settings, resume=resume)


def test_nemo__learns_the_tiny_animals(dataset: Dataset, split: Split, tmp_path: Path) -> None:
    changes: dict[str, Any] = {"epochs": 12, "trained_layers": 99, "learning_rate": 3e-3}
    run = trained(dataset, split, tmp_path / "run", dropout=0.1, backbone_rate=1.0, **changes)
    losses = [row.training_loss for row in run.history]
    assert losses[-1] < 0.8 * losses[0]
    images = Predictor(run.bundle).predict(collect_images([str(dataset.root)]))
    vectors = [image.probabilities for image in images]
    assert all(v is not None and np.isfinite(v).all() for v in vectors)


def test_nemo__says_how_prediction_weighs_the_heads(
    dataset: Dataset, split: Split, tmp_path: Path
) -> None:
    told: list[str] = []
    unboxed = replace(dataset, records=tuple(replace(r, boxes=()) for r in dataset.records))
    for number, data in enumerate((dataset, unboxed)):
        train(
            data,
            out=tmp_path / str(number),
            recipe="nemo",
            split=split,
            settings={**_SMALL, "epochs": 1},
            notify=told.append,
        )
    layers = [line for line in told if line.startswith("training")]
    assert layers[0].split(":")[0] == "training 6 of 6 layers"
    assert "training 1 of 6 layers: boxes say where things are in 0 %" in layers[1]
    weighed = [line for line in told if line.startswith("prediction")]
    assert weighed == [
        "prediction: 0.5 of what the whole frame says, beside its 3 clearest places: the recipe's.",
        "prediction weighs places and frame as training does: boxes did not teach it.",
    ]


def test_nemo__stopped_after_an_epoch_ends_with_the_same_bundle(
    dataset: Dataset, split: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = trained(dataset, split, tmp_path / "whole")
    real = checkpoints.save_checkpoint

    def then_stop(*arguments: Any) -> None:
        real(*arguments)
        raise RuntimeError("stopped")

    with monkeypatch.context() as patch:
        patch.setattr(loop, "save_checkpoint", then_stop)
        with pytest.raises(RuntimeError, match="stopped"):
            trained(dataset, split, tmp_path / "stopped")
    resumed = trained(dataset, split, tmp_path / "stopped", resume=True)
    assert resumed.bundle_hash == whole.bundle_hash


def test_finetune__trains_a_transformer_with_checkpointing(
    dataset: Dataset, split: Split, tmp_path: Path
) -> None:
    changes: dict[str, Any] = {"backbone": "test_vit", "width_px": 160, "height_px": 160}
    run = trained(dataset, split, tmp_path / "run", "nemo-finetune", epochs=1, **changes)
    assert run.bundle.manifest.recipe == "nemo-finetune"
    assert run.bundle.onnx_path.is_file()
