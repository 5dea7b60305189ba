"""Settings searched on dives that are set aside for it, within a fixed budget."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from finding_nemo.core.errors import OutputExistsError, StoppedError, TrainingError
from finding_nemo.core.files.atomic_files import (
    prepare_output_folder,
    refuse_replacing,
    write_text,
)
from finding_nemo.core.records import Dataset, Split
from finding_nemo.core.reporter import Reporter
from finding_nemo.core.text.cells import defused
from finding_nemo.data.splits.split_csv import read_split, write_split
from finding_nemo.data.splits.splitters.by_dive import split_by_dive
from finding_nemo.evaluation.evaluate_predictions import evaluate
from finding_nemo.metrics.ranking_scores import RankingScores, mean_ranking_scores
from finding_nemo.training.examples.partition import make_partition
from finding_nemo.training.recipes.search_space import OneOf, Space
from finding_nemo.training.train_recipe import train
from finding_nemo.workflows.predict_test_split import predict_test_part

JOURNAL, SEARCH, SPLIT = "journal.jsonl", "search.json", "split.csv"
TRIALS, BEST = "trials.csv", "best.toml"
_OWN = "the recipe as it is"
_FAULT = "fault"
_RANKINGS = "rankings"
# A trial is given up where it is below the median of as many at the same fold.
_TRIALS_BEFORE_GIVING_UP = 5


@dataclass(frozen=True)
class Trial:
    """One set of settings.

    Attributes:
        number: From 0, in order.
        settings: What was tried; empty for the recipe as it is.
        map_at_20: Mean over the images of all inner folds, by the ranking that is shown, which the
            search makes large; NaN where it failed.
        n_folds: Inner folds that it was judged on: all, or fewer where it was given up.
        state: "done", "given up" or "failed".
        rankings: The same score by each ranking.
    """

    number: int
    settings: Mapping[str, Any]
    map_at_20: float
    n_folds: int
    state: str
    rankings: RankingScores = field(default_factory=RankingScores)


def inner_folds(
    dataset: Dataset, split: Split | None, fold: int | None, n_folds: int, seed: int
) -> Split:
    """Return folds by dive of the training and validation images; test images are in none.

    Raises:
        SplitError: If the split does not fit, or there are fewer dives than folds.
    """
    partition = make_partition(dataset, split, fold=fold, seed=seed, reporter=Reporter())
    return split_by_dive(
        replace(dataset, records=(*partition.train, *partition.val)), folds=n_folds, seed=seed
    )


def tune(  # noqa: PLR0913 - each is one option of the command
    dataset: Dataset,
    *,
    out: Path,
    recipe: str,
    space: Space,
    folds: Split,
    trials: int,
    minutes: float | None = None,
    settings: Mapping[str, Any] | None = None,
    seed: int = 0,
    overwrite: bool = False,
    reporter: Reporter,
) -> tuple[Trial, ...]:
    """Search, and return all trials, the best first.

    The first trial is the recipe as it is. A search that was stopped goes on with the same
    call. `out` gets `trials.csv`, and `best.toml` for `train --config`.

    Args:
        dataset: The data set.
        out: The folder to make.
        recipe: A name of `RECIPES`.
        space: From `search_space`.
        folds: From `inner_folds`.
        trials: How many sets of settings in all.
        minutes: No trial begins after so many.
        settings: What every trial has in common.
        seed: Of the search and of every training.
        overwrite: Whether an earlier search may be replaced instead of gone on with.
        reporter: Told each trial's result.

    Raises:
        OutputExistsError: If `out` holds anything but a search of the same folds.
        OutputError: If the disk is full.
        SettingsError: If a setting that all have in common is unknown or out of range.
        StoppedError: If Ctrl-C stopped it.

    Source:
        Bergstra et al., "Algorithms for Hyper-Parameter Optimization", NeurIPS 2011 (TPE);
        Akiba et al., "Optuna", KDD 2019, arXiv:1907.10902.
    """
    common = dict(settings or {})
    _prepare(out, folds, {"recipe": recipe, "settings": common, "seed": seed}, overwrite=overwrite)
    study = _study(out, space, seed)
    job = _Job(dataset, folds, out, recipe, common, seed)
    _search(study, job, space, trials, minutes, reporter)
    return _ordered(study)


@dataclass(frozen=True)
class _Job:
    dataset: Dataset
    folds: Split
    out: Path
    recipe: str
    settings: Mapping[str, Any]
    seed: int

    @property
    def folder(self) -> Path:
        """Where the training of the moment is kept."""
        return self.out / "trial"


def _search(
    study: optuna.Study,
    job: _Job,
    space: Space,
    trials: int,
    minutes: float | None,
    reporter: Reporter,
) -> None:
    """Judge trials until there are `trials`, or until the minutes are over."""
    remaining = trials - len(_ended(study))
    if remaining <= 0:
        return

    def evaluate_trial(trial: optuna.Trial) -> float:
        return _evaluate_trial(trial, job, space)

    def tell_trial(_: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
        done = _as_trial(trial)
        score = trial.user_attrs.get(_FAULT) or done.rankings.in_words()
        reporter.message(
            f"trial {done.number + 1} of {trials}, {done.state}, {in_words(done)}: {score}"
        )
        _write(job.out, job.recipe, _ordered(study), job.settings)

    try:
        study.optimize(
            evaluate_trial,
            n_trials=remaining,
            timeout=None if minutes is None else 60 * minutes,
            callbacks=[tell_trial],
            catch=(TrainingError,),
        )
    except KeyboardInterrupt:
        raise StoppedError(
            f"Stopped by Ctrl-C. Every trial that ended is in {job.out}; the same command goes on."
        ) from None


def check_search(out: Path, folds: Split, search: Mapping[str, Any], *, overwrite: bool) -> bool:
    """Return whether `out` holds this search, to go on with; change nothing.

    Args:
        out: The folder.
        folds: From `inner_folds`.
        search: Recipe, settings in common, and seed.
        overwrite: Whether an earlier search may be replaced.

    Raises:
        OutputExistsError: If it holds anything else and may not be replaced.
    """
    if overwrite or not (out / SEARCH).is_file():
        refuse_replacing(out, overwrite=overwrite)
        return False
    there = (out / SEARCH).read_text(encoding="utf-8")
    if there != _search_text(search) or read_split(out / SPLIT).part_of != folds.part_of:
        raise OutputExistsError(
            f"{out} holds another search. To go on with it give the same data, split, folds, "
            "recipe, settings and seed; or choose another output, or add --overwrite."
        )
    return True


def _search_text(search: Mapping[str, Any]) -> str:
    return json.dumps(search, indent=2, sort_keys=True) + "\n"


def _prepare(out: Path, folds: Split, search: Mapping[str, Any], *, overwrite: bool) -> None:
    if not check_search(out, folds, search, overwrite=overwrite):
        prepare_output_folder(out, overwrite=overwrite)
        write_split(folds, out / SPLIT)
        write_text(out / SEARCH, _search_text(search))


def n_ended(out: Path) -> int:
    """Return how many trials of the search in `out` have ended; its journal is only read."""
    path = out / TRIALS
    if not path.is_file():
        return 0
    with path.open(encoding="utf-8", newline="") as file:
        return sum(1 for _ in csv.DictReader(file))


def _study(out: Path, space: Space, seed: int) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    storage = JournalStorage(JournalFileBackend(str(out / JOURNAL)))
    study = optuna.create_study(
        storage=storage, study_name="settings", direction="maximize", load_if_exists=True
    )
    # A search that goes on must not draw the same numbers again.
    study.sampler = optuna.samplers.TPESampler(seed=seed + len(study.trials))
    study.pruner = optuna.pruners.MedianPruner(n_startup_trials=_TRIALS_BEFORE_GIVING_UP)
    if not any(trial.settings == {} and trial.state == "done" for trial in _ended(study)):
        study.enqueue_trial({}, user_attrs={_OWN: True})
    return study


def _suggested(trial: optuna.Trial, space: Space) -> dict[str, Any]:
    if trial.user_attrs.get(_OWN):
        return {}
    values: dict[str, Any] = {}
    for key, span in space.items():
        if isinstance(span, OneOf):
            values[key] = trial.suggest_categorical(key, span.values)
        elif span.is_integer:
            values[key] = trial.suggest_int(key, int(span.low), int(span.high), log=span.log)
        else:
            values[key] = trial.suggest_float(key, span.low, span.high, log=span.log)
    return values


def _evaluate_trial(trial: optuna.Trial, job: _Job, space: Space) -> float:
    """Return MAP@20 over the images of all inner folds, each judged by a training without it."""
    try:
        return _score(trial, job, space)
    except TrainingError as error:
        trial.set_user_attr(_FAULT, str(error))
        raise


def _score(trial: optuna.Trial, job: _Job, space: Space) -> float:
    settings = {**job.settings, **_suggested(trial, space)}
    scores: list[RankingScores] = []
    images: list[int] = []
    mean = RankingScores()
    for fold in range(len(job.folds.parts)):
        score, n_images = _fold_score(job, settings, fold)
        scores, images = [*scores, score], [*images, n_images]
        mean = mean_ranking_scores(scores, images)
        trial.set_user_attr(_RANKINGS, asdict(mean))
        trial.report(mean.shown, fold)
        if trial.should_prune():
            raise optuna.TrialPruned
    return mean.shown


def _fold_score(job: _Job, settings: Mapping[str, Any], fold: int) -> tuple[RankingScores, int]:
    try:
        run = train(
            job.dataset,
            out=job.folder,
            recipe=job.recipe,
            split=job.folds,
            fold=fold,
            settings=settings,
            seed=job.seed,
            overwrite=True,
        )
    except StoppedError:
        # Not a bad set of settings: the whole search is to stop.
        raise KeyboardInterrupt from None
    parts = replace(read_split(job.folder / "split.csv"), kind="dive")
    table = predict_test_part(run.bundle, job.dataset, parts, job.folder)
    found = evaluate(table, job.dataset, split=parts, part="test")
    shutil.rmtree(job.folder)
    return found.rankings, found.n_images


def _as_trial(trial: optuna.trial.FrozenTrial) -> Trial:
    states = {"COMPLETE": "done", "PRUNED": "given up", "FAIL": "failed"}
    evaluation_set = trial.intermediate_values
    score = evaluation_set[max(evaluation_set)] if evaluation_set else float("nan")
    rankings = RankingScores(**trial.user_attrs.get(_RANKINGS, {"shown": score}))
    state = states[trial.state.name]
    return Trial(trial.number, trial.params, score, len(evaluation_set), state, rankings)


def _ended(study: optuna.Study) -> list[Trial]:
    """Return what came to an end by itself; an interrupted trial is as if it never began."""
    state = optuna.trial.TrialState
    return [
        _as_trial(trial)
        for trial in study.trials
        if trial.state in (state.COMPLETE, state.PRUNED) or _FAULT in trial.user_attrs
    ]


def _ordered(study: optuna.Study) -> tuple[Trial, ...]:
    """Done ones first, by score; those that were given up or failed were judged on less."""
    order = {"done": 0, "given up": 1, "failed": 2}

    def position(trial: Trial) -> tuple[int, float, int]:
        score = trial.map_at_20 if trial.n_folds else 0.0
        return order[trial.state], -score, trial.number

    return tuple(sorted(_ended(study), key=position))


def _write(out: Path, recipe: str, found: Sequence[Trial], common: Mapping[str, Any]) -> None:
    keys = sorted({key for trial in found for key in trial.settings})
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    rankings = ("map_at_20_own", "map_at_20_calibrated")
    writer.writerow(["trial", "state", "map_at_20", *rankings, "n_folds", *keys])
    for trial in found:
        values = [trial.settings.get(key, "") for key in keys]
        values = [defused(value) if isinstance(value, str) else value for value in values]
        scores = [trial.map_at_20, trial.rankings.own, trial.rankings.calibrated]
        writer.writerow([trial.number, trial.state, *scores, trial.n_folds, *values])
    write_text(out / TRIALS, text.getvalue())
    if found[0].state == "done":
        settings = {**common, **found[0].settings}
        write_text(out / BEST, _toml(recipe, found[0], settings.items()))


def _toml(recipe: str, best: Trial, settings: Iterable[tuple[str, Any]]) -> str:
    lines = [f"# train --recipe {recipe} --config THIS_FILE; MAP@20 {best.map_at_20:.4f} inside"]
    # TOML writes numbers, texts, truth values and lists as JSON does; it has no null.
    lines += [
        f"# add --set {key}=null" if value is None else f"{key} = {json.dumps(value)}"
        for key, value in settings
    ]
    return "\n".join(lines) + "\n"


def in_words(trial: Trial) -> str:
    """Return a trial's settings for people."""
    return (
        ", ".join(
            f"{k} = {v:.4g}" if isinstance(v, float) else f"{k} = {v}"
            for k, v in trial.settings.items()
        )
        or _OWN
    )


def best_and_own(trials: Sequence[Trial]) -> tuple[Trial, Trial] | None:
    """Return the best trial and the recipe as it is, if both were judged on all folds."""
    done = [trial for trial in trials if trial.state == "done"]
    own = next((trial for trial in done if not trial.settings), None)
    return (done[0], own) if done and own else None
