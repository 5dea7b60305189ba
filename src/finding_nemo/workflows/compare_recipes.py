"""Recipes side by side: each trained, used from image files and judged on the same parts."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from finding_nemo.core.errors import (
    FindingNemoError,
    OutputError,
    OutputExistsError,
    SettingsError,
    StoppedError,
)
from finding_nemo.core.files.atomic_files import prepare_output_folder, write_text
from finding_nemo.core.records import Dataset, Split
from finding_nemo.core.reporter import Reporter
from finding_nemo.data.splits.split_csv import read_split, split_hash, write_split
from finding_nemo.evaluation.evaluate_predictions import evaluate
from finding_nemo.evaluation.pooled_uncertainty import uncertainty_cells
from finding_nemo.evaluation.recipe_comparison import ComparisonRow, TrainedFold, combine_folds
from finding_nemo.reporting.html.comparison_page import write_comparison
from finding_nemo.reporting.html.evaluation_page import write_evaluation_page
from finding_nemo.results.reading.readers import read_predictions
from finding_nemo.training.loop.epoch_log import EpochRow, read_log
from finding_nemo.training.recipes.registry import find_recipe
from finding_nemo.workflows.predict_test_split import predict_test_part
from finding_nemo.workflows.train_with_curves import run_training

REQUEST = "comparison.json"
# Written when a training and its predictions are done.
_SECONDS = "seconds.json"


@dataclass(frozen=True)
class Comparison:
    """What a comparison made: `table.md`, `table.csv`, `report.html`, `curves.png` and the runs."""

    folder: Path
    rows: tuple[ComparisonRow, ...]


def compare_recipes(
    dataset: Dataset,
    *,
    out: Path,
    recipes: Sequence[str],
    splits: Mapping[str, Split],
    settings: Mapping[str, Any] | None = None,
    seed: int = 0,
    overwrite: bool = False,
    reporter: Reporter,
) -> Comparison:
    """Train, predict and evaluate every recipe on every split.

    A recipe that fails is a row with its reason; the others go on. A comparison that was stopped
    goes on with the same call: what ended is not trained again.

    Args:
        dataset: The data set.
        out: The folder to make.
        recipes: Names of `RECIPES`.
        splits: By protocol; one with folds is gone through fold by fold.
        settings: Changes for those recipes that have such a setting.
        seed: Of every training.
        overwrite: Whether an earlier comparison may be replaced instead of gone on with.
        reporter: Told what happens, and progress.

    Raises:
        SettingsError: If a recipe is unknown, or no recipe has one of the settings.
        OutputError: If the disk is full or `out` may not be written.
        OutputExistsError: If `out` holds anything but a comparison of the same.
        StoppedError: If Ctrl-C stopped it.
    """
    changes = {recipe: _known_settings(recipe, settings or {}) for recipe in recipes}
    _check_settings(changes, settings or {})
    request = {"settings": dict(settings or {}), "seed": seed, "recipes": list(recipes)}
    _prepare(out, splits, request, overwrite=overwrite, reporter=reporter)
    rows: list[ComparisonRow] = []
    histories: dict[str, Sequence[EpochRow]] = {}
    try:
        for protocol, split in splits.items():
            for recipe in recipes:
                reporter.message(f"--- {recipe}, {protocol} split")
                job = _Job(
                    dataset,
                    split,
                    out / "runs" / protocol / recipe,
                    recipe,
                    changes[recipe],
                    seed,
                    reporter,
                )
                row, history = _compared(job, protocol)
                rows.append(row)
                if history:
                    histories[recipe if len(splits) == 1 else f"{recipe}, {protocol}"] = history
                write_comparison(out, rows, histories, dataset)
    except (KeyboardInterrupt, StoppedError):
        raise StoppedError(
            f"Stopped by Ctrl-C, {len(rows)} of {len(splits) * len(recipes)} rows done. What is "
            f"finished is in {out}; the same command goes on."
        ) from None
    return Comparison(out, tuple(rows))


def _prepare(
    out: Path,
    splits: Mapping[str, Split],
    request: Mapping[str, Any],
    *,
    overwrite: bool,
    reporter: Reporter,
) -> None:
    """Make the folder, or find it as the same call left it."""
    hashes = {protocol: split_hash(split) for protocol, split in splits.items()}
    text = json.dumps({**request, "splits": hashes}, indent=2) + "\n"
    if (out / REQUEST).is_file() and not overwrite:
        if (out / REQUEST).read_text(encoding="utf-8") != text:
            raise OutputExistsError(
                f"{out} holds another comparison. To go on with it give the same data, splits, "
                "recipes, settings and seed; or choose another output, or add --overwrite."
            )
        reporter.message(f"Going on with the comparison in {out}: what ended is not trained again.")
        return
    prepare_output_folder(out, overwrite=overwrite)
    for protocol, split in splits.items():
        write_split(split, out / f"split-{protocol}.csv")
    write_text(out / REQUEST, text)


def _known_settings(recipe: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    known = set(type(find_recipe(recipe).settings).model_fields)
    return {name: value for name, value in settings.items() if name in known}


def _check_settings(changes: Mapping[str, Mapping[str, Any]], settings: Mapping[str, Any]) -> None:
    used = {name for known in changes.values() for name in known}
    unknown = sorted(set(settings) - used)
    if unknown:
        raise SettingsError(f"None of {', '.join(changes)} has the setting {', '.join(unknown)}.")


@dataclass(frozen=True)
class _Job:
    dataset: Dataset
    split: Split
    folder: Path
    recipe: str
    settings: Mapping[str, Any]
    seed: int
    reporter: Reporter


def _compared(job: _Job, protocol: str) -> tuple[ComparisonRow, Sequence[EpochRow]]:
    folds = _fold_numbers(job.split)
    done: list[TrainedFold] = []
    first: Sequence[EpochRow] = ()
    try:
        for fold in folds:
            trained, history = _one(job, fold)
            done.append(trained)
            first = first or history
    except (OutputError, StoppedError):
        raise
    except FindingNemoError as error:
        job.reporter.message(f"{job.recipe} failed: {error}")
        return ComparisonRow(job.recipe, protocol, failure=str(error)), first
    row = combine_folds(job.recipe, protocol, done)
    job.reporter.message(f"{job.recipe}, {protocol}: MAP@20 {row.map_at_20.value:.3f}")
    return row, first


def _fold_numbers(split: Split) -> Sequence[int | None]:
    if not split.is_folds:
        return (None,)
    return sorted(int(name.removeprefix("fold")) for name in split.parts if name != "novel")


def _one(job: _Job, fold: int | None) -> tuple[TrainedFold, Sequence[EpochRow]]:
    folder = job.folder if fold is None else job.folder / f"fold{fold}"
    known = folder / _SECONDS
    seconds = json.loads(known.read_text(encoding="utf-8")) if known.is_file() else None
    history: Sequence[EpochRow]
    if seconds is None:
        seconds, history = _trained(job, fold, folder)
    else:
        history = read_log(folder)
    parts = replace(read_split(folder / "split.csv"), kind=job.split.kind)
    table = read_predictions(folder / "predictions.parquet")
    found = evaluate(table, job.dataset, split=parts, part="test")
    write_text(folder / "evaluation.json", found.to_json())
    write_evaluation_page(found, job.dataset.categories, folder / "report.html", overwrite=True)
    best = max(history, key=lambda row: (row.map_at_20, -row.epoch), default=None)
    fold_done = TrainedFold(
        evaluation=found,
        epochs=len(history),
        best_epoch=best.epoch if best else 0,
        training_loss=best.training_loss if best else float("nan"),
        cells=uncertainty_cells(table, job.dataset, split=parts, part="test"),
        **seconds,
    )
    return fold_done, history


def _trained(
    job: _Job, fold: int | None, folder: Path
) -> tuple[dict[str, float], Sequence[EpochRow]]:
    """Train and predict, and return the seconds of both; they are written when both are done."""
    started = time.perf_counter()
    begun = (folder / "settings.json").is_file()
    run = run_training(
        job.dataset,
        out=folder,
        recipe=job.recipe,
        split=job.split,
        fold=fold,
        settings=job.settings,
        seed=job.seed,
        resume=begun,
        overwrite=not begun,
        reporter=job.reporter,
    )
    trained_at = time.perf_counter()
    parts = replace(read_split(folder / "split.csv"), kind=job.split.kind)
    predict_test_part(run.bundle, job.dataset, parts, folder)
    seconds = {
        "train_s": trained_at - started,
        "predict_s": time.perf_counter() - trained_at,
    }
    write_text(folder / _SECONDS, json.dumps(seconds) + "\n")
    return seconds, run.history
