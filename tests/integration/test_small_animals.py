"""The recipes that look at patches, from data set to bundle."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from finding_nemo.core.records import Dataset, Split
from finding_nemo.core.reporter import Reporter
from finding_nemo.prediction.predictor import Predictor
from finding_nemo.prediction.sources.image_sources import collect_images
from finding_nemo.training.loop import checkpoints
from finding_nemo.training.loop import trainer as loop
from finding_nemo.training.loop.trained_run import TrainedRun
from finding_nemo.training.train_recipe import train

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


def unboxed(dataset: Dataset) -> Dataset:
    return replace(dataset, records=tuple(replace(r, boxes=()) for r in dataset.records))


def test_nemo__says_which_layers_learn_and_how_prediction_weighs_the_heads(
    dataset: Dataset, split: Split, tmp_path: Path
) -> None:
    told: list[str] = []
    settings = {**_SMALL, "epochs": 1}
    train(
        dataset,
        out=tmp_path / "boxed",
        recipe="nemo",
        split=split,
        settings=settings,
        reporter=Reporter(told.append),
    )
    settings["trained_layers"] = 1
    train(
        unboxed(dataset),
        out=tmp_path / "bare",
        recipe="nemo",
        split=split,
        settings=settings,
        reporter=Reporter(told.append),
    )
    layers = [line.split(":")[0] for line in told if line.startswith("training")]
    assert layers == ["training 6 of 6 layers", "training 1 of 6 layers"]
    weighed = [line for line in told if line.startswith("prediction")]
    assert weighed == [
        "prediction: 0.5 of what the whole frame says, beside its 3 clearest patches: "
        "the recipe's.",
        "prediction weighs patches and frame as training does: boxes did not teach it.",
    ]


def test_nemo__without_boxes_leaves_the_network_as_it_is(
    dataset: Dataset, split: Split, tmp_path: Path
) -> None:
    bare = unboxed(dataset)
    run = trained(bare, split, tmp_path / "nemo")
    same = trained(bare, split, tmp_path / "patches", "patches")
    assert run.bundle.manifest.recipe == "nemo"
    assert run.bundle.manifest.settings == same.bundle.manifest.settings
    assert run.bundle.onnx_path.read_bytes() == same.bundle.onnx_path.read_bytes()


@pytest.mark.parametrize("boxes", [True, False])
def test_places__learn_the_tiny_animals(
    dataset: Dataset, split: Split, tmp_path: Path, *, boxes: bool
) -> None:
    told: list[str] = []
    data = dataset if boxes else unboxed(dataset)
    settings = {**_SMALL, "epochs": 12, "learning_rate": 1e-2, "dropout": 0.1}
    run = train(
        data,
        out=tmp_path / "run",
        recipe="patches",
        split=split,
        settings=settings,
        reporter=Reporter(told.append),
    )
    losses = [row.training_loss for row in run.history]
    assert losses[-1] < 0.8 * losses[0]
    teacher = "patches learn from boxes" if boxes else "patches learn from whole frames"
    assert any(line.startswith(teacher) for line in told)
    images = Predictor(run.bundle).predict(collect_images([str(dataset.root)]))
    vectors = [image.probabilities for image in images]
    assert all(v is not None and np.isfinite(v).all() for v in vectors)


@pytest.mark.parametrize("recipe", ["nemo", "patches"])
def test_training__stopped_after_an_epoch_ends_with_the_same_bundle(
    dataset: Dataset, split: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recipe: str
) -> None:
    whole = trained(dataset, split, tmp_path / "whole", recipe)
    real = checkpoints.save_checkpoint

    def then_stop(*arguments: Any) -> None:
        real(*arguments)
        raise RuntimeError("stopped")

    with monkeypatch.context() as patch:
        patch.setattr(loop, "save_checkpoint", then_stop)
        with pytest.raises(RuntimeError, match="stopped"):
            trained(dataset, split, tmp_path / "stopped", recipe)
    resumed = trained(dataset, split, tmp_path / "stopped", recipe, resume=True)
    assert resumed.bundle_hash == whole.bundle_hash


def test_finetune__trains_a_transformer_with_checkpointing(
    dataset: Dataset, split: Split, tmp_path: Path
) -> None:
    changes: dict[str, Any] = {"backbone": "test_vit", "width_px": 160, "height_px": 160}
    run = trained(dataset, split, tmp_path / "run", "nemo-finetune", epochs=1, **changes)
    assert run.bundle.manifest.recipe == "nemo-finetune"
    assert run.bundle.onnx_path.is_file()


def test_recipe_by_its_old_name__is_trained_and_the_new_one_said(
    dataset: Dataset, split: Split, tmp_path: Path
) -> None:
    told: list[str] = []
    run = train(
        dataset,
        out=tmp_path / "run",
        recipe="places",
        split=split,
        settings={**_SMALL, "epochs": 1},
        reporter=Reporter(told.append),
    )
    assert told[0].startswith("Recipe 'places' was renamed to 'patches'; ")
    assert run.bundle.manifest.recipe == "patches"
