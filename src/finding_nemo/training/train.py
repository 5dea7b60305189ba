"""From a data set to a bundle."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from finding_nemo.core.errors import OutputExistsError, SettingsError
from finding_nemo.core.files import prepare_output_folder, write_text
from finding_nemo.core.provenance import dataset_story, now_utc, run_story
from finding_nemo.core.records import Dataset, Split
from finding_nemo.core.telling import Tell, tell_nobody
from finding_nemo.data.splits.file import split_text, write_split
from finding_nemo.models.bundle import Bundle, bundle_hash
from finding_nemo.training.fit import fit_network
from finding_nemo.training.history import EpochRow
from finding_nemo.training.machine import choose_device, choose_precision
from finding_nemo.training.parts import Parts, divide
from finding_nemo.training.processes import Processes
from finding_nemo.training.recipes import (
    AnySettings,
    LoopSettings,
    Recipe,
    find_recipe,
    recipe_settings,
)
from finding_nemo.training.unseen import write_unseen_bundle

_SETTINGS = "settings.json"
_SPLIT = "split.csv"


@dataclass(frozen=True)
class TrainedRun:
    """A training that has ended.

    Attributes:
        folder: The run folder: settings, split, logs, checkpoints.
        bundle: The trained model in it.
        history: One row an epoch; none for what has no epochs.
        bundle_hash: One hash for all that the bundle predicts with.
        leads: Whether this process is the one, of those that trained together, that talks.
    """

    folder: Path
    bundle: Bundle
    history: tuple[EpochRow, ...]
    bundle_hash: str
    leads: bool = True


def train(
    dataset: Dataset,
    *,
    out: Path | str,
    recipe: str = "probe",
    split: Split | None = None,
    fold: int | None = None,
    settings: Mapping[str, Any] | None = None,
    seed: int = 0,
    overwrite: bool = False,
    resume: bool = False,
    notify: Tell | None = None,
    show_progress: bool = False,
    processes: Processes | None = None,
) -> TrainedRun:
    """Train a recipe and write its bundle to `out`/bundle.

    Args:
        dataset: What to learn from.
        out: The run folder.
        recipe: A name of `RECIPES`.
        split: The split; without one the data set is divided by dive.
        fold: Which fold is left out as the test, where the split has folds.
        settings: Changes to the recipe's settings.
        seed: Decides order, initial weights, dropout.
        overwrite: Whether an earlier run in `out` may be replaced.
        resume: Whether an interrupted run in `out` is to go on; it ends with the same bundle as
            if it had not been interrupted.
        notify: Told each choice with its reason, and what a person should know.
        show_progress: Whether progress bars are drawn on stderr.
        processes: Those that are to train together; by default this one alone.

    Raises:
        OutputExistsError: If `out` is occupied and neither `overwrite` nor `resume` is set.
        SettingsError: If a setting is unknown or out of range, or differs from the run's, or
            there are several processes and no network to train.
        SplitError: If the split does not fit.
        TrainingError: If no image can be used, or the loss is no longer a number.
    """
    team = processes or Processes()
    tell = notify if notify and team.leads else tell_nobody
    out = Path(out)
    found = find_recipe(recipe)
    used = recipe_settings(found, settings or {})
    _check_processes(team, found, used)
    parts = divide(dataset, split, fold=fold, seed=seed, notify=tell)
    if team.leads:
        _prepare_run(out, found, used, parts, seed, overwrite=overwrite, resume=resume)
    bundle, history = _fitted(found, used, parts, out, team, seed, tell, show_progress)
    return TrainedRun(out, bundle, history, bundle_hash(bundle.path), team.leads)


def _fitted(
    recipe: Recipe,
    settings: AnySettings,
    parts: Parts,
    out: Path,
    team: Processes,
    seed: int,
    notify: Tell,
    show_progress: bool,
) -> tuple[Bundle, tuple[EpochRow, ...]]:
    story = _story(settings, now_utc(), seed) | dataset_story(parts.dataset, out)
    if isinstance(settings, LoopSettings):
        return fit_network(
            settings, parts, out, recipe.name, seed=seed, notify=notify,
            show_progress=show_progress and team.leads, provenance=story, processes=team,
        )  # fmt: skip
    kind: Literal["prior", "time-copy"] = "prior" if recipe.kind == "prior" else "time-copy"
    return write_unseen_bundle(out / "bundle", kind, parts, provenance=story), ()


def _check_processes(team: Processes, recipe: Recipe, settings: AnySettings) -> None:
    if team.count > 1 and not isinstance(settings, LoopSettings):
        raise SettingsError(
            f"{team.count} processes for recipe {recipe.name}, which trains no network: "
            "leave out --devices and --nodes."
        )


def _prepare_run(
    out: Path,
    recipe: Recipe,
    settings: AnySettings,
    parts: Parts,
    seed: int,
    *,
    overwrite: bool,
    resume: bool,
) -> None:
    """Make the run folder, before other processes start: a wrong command ends in one message."""
    wanted = {"recipe": recipe.name, "seed": seed, "settings": settings.model_dump()}
    text = json.dumps(wanted, indent=2) + "\n"
    if resume and (out / _SETTINGS).is_file():
        _check_same_run(out, text, split_text(parts.split))
        shutil.rmtree(out / "bundle", ignore_errors=True)
        return
    if resume and out.is_dir() and any(out.iterdir()):
        raise OutputExistsError(
            f"{out} holds no run that could be resumed: {_SETTINGS} is missing."
        )
    prepare_output_folder(out, overwrite=overwrite)
    write_text(out / _SETTINGS, text)
    write_split(parts.split, out / _SPLIT)


def _check_same_run(out: Path, settings: str, split: str) -> None:
    for name, wanted in ((_SETTINGS, settings), (_SPLIT, split)):
        if (out / name).read_text(encoding="utf-8") != wanted:
            raise SettingsError(
                f"--resume: {out / name} is not what this command asks for. Give the same recipe, "
                "settings, seed and split, or start again with --overwrite."
            )


def _story(settings: AnySettings, started: str, seed: int) -> dict[str, Any]:
    libraries = ("numpy", "torch", "timm", "onnxruntime", "openvino", "pillow")
    story = {**run_story(started, *libraries), "seed": seed}
    if isinstance(settings, LoopSettings):
        device = choose_device(settings.device)
        story["device"] = device.value
        story["precision"] = choose_precision(settings.precision, device.value).value
    return story
