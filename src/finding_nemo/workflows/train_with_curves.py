"""A training, with the picture of its learning curves beside its log."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from finding_nemo.core.records import Dataset, Split
from finding_nemo.core.reporter import Reporter
from finding_nemo.data.splits.split_csv import read_split
from finding_nemo.reporting.figures.learning_curves import draw_learning_curves
from finding_nemo.training.examples.array_cache import find_cache
from finding_nemo.training.loop.distributed import ProcessGroup
from finding_nemo.training.loop.trained_run import TrainedRun
from finding_nemo.training.recipes.registry import find_recipe
from finding_nemo.training.train_recipe import train
from finding_nemo.workflows.reviews.fit_bundle_adaptation import fit_bundle_adaptation

CURVES = "curves.png"
_SPLIT = "split.csv"


def run_training(  # noqa: PLR0913 - as `train` has them
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
    with_adaptation: bool = False,
) -> TrainedRun:
    """Train as `training.train_recipe.train` does and draw `curves.png` into the run folder.

    With `with_adaptation` the bundle gets numbers of the adaptation of its own, too.

    Raises:
        OutputError: If the cache that a person named cannot be written, before anything is made.
    """
    if find_recipe(recipe).has_network:
        find_cache()
    run = train(
        dataset,
        out=out,
        recipe=recipe,
        split=split,
        fold=fold,
        settings=settings,
        seed=seed,
        overwrite=overwrite,
        resume=resume,
        reporter=reporter,
        group=group,
    )
    if run.history and run.is_main:
        draw_learning_curves({recipe: run.history}, out / CURVES)
    if with_adaptation and run.is_main:
        run = fit_bundle_adaptation(run, dataset, read_split(out / _SPLIT), reporter or Reporter())
    return run
