"""The recipes that look at patches, from data set to bundle."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from finding_nemo import read_dataset, split_by_dive
from finding_nemo.core.records import Dataset, Split
from finding_nemo.core.reporter import Reporter
from finding_nemo.metrics.ranking import rank_columns
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


def planted(row: int, column: int, *, seed: int) -> Any:
    """Return a dark frame of 3 x 4 patches with a green animal in one of them."""
    pixels = np.random.default_rng(seed).integers(0, 50, (96, 128, 3), dtype=np.uint8)
    top, left = 32 * row, 32 * column
    pixels[top : top + 32, left : left + 32] = (40, 200, 90)
    return pixels


def write_planted(folder: Path) -> Path:
    """Write 36 frames of six dives: two of three hold the animal, each with its box."""
    images: list[dict[str, Any]] = []
    boxes: list[dict[str, Any]] = []
    for number in range(36):
        row, column = number % 3, number % 4
        pixels = planted(row, column, seed=number)
        if number % 3 == 2 and number % 2:
            pixels = np.random.default_rng(number).integers(0, 50, pixels.shape, dtype=np.uint8)
        else:
            box = [32 * column, 32 * row, 32, 32]
            boxes.append({"id": number, "image_id": number, "category_id": 1, "bbox": box})
        name = f"dive{number % 6}/f{number}.png"
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(folder / name)
        images.append({"id": number, "file_name": name, "width": 128, "height": 96})
    table = [{"id": 1, "name": "animal", "supercategory": "group"}]
    table.append({"id": 2, "name": "other", "supercategory": "group"})
    content = {"images": images, "annotations": boxes, "categories": table}
    (folder / "frames.json").write_text(json.dumps(content))
    return folder / "frames.json"


def test_maps__show_where_a_planted_animal_is(tmp_path: Path) -> None:
    data = read_dataset(write_planted(tmp_path / "frames"), dive_pattern=r"(?P<dive>dive\d)")
    split = split_by_dive(data, val_fraction=0.2, seed=0)
    size = {"width_px": 128, "height_px": 96, "dropout": 0.0, "learning_rate": 0.02}
    run = trained(data, split, tmp_path / "run", "patches", epochs=40, **size)
    predictor = Predictor(run.bundle, with_maps=True)
    assert predictor.map_grid == (3, 4)
    patches = [(row, column) for row in range(3) for column in range(4)]
    frames = [planted(*patch, seed=99) for patch in patches]
    found = 0
    for patch, prediction in zip(patches, predictor.predict(frames), strict=True):
        assert prediction.probabilities is not None
        assert prediction.maps is not None
        best = rank_columns(prediction.probabilities[np.newaxis], k=5)[0].tolist()
        heat = prediction.maps[best.index(data.categories.column_of(1))]
        found += np.unravel_index(int(heat.argmax()), heat.shape) == patch
    # By chance it would be 1 of 12.
    assert found >= 9


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
