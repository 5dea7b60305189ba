"""Scores by category, by supercategory, and by how often training saw a category."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from finding_nemo.evaluation.evaluation_results import CategoryScore, GroupScore
from finding_nemo.evaluation.evaluation_set import EvaluationSet
from finding_nemo.metrics.average_precision import average_precision_by_category

Evidence = Mapping[int, tuple[int, int]]

_THIRDS = ("head", "middle", "tail")


def training_evidence(
    evaluation_set: EvaluationSet, metadata: Mapping[str, object]
) -> Evidence | None:
    """Return (images, dives) that training had of each category id; `None` if unknown.

    What the bundle wrote into the predictions counts first, then the split's training part.
    """
    entries = metadata.get("categories")
    if isinstance(entries, list) and all("n_images" in entry for entry in entries):
        return {
            int(entry["category_id"]): (int(entry["n_images"]), int(entry.get("n_dives", 0)))
            for entry in entries
        }
    if not evaluation_set.train:
        return None
    truth = evaluation_set.dataset.truth(evaluation_set.train)
    dives = np.array([record.dive_or_own for record in evaluation_set.train])
    return {
        category_id: (int(held.sum()), len(np.unique(dives[held])))
        for category_id, held in zip(evaluation_set.dataset.categories.ids, truth.T, strict=True)
    }


def validation_aps(metadata: Mapping[str, Any]) -> Mapping[int, float | None]:
    """Return the average precision of each category id on the bundle's validation part."""
    entries = metadata.get("categories") or ()
    return {int(entry["category_id"]): entry.get("validation_ap") for entry in entries}


def score_categories(
    evaluation_set: EvaluationSet, evidence: Evidence | None, aps: Mapping[int, float | None]
) -> tuple[CategoryScore, ...]:
    """Return one score a category, in column order."""
    by_column = average_precision_by_category(evaluation_set.truth, evaluation_set.scores)
    dives = np.array(evaluation_set.dives)
    scores = []
    for column, category in enumerate(evaluation_set.dataset.categories.categories):
        held = evaluation_set.truth[:, column]
        images, train_dives = (evidence or {}).get(category.category_id, (0, 0))
        scores.append(
            CategoryScore(
                id=category.category_id,
                name=category.name,
                supercategory=category.supercategory,
                ap=float(by_column[column]),
                prior_ap=float(held.mean()) if held.any() else float("nan"),
                n_images=int(held.sum()),
                n_dives=len(np.unique(dives[held])),
                train_images=images if evidence is not None else None,
                train_dives=train_dives if evidence is not None else None,
                validation_ap=aps.get(category.category_id),
            )
        )
    return tuple(scores)


def score_supercategories(
    evaluation_set: EvaluationSet, categories: Sequence[CategoryScore]
) -> tuple[GroupScore, ...]:
    """Return one score a supercategory that occurs, in order of name."""
    names = np.array(evaluation_set.dataset.categories.supercategories)
    groups = [
        _group(evaluation_set, categories, str(name), names == name) for name in np.unique(names)
    ]
    return tuple(group for group in groups if group.n_categories)


def score_thirds(
    evaluation_set: EvaluationSet, categories: Sequence[CategoryScore]
) -> tuple[GroupScore, ...]:
    """Return head, middle and tail: equal thirds of the occurring categories by training images."""
    occurring = [column for column, score in enumerate(categories) if score.n_images]
    if len(occurring) < len(_THIRDS) or categories[0].train_images is None:
        return ()
    ordered = sorted(occurring, key=lambda column: -(categories[column].train_images or 0))
    groups = []
    for name, columns in zip(_THIRDS, np.array_split(np.array(ordered), 3), strict=True):
        chosen = np.zeros(len(categories), dtype=np.bool_)
        chosen[columns] = True
        groups.append(_group(evaluation_set, categories, name, chosen))
    return tuple(groups)


def _group(
    evaluation_set: EvaluationSet,
    categories: Sequence[CategoryScore],
    name: str,
    chosen: npt.NDArray[np.bool_],
) -> GroupScore:
    columns = np.flatnonzero(chosen).tolist()
    aps = [categories[column].ap for column in columns if categories[column].n_images]
    any_truth = np.asarray(evaluation_set.truth[:, chosen].any(axis=1, keepdims=True))
    any_score = evaluation_set.scores[:, chosen].max(axis=1, keepdims=True)
    return GroupScore(
        name=name,
        n_categories=len(aps),
        n_images=int(any_truth.sum()),
        mean_ap=float(np.mean(aps)) if aps else float("nan"),
        any_ap=float(average_precision_by_category(any_truth, any_score)[0]),
    )
