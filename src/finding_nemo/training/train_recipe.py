"""From a data set to a bundle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finding_nemo.core.errors import (
    FindingNemoError,
    NoSpaceError,
    SettingsError,
    StoppedError,
    TrainingError,
)
from finding_nemo.core.records import Dataset, Split
from finding_nemo.core.reporter import Reporter
from finding_nemo.core.text.wrong_argument import check_argument, check_path
from finding_nemo.data.datasets.fetch_hint import fetch_hint
from finding_nemo.models.bundle.bundle import bundle_hash, load_bundle
from finding_nemo.training.examples.partition import Partition, make_partition
from finding_nemo.training.fit import fit_baseline, fit_network
from finding_nemo.training.loop.callbacks import AnyCallback, CallbackList
from finding_nemo.training.loop.distributed import ProcessGroup
from finding_nemo.training.loop.epoch_log import read_log
from finding_nemo.training.loop.keeping import CHECKPOINT_EVERY_S
from finding_nemo.training.loop.run_context import RunContext
from finding_nemo.training.loop.run_folder import BUNDLE, RunFolder
from finding_nemo.training.loop.trained_run import TrainedRun
from finding_nemo.training.recipes.registry import Recipe, find_recipe, recipe_settings
from finding_nemo.training.recipes.renamed_settings import renamed_recipe_fault
from finding_nemo.training.recipes.settings import AnySettings


def train(  # noqa: PLR0913 - each is one option of the command
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
    reporter: Reporter | None = None,
    group: ProcessGroup | None = None,
    checkpoint_every_s: float = CHECKPOINT_EVERY_S,
    callbacks: Sequence[AnyCallback] = (),
) -> TrainedRun:
    """Train a recipe and write its bundle to `out`/bundle.

    Args:
        dataset: What to learn from.
        out: The run folder.
        recipe: Its name; `finding-nemo recipes` lists all with their settings.
        split: The split; without one the data set is divided by dive.
        fold: Which fold is left out as the test, where the split has folds.
        settings: Changes to the recipe's settings.
        seed: Decides order, initial weights, dropout.
        overwrite: Whether an earlier run in `out` may be replaced.
        resume: Whether an interrupted run in `out` is to go on; it ends with the same bundle as
            if it had not been interrupted. One that has ended is returned as it is.
        reporter: Told each choice with its reason, progress, and what a person should know.
        group: Those that are to train together; by default this one alone.
        checkpoint_every_s: Seconds between checkpoints within an epoch; 0 for every step.
        callbacks: Told of the beginning, of each epoch and of the end: objects of classes made from
            `Callback`, or functions that take the figures of an epoch.

    Returns:
        The run: its folder, its bundle and what happened in each epoch.

    Raises:
        ArgumentError: If an argument is of a kind that is not taken.
        OutputExistsError: If `out` is occupied and neither `overwrite` nor `resume` is set.
        OtherRunError: If another process trains into `out` now.
        SettingsError: If a setting is unknown or out of range, or differs from the run's, or
            there are several processes and no network to train.
        SplitError: If the split does not fit.
        TrainingError: If no image can be used, the loss is no longer a number, or a callback or
            something registered fails.
        StoppedError: By Ctrl-C; it says how to go on.
        NoSpaceError: If the disk is full; the last checkpoint stays.

    Example:
        >>> dataset = finding_nemo.read_dataset("fathomnet/")  # doctest: +SKIP
        >>> run = finding_nemo.train(dataset, out="runs/probe")  # doctest: +SKIP
        >>> run.bundle  # doctest: +SKIP
    """
    _check_arguments(dataset, out, recipe, split, settings)
    group = group or ProcessGroup()
    asked = _asked(
        dataset,
        RunContext(
            folder=Path(out),
            recipe=find_recipe(recipe),
            seed=seed,
            group=group,
            reporter=reporter if reporter and group.is_main else Reporter(),
            checkpoint_every_s=checkpoint_every_s,
            callbacks=CallbackList(callbacks),
        ),
        recipe=recipe,
        split=split,
        fold=fold,
        settings=settings,
    )
    context, used, partition, run = asked.context, asked.settings, asked.partition, asked.run
    if not resume:
        _refuse_absent_images(dataset, asked)
    fit = fit_network if context.recipe.has_network else fit_baseline
    with run.held() if group.is_main else nullcontext():
        if group.is_main:
            run.check(overwrite=overwrite, resume=resume)
        if resume and run.has_ended:
            context.reporter.message(
                f"{out} holds this training, which has ended: its bundle is as it was."
            )
            return _ended(context.folder, group)
        if resume and run.stopped_at:
            context.reporter.message(f"going on from {run.stopped_at}.")
        with _told_stop(run, group):
            begin = run.begin if group.is_main else _nothing
            bundle, history = fit(used, partition, context, begin)
    trained = TrainedRun(context.folder, bundle, history, bundle_hash(bundle.path), group.is_main)
    if group.is_main:
        context.callbacks.train_end(trained)
    return trained


def _check_arguments(
    dataset: object, out: object, recipe: object, split: object, settings: object
) -> None:
    check_argument(dataset, Dataset, "train()", 'a Dataset, as read_dataset("folder") returns it')
    check_path(out, "train(out=...)", "the path of a folder to make")
    check_argument(recipe, str, "train(recipe=...)", 'the name of a recipe, such as "probe"')
    made = "a Split, as make_split or read_split returns it"
    check_argument(split, (Split, type(None)), "train(split=...)", made)
    known = 'a dictionary from setting to value, such as {"epochs": 3}'
    check_argument(settings, (Mapping, type(None)), "train(settings=...)", known)


@dataclass(frozen=True)
class AskedTraining:
    """A training that could begin.

    Attributes:
        context: Recipe, folder, seed, who listens.
        settings: All of the recipe's, with the changes.
        partition: What it learns from.
        run: Its folder.
    """

    context: RunContext
    settings: AnySettings
    partition: Partition
    run: RunFolder


def check_training(  # noqa: PLR0913 - as `train` has them
    dataset: Dataset,
    *,
    out: Path,
    recipe: str,
    split: Split | None = None,
    fold: int | None = None,
    settings: Mapping[str, Any] | None = None,
    seed: int = 0,
    overwrite: bool = False,
    resume: bool = False,
    reporter: Reporter | None = None,
    group: ProcessGroup | None = None,
) -> AskedTraining:
    """Return what `train` would do, or refuse what it would refuse before it opens an image.

    Nothing is written. See `train` for the arguments and errors.
    """
    context = RunContext(
        folder=out,
        recipe=find_recipe(recipe),
        seed=seed,
        group=group or ProcessGroup(),
        reporter=reporter or Reporter(),
    )
    asked = _asked(dataset, context, recipe=recipe, split=split, fold=fold, settings=settings)
    _refuse_absent_images(dataset, asked)
    asked.run.refuse_busy()
    asked.run.check(overwrite=overwrite, resume=resume)
    return asked


def _asked(
    dataset: Dataset,
    context: RunContext,
    *,
    recipe: str,
    split: Split | None,
    fold: int | None,
    settings: Mapping[str, Any] | None,
) -> AskedTraining:
    if renamed := renamed_recipe_fault(recipe):
        context.reporter.message(f"Recipe {renamed}; the old name will not be known for ever.")
    used = recipe_settings(context.recipe, settings or {})
    _check_group(context.group, context.recipe)
    partition = make_partition(
        dataset, split, fold=fold, seed=context.seed, reporter=context.reporter
    )
    request = {"recipe": context.recipe.name, "seed": context.seed, "settings": used.model_dump()}
    return AskedTraining(context, used, partition, RunFolder(context.folder, request, partition))


def _refuse_absent_images(dataset: Dataset, asked: AskedTraining) -> None:
    """Say how to get images of which none is here, before anything is loaded or written."""
    hint = fetch_hint(dataset)
    records = (*asked.partition.train, *asked.partition.val)
    if not hint or not asked.context.recipe.has_network or not records:
        return
    if not any(record.path.is_file() for record in records):
        raise TrainingError(
            f"None of the {len(records):,} images is here (first: {records[0].path}). {hint}"
        )


def _ended(out: Path, group: ProcessGroup) -> TrainedRun:
    bundle = load_bundle(out / BUNDLE)
    return TrainedRun(out, bundle, read_log(out), bundle_hash(bundle.path), group.is_main)


def _nothing(_: str) -> None:
    """Begin nothing: another process makes the folder."""


@contextmanager
def _told_stop(run: RunFolder, group: ProcessGroup) -> Iterator[None]:
    """Say of a training that stops how to go on, and leave nothing where nothing is kept."""
    try:
        yield
    except KeyboardInterrupt:
        if not group.is_main:
            raise StoppedError(
                f"Process {group.rank} of {group.count} was stopped with the others."
            ) from None
        how = run.how_to_go_on() or (
            "No step was kept yet. Images that were made ready are in the cache; the same command "
            "goes on from there."
        )
        raise StoppedError(f"Stopped by Ctrl-C. {how}") from None
    except NoSpaceError as error:
        kept = run.how_to_go_on()
        raise (NoSpaceError(f"{error} {kept}") if kept else error) from None
    except FindingNemoError:
        raise
    except RuntimeError as error:
        if group.is_main:
            raise
        # Mostly that the leader has ended, whose own message says why.
        words = " ".join(str(error).split())
        raise TrainingError(f"Process {group.rank} of {group.count} stopped: {words}") from None
    finally:
        if group.is_main:
            run.tidy_up()


def _check_group(group: ProcessGroup, recipe: Recipe) -> None:
    if group.count > 1 and not recipe.has_network:
        raise SettingsError(
            f"{group.count} processes for recipe {recipe.name}, which trains no network: "
            "leave out --devices and --nodes."
        )
