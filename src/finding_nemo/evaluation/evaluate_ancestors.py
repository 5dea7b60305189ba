"""MAP@20 without guesses that stand above or below a true category in the tree of names."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from finding_nemo.core.arrays import Bools, Float64s
from finding_nemo.evaluation.evaluation_results import AncestorScore, Measured
from finding_nemo.evaluation.evaluation_set import EvaluationSet
from finding_nemo.marine.ancestor_pairs import ancestor_pairs, related_pairs
from finding_nemo.marine.taxonomy_table import TaxonomyTable
from finding_nemo.metrics.bootstrap import dive_bootstrap_interval
from finding_nemo.metrics.ranking import average_precision_at_k


def evaluate_ancestors(
    evaluation_set: EvaluationSet,
    prior: Float64s,
    *,
    names_file: Path | None = None,
    taxa: TaxonomyTable | None = None,
) -> AncestorScore:
    """Return MAP@20 with relatives of true categories passed over.

    A guess is passed over where its category is not labelled in the image and stands above or
    below one that is. The others move up; an image that could not be read counts 0.

    Args:
        evaluation_set: Predictions laid beside the truth.
        prior: Class frequency for each image, shape (images, categories).
        names_file: A table of names, which counts before that of the package.
        taxa: A tree in place of the package's.

    Raises:
        NamesError: If that table cannot be read.
    """
    truth = evaluation_set.truth
    names = evaluation_set.dataset.categories.names
    above = ancestor_pairs(names, names_file=names_file, table=taxa)
    passed_over = relatives_of_true(truth, related_pairs(above))
    found = average_precision_at_k(truth, evaluation_set.ranking, passed_over=passed_over)
    found = np.where(evaluation_set.failed & evaluation_set.truth_of_all, 0.0, found)
    interval = dive_bootstrap_interval(found, evaluation_set.dives)
    by_prior = average_precision_at_k(truth, prior, passed_over=passed_over)
    return AncestorScore(
        n_pairs=int(above.sum()),
        n_images=int(passed_over.any(axis=1).sum()),
        map_at_20=Measured(float(np.nanmean(found)), interval.low, interval.high),
        prior=float(np.nanmean(by_prior)),
    )


def relatives_of_true(truth: Bools, related: Bools) -> Bools:
    """Return the categories that are not true but related to one that is, shape as `truth`.

    Args:
        truth: Shape (images, categories).
        related: Whether two categories are, shape (categories, categories).
    """
    near = truth.astype(np.float32) @ related.astype(np.float32) > 0
    return np.asarray(near & ~truth, dtype=np.bool_)
