"""What a run that has ended prints: its bundle, hash and score."""

from __future__ import annotations

from typing import TYPE_CHECKING

from finding_nemo.cli.console.words import print_result
from finding_nemo.core.text.intervals import interval_in_words
from finding_nemo.core.text.plurals import in_number

if TYPE_CHECKING:
    from finding_nemo.models.bundle.manifest import ValidationSummary
    from finding_nemo.training.loop.trained_run import TrainedRun


def print_run(run: TrainedRun) -> None:
    """Print the lines."""
    summary = run.bundle.manifest.validation
    print_result(f"bundle {run.bundle.path}")
    print_result(f"hash   {run.bundle_hash}")
    if summary:
        low, high = summary.map_at_20_ci
        print_result(
            f"MAP@20 {summary.map_at_20:.4f} on "
            f"{in_number(summary.n_images, 'validation image')} of "
            f"{in_number(summary.n_dives, 'dive')} (95 % by dive: {interval_in_words(low, high)}); "
            f"class frequency alone {summary.prior_map_at_20:.4f}"
        )
        print_result(f"{summary.rankings_in_words()}; {_training_part(summary)}")


def _training_part(summary: ValidationSummary) -> str:
    from finding_nemo.metrics.ranking_scores import NOT_KNOWN

    score = summary.train_map_at_20
    return f"on training images {NOT_KNOWN if score is None else f'{score:.4f}'}"
