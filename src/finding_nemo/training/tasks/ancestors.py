"""Categories above or below what is labelled in a frame, which a training may leave out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from finding_nemo.core.reporter import Reporter
from finding_nemo.marine.tree_paths import ancestor_pairs, related_pairs
from finding_nemo.training.optimization.losses import without_related_negatives
from finding_nemo.training.tasks.training_task import TrainingTask


def with_ancestors(task: TrainingTask, names: Sequence[str], reporter: Reporter) -> TrainingTask:
    """Return the task with its loss as the setting `ancestors` wants it, and say so.

    Args:
        task: As the recipe built it.
        names: Of the categories.
        reporter: Who is told how many pairs of categories are no negatives of each other.
    """
    if task.settings.ancestors == "negative":
        return task
    above = ancestor_pairs(names)
    if not above.any():
        reporter.message(
            f"ancestors: none of the {len(names)} categories is known to stand above another in "
            "the tree of names, so nothing is ignored."
        )
        return replace(task, unused=task.unused | {"ancestors"})
    reporter.message(
        f"ancestors: categories of which one stands above the other in the tree of names are no "
        f"negatives of each other (pairs: {int(above.sum())})."
    )
    loss = without_related_negatives(task.loss, related_pairs(above), task.activation)
    return replace(task, loss=loss)
