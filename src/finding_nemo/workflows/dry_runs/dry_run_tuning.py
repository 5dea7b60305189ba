"""What `tune` would do and cost; nothing is written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from finding_nemo.core.records import Dataset, Split
from finding_nemo.core.text.estimates import DryRun
from finding_nemo.core.text.plurals import in_number
from finding_nemo.training.train_recipe import check_training
from finding_nemo.workflows.dry_runs.dry_run_training import estimates, training_cost
from finding_nemo.workflows.tune_settings import check_search, n_ended


def dry_run_tuning(  # noqa: PLR0913 - as `tune` has them
    dataset: Dataset,
    *,
    out: Path,
    recipe: str,
    folds: Split,
    trials: int,
    minutes: float | None,
    settings: Mapping[str, Any],
    seed: int,
    overwrite: bool,
) -> DryRun:
    """Return what `tune_settings.tune` would do, or refuse what it would refuse.

    Args:
        dataset: The data set.
        out: The folder of the search.
        recipe: A name of `RECIPES`.
        folds: From `inner_folds`.
        trials: How many sets of settings in all.
        minutes: No trial begins after so many.
        settings: What every trial has in common.
        seed: Of every training.
        overwrite: As the search would be told.

    Raises:
        OutputExistsError: If `out` holds anything but a search of the same folds.
        SettingsError: If a setting that all have in common is unknown or out of range.
    """
    search = {"recipe": recipe, "settings": dict(settings), "seed": seed}
    goes_on = check_search(out, folds, search, overwrite=overwrite)
    n_left = max(trials - (n_ended(out) if goes_on else 0), 0)
    costs = [
        training_cost(
            check_training(
                dataset,
                out=out / "trial",
                recipe=recipe,
                split=folds,
                fold=fold,
                settings=settings,
                seed=seed,
                overwrite=True,
            )
        )
        for fold in range(len(folds.parts))
    ]
    work = [
        f"try {in_number(n_left, 'set')} of settings in {out}, each trained on {len(costs)} inner "
        "folds and then removed",
        f"train first {costs[0].in_words}",
    ]
    found = estimates(costs, with_predictions=True, times=n_left)
    if minutes is not None:
        work.append(f"begin no trial after {minutes:g} minutes, whatever is estimated below")
    return DryRun(tuple(work), tuple(found))
