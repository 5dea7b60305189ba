"""Recipes side by side: each trained, used from image files and judged on the same parts."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from finding_nemo.core.errors import (
    FindingNemoError,
    OutputError,
    SettingsError,
    StoppedError,
    TrainingError,
)
from finding_nemo.core.files.atomic_files import write_text
from finding_nemo.core.records import Dataset, Split
from finding_nemo.core.reporter import Reporter
from finding_nemo.core.text.short_repr import ShortRepr
from finding_nemo.core.text.wrong_argument import check_argument, check_path
from finding_nemo.data.splits.make_split import make_split
from finding_nemo.data.splits.split_csv import read_split
from finding_nemo.evaluation.evaluate_predictions import evaluate
from finding_nemo.evaluation.pooled_uncertainty import uncertainty_cells
from finding_nemo.evaluation.recipe_comparison import ComparisonRow, TrainedFold, combine_folds
from finding_nemo.reporting.html.comparison_page import markdown_table, write_comparison
from finding_nemo.reporting.html.evaluation_page import write_evaluation_page
from finding_nemo.results.reading.readers import read_predictions
from finding_nemo.training.loop.epoch_log import EpochRow, read_log
from finding_nemo.workflows.comparison_request import (
    RUNS,
    SECONDS,
    comparison_request,
    fold_folder,
    fold_numbers,
)
from finding_nemo.workflows.predict_test_split import predict_test_part
from finding_nemo.workflows.train_with_curves import run_training


@dataclass(frozen=True, repr=False)
class Comparison(ShortRepr):
    """What a comparison made.

    Attributes:
        folder: It holds `table.md`, `table.csv`, `report.html`, `curves.png` and the runs.
        rows: One a recipe and protocol, in the order asked for.
        histories: From recipe to its epochs, of the first fold; none for what has no epochs.

    Example:
        >>> comparison = finding_nemo.compare(dataset, out="study")  # doctest: +SKIP
        >>> print(comparison.table)  # doctest: +SKIP
        >>> finding_nemo.Predictor(comparison.run_folder(comparison.best.recipe))  # doctest: +SKIP
    """

    folder: Path
    rows: tuple[ComparisonRow, ...]
    histories: Mapping[str, Sequence[EpochRow]] = field(default_factory=dict)

    @property
    def table(self) -> str:
        """The table in Markdown, as `table.md` has it."""
        return markdown_table(self.rows)

    @property
    def best(self) -> ComparisonRow:
        """The row with the highest MAP@20, the earlier one of equals.

        Raises:
            TrainingError: If every recipe failed.
        """
        scored = [row for row in self.rows if row.failure is None]
        if not scored:
            raise TrainingError(f"Every recipe failed; {self.folder / 'table.md'} says why.")
        return max(scored, key=lambda row: row.map_at_20.value)

    def run_folder(self, recipe: str, *, protocol: str | None = None, fold: int = 0) -> Path:
        """Return the run folder of a recipe, which holds its bundle and predictions.

        Args:
            recipe: Its name.
            protocol: Of which split; the first that was asked for by default.
            fold: Which fold, where the split has folds.

        Raises:
            SettingsError: If there is no such run.
        """
        rows = [row for row in self.rows if row.recipe == recipe]
        wanted = [row.protocol for row in rows if protocol in (None, row.protocol)]
        found = self.folder / RUNS / (wanted[0] if wanted else "") / recipe
        in_fold = found / f"fold{fold}"
        folder = in_fold if in_fold.is_dir() else found
        if not wanted or not folder.is_dir():
            known = ", ".join(dict.fromkeys(f"{row.recipe} ({row.protocol})" for row in self.rows))
            raise SettingsError(
                f"The comparison has no run of recipe {recipe!r}"
                f"{f' on split {protocol!r}' if protocol else ''}; it has {known}."
            )
        return folder

    def facts(self) -> Mapping[str, object]:
        """Return where it is, and the score of each recipe."""
        is_one = len({row.protocol for row in self.rows}) == 1
        scores = {
            row.recipe if is_one else f"{row.recipe}, {row.protocol}": "failed"
            if row.failure is not None
            else f"MAP@20 {row.map_at_20.value:.3f}"
            for row in self.rows
        }
        return {"folder": self.folder, **scores}


def compare(  # noqa: PLR0913 - each is one option of the command
    dataset: Dataset,
    *,
    out: Path | str,
    recipes: Sequence[str] = ("prior", "time-copy", "probe"),
    split: Split | None = None,
    by: str = "dive",
    folds: int | None = None,
    settings: Mapping[str, Any] | None = None,
    seed: int = 0,
    overwrite: bool = False,
    reporter: Reporter | None = None,
) -> Comparison:
    """Train, use and judge recipes side by side on unseen images: table, curves, report.

    A recipe that fails is a row with its reason; the others go on. A comparison that was stopped
    goes on with the same call.

    Args:
        dataset: The data set.
        out: The folder to make.
        recipes: Their names; `STUDY_RECIPES` are the course study's six, and the two larger
            networks that it wished for.
        split: The split; without one the data set is divided.
        by: How it is divided: "dive", "video", "random" or "time".
        folds: That many folds, each judged in turn, instead of one test part.
        settings: Changes for those recipes that have such a setting.
        seed: Of the split and every training.
        overwrite: Whether an earlier comparison may be replaced instead of gone on with.
        reporter: Told what happens, and progress.

    Returns:
        The scores of each recipe, and where everything is.

    Raises:
        ArgumentError: If an argument is of a kind that is not taken.
        SettingsError: If a recipe is unknown, or no recipe has one of the settings.
        SplitError: If the data set cannot be divided so.
        OutputExistsError: If `out` holds anything but a comparison of the same.
        StoppedError: If Ctrl-C stopped it.

    Example:
        >>> study = finding_nemo.compare(  # doctest: +SKIP
        ...     dataset, out="study", recipes=finding_nemo.STUDY_RECIPES, settings={"epochs": 1}
        ... )
        >>> print(study.table)  # doctest: +SKIP
    """
    read = 'a Dataset, as read_dataset("folder") returns it'
    check_argument(dataset, Dataset, "compare()", read)
    check_path(out, "compare(out=...)", "the path of a folder to make")
    made = "a Split, as make_split or read_split returns it"
    check_argument(split, (Split, type(None)), "compare(split=...)", made)
    names = [recipes] if isinstance(recipes, str) else list(recipes)
    if not names:
        raise SettingsError("compare(recipes=...) got no recipe; name one or more.")
    chosen = split or make_split(dataset, by, folds=folds, seed=seed)
    return compare_recipes(
        dataset,
        out=Path(out),
        recipes=list(dict.fromkeys(names)),
        splits={by if split is None else split.kind: chosen},
        settings=settings,
        seed=seed,
        overwrite=overwrite,
        reporter=reporter or Reporter(),
    )


def compare_recipes(  # noqa: PLR0913 - each is one option of the command
    dataset: Dataset,
    *,
    out: Path,
    recipes: Sequence[str],
    splits: Mapping[str, Split],
    settings: Mapping[str, Any] | None = None,
    seed: int = 0,
    overwrite: bool = False,
    resume: bool = False,
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
        resume: Whether one that was stopped is expected; where there is none, that is said.
        reporter: Told what happens, and progress.

    Raises:
        SettingsError: If a recipe is unknown, or no recipe has one of the settings.
        OutputError: If the disk is full or `out` may not be written.
        OutputExistsError: If `out` holds anything but a comparison of the same.
        StoppedError: If Ctrl-C stopped it.
    """
    asked = comparison_request(
        out=out, recipes=recipes, splits=splits, settings=settings, seed=seed
    )
    if not asked.check(overwrite=overwrite, resume=resume, reporter=reporter):
        asked.begin(overwrite=overwrite)
    rows: list[ComparisonRow] = []
    histories: dict[str, Sequence[EpochRow]] = {}
    try:
        for protocol, split in splits.items():
            for recipe in recipes:
                reporter.message(f"--- {recipe}, {protocol} split")
                job = _Job(
                    dataset,
                    split,
                    asked.folder_of(protocol, recipe),
                    recipe,
                    asked.changes[recipe],
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
    return Comparison(out, tuple(rows), histories)


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
    folds = fold_numbers(job.split)
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


def _one(job: _Job, fold: int | None) -> tuple[TrainedFold, Sequence[EpochRow]]:
    folder = fold_folder(job.folder, fold)
    known = folder / SECONDS
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
        train_map_at_20=_train_score(best),
        **seconds,
    )
    return fold_done, history


def _train_score(best: EpochRow | None) -> float:
    score = best.train_map_at_20 if best else None
    return float("nan") if score is None else score


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
    write_text(folder / SECONDS, json.dumps(seconds) + "\n")
    return seconds, run.history
