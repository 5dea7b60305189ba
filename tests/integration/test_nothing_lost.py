"""A training that is stopped anywhere ends with the bundle of one that was not."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from safetensors import SafetensorError
from safetensors.torch import save_file

from finding_nemo.core.errors import (
    FindingNemoError,
    NoSpaceError,
    OtherRunError,
    OutputExistsError,
    SettingsError,
    StoppedError,
    TrainingError,
)
from finding_nemo.core.files.locking import held_alone
from finding_nemo.core.records import Dataset, Split
from finding_nemo.core.reporter import Reporter
from finding_nemo.training import fit
from finding_nemo.training.examples.array_cache import cache_folder
from finding_nemo.training.loop import checkpoints
from finding_nemo.training.loop import trainer as loop
from finding_nemo.training.loop.trained_run import TrainedRun
from finding_nemo.training.optimization.optimizers import set_learning_rate
from finding_nemo.training.train_recipe import train

pytestmark = pytest.mark.slow

_PLACES: dict[str, Any] = {
    "backbone": "test_efficientnet",
    "width_px": 64,
    "height_px": 64,
    "pretrained": False,
    "batch_size": 2,
    "epochs": 1,
}
# One epoch of eight or nine steps each; dropout, averaged weights, squares that are cut, batch
# normalisation, turns.
_RECIPES: dict[str, dict[str, Any]] = {
    "nemo": {**_PLACES, "micro_batch_size": 2, "batch_size": 3},
    "patches": {**_PLACES, "epochs": 2},
    "probe": {**_PLACES, "epochs": 2},
    "resnet18-cutout": {
        **_PLACES, "width_px": 32, "height_px": 32, "ema_decay": 0.9, "schedule": "one-cycle",
    },
}  # fmt: skip


def trained(dataset: Dataset, split: Split, out: Path, recipe: str, **named: Any) -> TrainedRun:
    settings = {**_RECIPES.get(recipe, {}), **named.pop("settings", {})}
    named = {"checkpoint_every_s": 0.0, **named}
    return train(dataset, out=out, recipe=recipe, split=split, settings=settings, **named)


@pytest.fixture(scope="module")
def whole(dataset: Dataset, split: Split, tmp_path_factory: pytest.TempPathFactory) -> TrainedRun:
    """A training of `nemo` that nothing stopped, without checkpoints within its epoch."""
    out = tmp_path_factory.mktemp("whole") / "run"
    return trained(dataset, split, out, "nemo", checkpoint_every_s=1e9)


class Stop(Exception):
    """Stands for a kill: nothing catches it."""


def stopped_before(step: int, monkeypatch: pytest.MonkeyPatch, act: Callable[[], None]) -> None:
    """Let `act` happen in the middle of a step: the gradients are there, the weights are not."""
    real, taken = set_learning_rate, [0]

    def counted(*arguments: Any) -> Any:
        taken[0] += 1
        if taken[0] > step:
            act()
        return real(*arguments)

    monkeypatch.setattr(loop, "set_learning_rate", counted)


def killed() -> None:
    raise Stop


# Those on frozen features export their network at every start, which takes seconds.
@pytest.mark.parametrize(
    ("recipe", "stops"), [("nemo", 5), ("resnet18-cutout", 5), ("patches", 2), ("probe", 2)]
)
def test_stopped_at_random_steps__ends_with_the_same_bundle(
    dataset: Dataset,
    split: Split,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    whole: TrainedRun,
    recipe: str,
    stops: int,
) -> None:
    if recipe != "nemo":
        whole = trained(dataset, split, tmp_path / "whole", recipe, checkpoint_every_s=1e9)
    draw, out = random.Random(3), tmp_path / "stopped"  # noqa: S311
    for _ in range(stops):
        with monkeypatch.context() as patch:
            stopped_before(draw.randint(0, 2), patch, killed)
            with pytest.raises(Stop):
                trained(dataset, split, out, recipe, resume=True)
    resumed = trained(dataset, split, out, recipe, resume=True)
    assert resumed.bundle_hash == whole.bundle_hash
    scores = ("map_at_20", "map_at_20_calibrated", "map_at_20_shown", "train_map_at_20")
    for name in ("training_loss", "validation_loss", *scores, "learning_rate"):
        found, expected = ([getattr(row, name) for row in run.history] for run in (resumed, whole))
        assert found == expected, name


_KILLED = """
import json, sys
from pathlib import Path
from finding_nemo import read_dataset
from finding_nemo.data.splits.split_csv import read_split
from finding_nemo.training.loop import keeping
from finding_nemo.training.optimization.optimizers import set_learning_rate
from finding_nemo.training.train_recipe import train

saved = keeping.save_checkpoint

def save_and_print(*arguments, mid_epoch, **rest):
    saved(*arguments, mid_epoch=mid_epoch, **rest)
    print(mid_epoch.position.step, flush=True)

keeping.save_checkpoint = save_and_print
train(read_dataset(sys.argv[1]), out=Path(sys.argv[2]), recipe="nemo", resume=True,
      split=read_split(sys.argv[3]), settings=json.loads(sys.argv[4]), checkpoint_every_s=0)
"""


def test_killed_within_the_first_epoch__ends_with_the_same_bundle(
    dataset: Dataset, split: Split, tmp_path: Path, whole: TrainedRun
) -> None:
    command = [
        sys.executable, "-c", _KILLED, str(dataset.root), str(tmp_path / "killed"),
        str(whole.folder / "split.csv"), json.dumps(_RECIPES["nemo"]),
    ]  # fmt: skip
    steps = []
    for wait_for in (1, 2):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            steps += [int(process.stdout.readline()) for _ in range(wait_for)]
            os.kill(process.pid, signal.SIGKILL)
    # The second began where the first was killed, in the same epoch.
    assert steps[0] == 1
    assert 1 < steps[1] < steps[2] < 8
    resumed = trained(dataset, split, tmp_path / "killed", "nemo", resume=True)
    assert resumed.bundle_hash == whole.bundle_hash


def test_stopped__says_where_and_names_resume_first(
    dataset: Dataset, split: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, told = tmp_path / "run", list[str]()
    with monkeypatch.context() as patch:
        stopped_before(3, patch, killed)
        with pytest.raises(Stop):
            trained(dataset, split, out, "nemo")
    with pytest.raises(
        OutputExistsError,
        match=r"run holds a training that was stopped at epoch 1, step 3 of \d: add --resume to "
        r"go on with it, or --overwrite to begin anew",
    ):
        trained(dataset, split, out, "nemo")
    # Another training is not told to resume.
    with pytest.raises(OutputExistsError) as other:
        trained(dataset, split, out, "nemo", seed=1, settings={"dropout": 0.25})
    assert "seed 0 there, 1 here; dropout 0.5 there, 0.25 here" in str(other.value)
    assert "--resume" not in str(other.value)
    trained(dataset, split, out, "nemo", resume=True, reporter=Reporter(told.append))
    assert any(line.startswith("going on from epoch 1, step 3 of ") for line in told)
    with pytest.raises(OutputExistsError, match="holds a training that has ended, with its bund"):
        trained(dataset, split, out, "nemo")


def test_resume__lists_each_difference(
    dataset: Dataset, split: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        stopped_before(1, patch, killed)
        with pytest.raises(Stop):
            trained(dataset, split, tmp_path / "run", "nemo")
    first, *rest = dataset.records
    other = replace(dataset, records=(replace(first, category_ids=(2, 5, 6, 9)), *rest))
    moved = replace(split, rows=(replace(split.rows[0], part="gone"), *split.rows[1:]))
    for data, parts, changes, said in (
        (dataset, split, {"seed": 4}, "seed 0 there, 4 here"),
        (dataset, split, {"settings": {"copy_paste": 0}}, "copy_paste 1.5 there, 0.0 here"),
        (
            dataset,
            split,
            {"settings": {"width_px": 32, "height_px": 32}},
            "width_px 64 there, 32 here; height_px 64 there, 32 here",
        ),
        (other, split, {}, "ids, labels or boxes of the data set have changed since"),
        (dataset, moved, {}, "1 images in another part of the split"),
    ):
        with pytest.raises(SettingsError) as refused:
            trained(data, parts, tmp_path / "run", "nemo", resume=True, **changes)
        assert said in str(refused.value)
        assert "there, " not in str(refused.value).replace(said, "")
    with pytest.raises(SettingsError, match="recipe nemo there, patches here"):
        trained(dataset, split, tmp_path / "run", "patches", resume=True)


def test_resume__with_other_image_files_is_refused(
    dataset: Dataset, split: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from finding_nemo import read_dataset

    folder = tmp_path / "frames"
    shutil.copytree(dataset.root, folder)
    with monkeypatch.context() as patch:
        stopped_before(1, patch, killed)
        with pytest.raises(Stop):
            trained(read_dataset(folder), split, tmp_path / "run", "nemo")
    # Moved is not changed.
    moved = folder.rename(tmp_path / "moved")
    one, two = (moved / f"images/train/{name}.png" for name in split.ids_in("train")[:2])
    before = one.read_bytes()
    one.write_bytes(two.read_bytes())
    with pytest.raises(SettingsError, match="image files of the data set have changed since"):
        trained(read_dataset(moved), split, tmp_path / "run", "nemo", resume=True)
    one.write_bytes(before)
    assert trained(read_dataset(moved), split, tmp_path / "run", "nemo", resume=True).history


def test_resume__of_one_that_ended_returns_it(
    dataset: Dataset, split: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    run = trained(dataset, split, tmp_path / "run", "probe")
    monkeypatch.setattr(fit, "Trainer", None)
    again = trained(
        dataset, split, tmp_path / "run", "probe", resume=True, reporter=Reporter(told.append)
    )
    assert again.bundle_hash == run.bundle_hash
    assert again.history == run.history
    assert any("has ended" in line for line in told)
    prior = trained(dataset, split, tmp_path / "prior", "prior")
    again = trained(dataset, split, tmp_path / "prior", "prior", resume=True)
    assert again.bundle_hash == prior.bundle_hash


@pytest.mark.parametrize(
    ("recipe", "settings", "error"),
    [
        ("probe", {"backbone": "no_such_network"}, FindingNemoError),
        ("probe", {"device": "mps"}, SettingsError),
        ("probe", {"epochs": -1}, SettingsError),
        ("basic-nn", {"learning_rate": 1e25, "width_px": 16, "height_px": 16}, TrainingError),
        ("no-such-recipe", {}, SettingsError),
    ],
)
@pytest.mark.parametrize("resume", [False, True])
def test_failed_start__leaves_nothing_that_blocks_the_next(
    dataset: Dataset,
    split: Split,
    tmp_path: Path,
    recipe: str,
    settings: dict[str, Any],
    error: type[Exception],
    resume: bool,
) -> None:
    with pytest.raises(error):
        trained(
            dataset,
            split,
            tmp_path / "run",
            recipe,
            settings=settings,
            resume=resume,
            checkpoint_every_s=1e9,
        )
    assert list(tmp_path.iterdir()) == []
    assert trained(dataset, split, tmp_path / "run", "prior", resume=resume).bundle.path.is_dir()


def test_failed_start__without_images_or_a_fitting_split(
    dataset: Dataset, split: Split, tmp_path: Path
) -> None:
    gone = tuple(replace(r, path=tmp_path / "no" / r.path.name) for r in dataset.records)
    with pytest.raises(TrainingError, match="images is here"):
        trained(replace(dataset, records=gone), split, tmp_path / "run", "probe")
    other = replace(split, rows=tuple(replace(r, image_id=f"x{r.image_id}") for r in split.rows))
    with pytest.raises(FindingNemoError):
        trained(dataset, other, tmp_path / "run", "probe")
    assert list(tmp_path.iterdir()) == []


def test_failed_start__with_overwrite_loses_no_earlier_run(
    dataset: Dataset, split: Split, tmp_path: Path
) -> None:
    run = trained(dataset, split, tmp_path / "run", "prior")
    with pytest.raises(FindingNemoError):
        trained(
            dataset,
            split,
            tmp_path / "run",
            "probe",
            settings={"backbone": "no_such"},
            overwrite=True,
        )
    assert trained(dataset, split, tmp_path / "run", "prior", resume=True).bundle_hash == (
        run.bundle_hash
    )


def test_killed_before_a_step_was_kept__blocks_nothing(
    dataset: Dataset, split: Split, tmp_path: Path
) -> None:
    run = trained(dataset, split, tmp_path / "run", "prior")
    shutil.rmtree(run.bundle.path)
    (run.folder / "checkpoints").mkdir()
    (run.folder / ".bundle.partial").mkdir()
    assert trained(dataset, split, run.folder, "prior").bundle_hash == run.bundle_hash
    # What a person has put there is not taken for that.
    shutil.rmtree(run.bundle.path)
    (run.folder / "notes.md").touch()
    with pytest.raises(OutputExistsError, match="stopped at its start: add --resume"):
        trained(dataset, split, run.folder, "prior")
    assert (run.folder / "notes.md").exists()


def test_two_trainings_into_one_folder__the_second_is_refused_at_once(
    dataset: Dataset, split: Split, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "run")
    for overwrite, name in ((False, "run"), (True, "run"), (True, "link")):
        with (
            held_alone(tmp_path / ".run.lock", f"trains into {tmp_path / 'run'}"),
            pytest.raises(OtherRunError, match=rf"\(pid {os.getpid()}\) trains into .*{name} now"),
        ):
            trained(dataset, split, tmp_path / name, "prior", overwrite=overwrite)
    assert trained(dataset, split, tmp_path / "run", "prior").bundle.path.is_dir()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "run"]


@pytest.mark.usefixtures("heeds_ctrl_c")
def test_ctrl_c__keeps_the_step_that_was_being_taken(
    dataset: Dataset,
    split: Split,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    whole: TrainedRun,
) -> None:
    with monkeypatch.context() as patch:
        stopped_before(2, patch, lambda: os.kill(os.getpid(), signal.SIGINT))
        with pytest.raises(StoppedError) as stopped:
            trained(dataset, split, tmp_path / "run", "nemo", checkpoint_every_s=1e9)
    assert "keeps the training as it was at epoch 1, step 3 of " in str(stopped.value)
    assert "the same command with --resume goes on from there." in str(stopped.value)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    resumed = trained(dataset, split, tmp_path / "run", "nemo", resume=True)
    assert resumed.bundle_hash == whole.bundle_hash


@pytest.mark.usefixtures("heeds_ctrl_c")
def test_ctrl_c_twice__stops_at_once(
    dataset: Dataset, split: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def twice() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.1)

    with monkeypatch.context() as patch:
        stopped_before(2, patch, twice)
        with pytest.raises(StoppedError, match="No step was kept yet"):
            trained(dataset, split, tmp_path / "run", "nemo", checkpoint_every_s=1e9)
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c__while_the_bundle_is_made_loses_no_epoch(
    dataset: Dataset, split: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(fit, "export_network", interrupted)
        with pytest.raises(StoppedError, match="at the end of epoch 1; the same command with"):
            trained(dataset, split, tmp_path / "run", "nemo")
    assert len(trained(dataset, split, tmp_path / "run", "nemo", resume=True).history) == 1


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        SafetensorError(
            "Error while serializing: I/O error: No space left on device (os error 28)"
        ),
    ],
)
def test_full_disk__keeps_the_last_step_and_says_how_to_go_on(
    dataset: Dataset,
    split: Split,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    whole: TrainedRun,
    error: Exception,
) -> None:
    real, calls = save_file, list[int]()

    def fourth_fails(*args: Any, **kwargs: Any) -> None:
        calls.append(1)
        if len(calls) > 3:
            raise error
        real(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "save_file", fourth_fails)
        with pytest.raises(NoSpaceError, match=r"No space left on the disk.*step 3 of .*--resume"):
            trained(dataset, split, tmp_path / "run", "nemo")
    resumed = trained(dataset, split, tmp_path / "run", "nemo", resume=True)
    assert resumed.bundle_hash == whole.bundle_hash


def test_damaged_checkpoint__is_refused_in_words(
    dataset: Dataset, split: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        stopped_before(1, patch, killed)
        with pytest.raises(Stop):
            trained(dataset, split, tmp_path / "run", "nemo")
    path = tmp_path / "run/checkpoints/last.safetensors"
    path.write_bytes(path.read_bytes()[:5000])
    for resume in (False, True):
        with pytest.raises(TrainingError, match="cannot be read.*--overwrite"):
            trained(dataset, split, tmp_path / "run", "nemo", resume=resume)
    assert trained(dataset, split, tmp_path / "run", "nemo", overwrite=True).history


def test_stopped_while_features_are_made__those_that_were_are_kept(
    dataset: Dataset, split: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from finding_nemo.training.examples import cached_inputs as inputs

    monkeypatch.setenv("FINDING_NEMO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(inputs, "_LEAST_IN_PART", 4)
    monkeypatch.setattr(inputs, "_MOST_PARTS", 1000)
    real, seen = inputs._features, list[int]()

    def stop_at_tenth(*arguments: Any) -> Any:
        seen.append(1)
        if len(seen) == 10:
            raise KeyboardInterrupt
        return real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(inputs, "_features", stop_at_tenth)
        patch.setattr(inputs, "_in_threads", map)
        with pytest.raises(StoppedError, match="made ready are in the cache; the same command"):
            trained(dataset, split, tmp_path / "run", "patches")
    (features,) = cache_folder().iterdir()
    assert sum(len(json.loads(p.read_text())) for p in features.glob("*.json")) == 8
    assert not (tmp_path / "run").exists()
    seen.clear()
    seen += [0] * 10  # past the tenth nothing stops
    monkeypatch.setattr(inputs, "_features", stop_at_tenth)
    run = trained(dataset, split, tmp_path / "run", "patches")
    assert len(seen) - 10 == len(split.ids_in("train")) + len(split.ids_in("val")) - 8
    monkeypatch.setenv("FINDING_NEMO_CACHE", str(tmp_path / "other"))
    assert trained(dataset, split, tmp_path / "b", "patches").bundle_hash == run.bundle_hash
