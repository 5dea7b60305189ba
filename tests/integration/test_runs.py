"""A training from data set to bundle: repeatable, resumable, and loud when it cannot go on."""

from __future__ import annotations

import csv
import errno
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch

from finding_nemo import read_dataset
from finding_nemo.core.errors import (
    NoSpaceError,
    OutputExistsError,
    SettingsError,
    SplitError,
    TrainingError,
)
from finding_nemo.core.records import Dataset, Split
from finding_nemo.core.reporter import Reporter
from finding_nemo.prediction.run.predict_to_file import predict_to_file
from finding_nemo.prediction.sources.image_sources import collect_images
from finding_nemo.training.loop import checkpoints
from finding_nemo.training.loop import trainer as loop
from finding_nemo.training.loop.trained_run import TrainedRun
from finding_nemo.training.recipes.registry import STUDY_RECIPES
from finding_nemo.training.train_recipe import train
from finding_nemo.workflows.train_with_curves import run_training

pytestmark = pytest.mark.slow

_SMALL: dict[str, Any] = {"width_px": 16, "height_px": 16, "pretrained": False, "batch_size": 8}


def small(dataset: Dataset, split: Split, out: Path, **changes: Any) -> TrainedRun:
    resume = bool(changes.pop("resume", False))
    recipe = str(changes.pop("recipe", "basic-nn"))
    settings = {**_SMALL, **changes}
    return train(dataset, out=out, recipe=recipe, split=split, settings=settings, resume=resume)


def predicted(run: TrainedRun, dataset: Dataset, out: Path) -> list[str]:
    predict_to_file(run.bundle, collect_images([str(dataset.root)]), out, file_format="jsonl")
    return out.read_text(encoding="utf-8").splitlines()


def test_same_seed__same_bundle_and_same_predictions(
    dataset: Dataset, split: Split, tmp_path: Path
) -> None:
    settings = {"epochs": 2, "width_px": 64, "height_px": 64}
    runs = [
        train(dataset, out=tmp_path / name, recipe="probe", split=split, settings=settings)
        for name in ("a", "b")
    ]
    assert runs[0].bundle_hash == runs[1].bundle_hash
    first, second = (predicted(run, dataset, run.folder / "p.jsonl") for run in runs)
    assert first == second
    other = train(
        dataset, out=tmp_path / "c", recipe="probe", split=split, settings=settings, seed=1
    )
    assert other.bundle_hash != runs[0].bundle_hash


_ENDLESS = """
import sys, time
from pathlib import Path
from finding_nemo import read_dataset
from finding_nemo.data.splits.split_csv import read_split
from finding_nemo.training.loop import trainer as loop
from finding_nemo.training.train_recipe import train

saved = loop.save_checkpoint

def save_and_wait(folder, network, optimizer, average, history):
    saved(folder, network, optimizer, average, history)
    if len(history) == int(sys.argv[4]):
        print("saved", flush=True)
        time.sleep(600)

loop.save_checkpoint = save_and_wait
settings = {"width_px": 16, "height_px": 16, "pretrained": False, "batch_size": 8, "epochs": 4}
train(read_dataset(sys.argv[1]), out=Path(sys.argv[2]), recipe="basic-nn",
      split=read_split(sys.argv[3]), settings=settings)
"""


@pytest.mark.parametrize("epoch", [1, 3])
def test_killed__resuming_gives_the_bundle_of_a_training_that_was_not(
    dataset: Dataset, split: Split, tmp_path: Path, epoch: int
) -> None:
    whole = small(dataset, split, tmp_path / "whole", epochs=4)
    command = [sys.executable, "-c", _ENDLESS, str(dataset.root), str(tmp_path / "killed")]
    with subprocess.Popen(
        [*command, str(whole.folder / "split.csv"), str(epoch)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "saved\n"
        os.kill(process.pid, signal.SIGKILL)
    assert not (tmp_path / "killed/bundle").exists()
    resumed = small(dataset, split, tmp_path / "killed", epochs=4, resume=True)
    assert resumed.bundle_hash == whole.bundle_hash
    assert [row.training_loss for row in resumed.history] == [
        row.training_loss for row in whole.history
    ]
    assert predicted(resumed, dataset, tmp_path / "a.jsonl") == predicted(
        whole, dataset, tmp_path / "b.jsonl"
    )


def test_ctrl_c__leaves_the_finished_epochs(
    dataset: Dataset, split: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = loop.Trainer._train_epoch

    def until_the_second(self: loop.Trainer, epoch: int, *rest: Any) -> Any:
        if epoch == 2:
            raise KeyboardInterrupt
        return real(self, epoch, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(loop.Trainer, "_train_epoch", until_the_second)
        with pytest.raises(TrainingError, match="--resume goes on from there"):
            small(dataset, split, tmp_path / "run", epochs=3)
    assert (tmp_path / "run/checkpoints/last.safetensors").is_file()
    assert len(small(dataset, split, tmp_path / "run", epochs=3, resume=True).history) == 3


def test_loss_not_a_number__stops_and_says_where(
    dataset: Dataset, split: Split, tmp_path: Path
) -> None:
    with pytest.raises(TrainingError, match=r"The loss is (nan|inf) in epoch \d+, batch \d+ of 3"):
        small(dataset, split, tmp_path / "run", epochs=9, learning_rate=1e25)


def test_full_disk__keeps_the_checkpoint_before(
    dataset: Dataset, split: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    real = safetensors.torch.save_file

    def third_fails(*args: Any, **kwargs: Any) -> None:
        calls.append(1)
        if len(calls) > 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "save_file", third_fails)
        with pytest.raises(NoSpaceError, match="No space left on the disk"):
            small(dataset, split, tmp_path / "run", epochs=4)
    assert len(small(dataset, split, tmp_path / "run", epochs=4, resume=True).history) == 4


@pytest.mark.parametrize("recipe", STUDY_RECIPES)
def test_study_recipes__train_and_predict(
    dataset: Dataset, split: Split, tmp_path: Path, recipe: str
) -> None:
    run = small(
        dataset, split, tmp_path / "run", recipe=recipe, epochs=1, width_px=32, height_px=32
    )
    lines = predicted(run, dataset, tmp_path / "p.jsonl")
    assert len(lines) == 30
    assert run.bundle.manifest.recipe == recipe
    assert (run.bundle.path / "MODEL_CARD.md").is_file()


@pytest.mark.parametrize("recipe", ["prior", "time-copy"])
def test_baselines__are_recipes_like_any_other(
    dataset: Dataset, split: Split, tmp_path: Path, recipe: str
) -> None:
    run = train(dataset, out=tmp_path / "run", recipe=recipe, split=split)
    assert run.history == ()
    assert len(predicted(run, dataset, tmp_path / "p.jsonl")) == 30


def test_run_folder__holds_logs_and_curves_and_no_pickle(
    dataset: Dataset, split: Split, tmp_path: Path
) -> None:
    run = run_training(
        dataset,
        out=tmp_path / "run",
        recipe="basic-nn",
        split=split,
        settings={**_SMALL, "epochs": 2},
    )
    with (run.folder / "log.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert float(rows[0]["training_loss"]) == run.history[0].training_loss
    assert {"validation_loss", "map_at_20", "learning_rate", "seconds", "images_per_s"} < set(
        rows[0]
    )
    for name in ("train_map_at_20", "map_at_20_calibrated", "map_at_20_shown"):
        assert 0 < float(rows[1][name]) <= 1, name
    assert (run.folder / "curves.png").stat().st_size > 1000
    files = [path for path in run.folder.rglob("*") if path.is_file()]
    assert {p.suffix for p in files} <= {".json", ".jsonl", ".csv", ".png", ".md", ".onnx",
                                         ".safetensors", ""}  # fmt: skip
    assert not any(path.read_bytes()[:2] == b"\x80\x04" for path in files)


def test_best_epoch__is_chosen_on_validation_images_alone(
    dataset: Dataset, split: Split, tmp_path: Path
) -> None:
    run = small(dataset, split, tmp_path / "run", epochs=3)
    best = max(run.history, key=lambda row: (row.map_at_20, -row.epoch))
    metadata = run.bundle.manifest.validation
    assert metadata is not None
    assert metadata.best_epoch == best.epoch
    assert metadata.map_at_20 == pytest.approx(best.map_at_20)
    assert metadata.map_at_20_calibrated == pytest.approx(best.map_at_20_calibrated)
    assert metadata.map_at_20_shown == pytest.approx(best.map_at_20_shown)
    assert metadata.train_map_at_20 == best.train_map_at_20
    card = (run.bundle.path / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert f"{metadata.map_at_20_shown:.4f} as shown" in card
    assert f"On training images it is {metadata.train_map_at_20:.3f}" in card
    assert metadata.n_images == split.parts["val"]


def test_output__an_earlier_run_is_not_replaced(
    dataset: Dataset, split: Split, tmp_path: Path
) -> None:
    train(dataset, out=tmp_path / "run", recipe="prior", split=split)
    with pytest.raises(OutputExistsError, match="--overwrite"):
        train(dataset, out=tmp_path / "run", recipe="prior", split=split)
    again = train(dataset, out=tmp_path / "run", recipe="prior", split=split, overwrite=True)
    assert again.bundle.path.is_dir()


def test_resume__other_settings_or_no_run_are_refused(
    dataset: Dataset, split: Split, tmp_path: Path
) -> None:
    small(dataset, split, tmp_path / "run", epochs=1)
    with pytest.raises(SettingsError, match="not what this command asks for"):
        small(dataset, split, tmp_path / "run", epochs=2, resume=True)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").touch()
    with pytest.raises(OutputExistsError, match="no run that could be resumed"):
        small(dataset, split, tmp_path / "mine", epochs=1, resume=True)


def test_one_dive__cannot_be_divided(dataset: Dataset, tmp_path: Path) -> None:
    records = tuple(r for r in dataset.records if r.dive == dataset.records[0].dive)
    alone = Dataset(dataset.root, dataset.categories, records)
    with pytest.raises(SplitError, match=r"1 dive\(s\) cannot fill 3 parts"):
        train(alone, out=tmp_path / "run", recipe="prior")


def test_category_only_in_test__is_told_and_predicted_by_frequency(
    dataset: Dataset, split: Split, tmp_path: Path
) -> None:
    from dataclasses import replace

    held = {r.image_id for r in dataset.records if 9 in (r.category_ids or ())}
    rows = tuple(replace(row, part="test") if row.image_id in held else row for row in split.rows)
    told: list[str] = []
    run = train(
        dataset,
        out=tmp_path / "run",
        recipe="prior",
        split=Split(rows),
        reporter=Reporter(told.append),
    )
    assert any("judged but have no training image (animal 9)" in message for message in told)
    evidence = {c.category_id: c.n_images for c in run.bundle.manifest.categories}
    assert evidence[9] == 0


def test_unreadable_training_images__are_left_out_and_told(
    tiny_folder: Path, split: Split, tmp_path: Path
) -> None:
    import shutil

    folder = tmp_path / "frames"
    shutil.copytree(tiny_folder, folder)
    chosen = split.ids_in("train")
    (folder / f"images/train/{chosen[0]}.png").write_bytes(b"")
    (folder / f"images/train/{chosen[1]}.png").unlink()
    told: list[str] = []
    run = train(
        read_dataset(folder),
        out=tmp_path / "run",
        recipe="basic-nn",
        split=split,
        settings={**_SMALL, "epochs": 1},
        reporter=Reporter(told.append),
    )
    assert any("2 training images cannot be used and are left out" in m for m in told)
    assert np.isfinite(run.history[0].training_loss)
    used = [row for row in split.rows if row.part == "train" and row.image_id not in chosen[:2]]
    n_dives = len({row.dive for row in used})
    counts = run.bundle.manifest.split.parts["train"]
    assert (counts.n_images, counts.n_dives, counts.n_left_out) == (len(chosen) - 2, n_dives, 2)
    assert run.bundle.manifest.split.parts["val"].n_left_out == 0
    card = (run.bundle.path / "MODEL_CARD.md").read_text(encoding="utf-8")
    words = f"{len(used)} images of {n_dives} dives; 2 more could not be used"
    assert f"* train: {words}\n" in card


def test_every_automatic_choice__prints_its_reason(
    dataset: Dataset, split: Split, tmp_path: Path
) -> None:
    told: list[str] = []
    train(
        dataset,
        out=tmp_path / "run",
        recipe="basic-nn",
        split=split,
        settings={**_SMALL, "epochs": 1},
        reporter=Reporter(told.append),
    )
    text = "\n".join(told)
    for word in ("device ", "dtype ", "batch size ", "cache "):
        assert word in text
