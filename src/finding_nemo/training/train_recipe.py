"""From a data set to a bundle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
from finding_nemo.core.text.short_repr import ShortRepr
from finding_nemo.models.bundle.bundle import Bundle, bundle_hash, load_bundle
from finding_nemo.training.examples.partition import make_partition
from finding_nemo.training.fit import fit_baseline, fit_network
from finding_nemo.training.loop.distributed import ProcessGroup
from finding_nemo.training.loop.epoch_log import EpochRow, read_log
from finding_nemo.training.loop.keeping import CHECKPOINT_EVERY_S
from finding_nemo.training.loop.run_context import RunContext
from finding_nemo.training.loop.run_folder import BUNDLE, RunFolder
from finding_nemo.training.recipes.registry import Recipe, find_recipe, recipe_settings
from finding_nemo.training.recipes.renamed_settings import renamed_recipe_fault


@dataclass(frozen=True, repr=False)
class TrainedRun(ShortRepr):
    """A training that has ended.

    Attributes:
        folder: The run folder: settings, split, logs, checkpoints.
        bundle: The trained model in it.
        history: One row an epoch; none for what has no epochs.
        bundle_hash: One hash for all that the bundle predicts with.
        is_main: Whether this process is the one, of those that trained together, that talks.
    """

    folder: Path
    bundle: Bundle
    history: tuple[EpochRow, ...]
    bundle_hash: str
    is_main: bool = True

    def facts(self) -> Mapping[str, object]:
        """Return where it is and what it came to."""
        best = max((row.map_at_20 for row in self.history), default=None)
        return {
            "folder": self.folder,
            "recipe": self.bundle.manifest.recipe,
            "epochs": len(self.history),
            "best_map_at_20": "not known" if best is None else f"{best:.4f}",
            "bundle_hash": self.bundle_hash,
        }


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
            if it had not been interrupted. One that has ended is returned as it is.
        reporter: Told each choice with its reason, progress, and what a person should know.
        group: Those that are to train together; by default this one alone.
        checkpoint_every_s: Seconds between checkpoints within an epoch; 0 for every step.

    Raises:
        OutputExistsError: If `out` is occupied and neither `overwrite` nor `resume` is set.
        OtherRunError: If another process trains into `out` now.
        SettingsError: If a setting is unknown or out of range, or differs from the run's, or
            there are several processes and no network to train.
        SplitError: If the split does not fit.
        TrainingError: If no image can be used, or the loss is no longer a number.
        StoppedError: By Ctrl-C; it says how to go on.
        NoSpaceError: If the disk is full; the last checkpoint stays.
    """
    group = group or ProcessGroup()
    context = RunContext(
        folder=Path(out),
        recipe=find_recipe(recipe),
        seed=seed,
        group=group,
        reporter=reporter if reporter and group.is_main else Reporter(),
        checkpoint_every_s=checkpoint_every_s,
    )
    if renamed := renamed_recipe_fault(recipe):
        context.reporter.message(f"Recipe {renamed}; the old name will not be known for ever.")
    used = recipe_settings(context.recipe, settings or {})
    _check_group(group, context.recipe)
    partition = make_partition(dataset, split, fold=fold, seed=seed, reporter=context.reporter)
    request = {"recipe": context.recipe.name, "seed": seed, "settings": used.model_dump()}
    run = RunFolder(context.folder, request, partition)
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
    return TrainedRun(context.folder, bundle, history, bundle_hash(bundle.path), group.is_main)


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
