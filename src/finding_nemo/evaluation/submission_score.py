"""The competition's own metric: a submission against a solution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from finding_nemo.core.errors import SubmissionError
from finding_nemo.metrics.ranking import map_at_k_of_rankings
from finding_nemo.metrics.roc_auc import competition_score, roc_auc
from finding_nemo.results.submission import N_CATEGORIES, SubmissionLine, match_submission


@dataclass(frozen=True, slots=True)
class SubmissionScore:
    """What a submission scores.

    Attributes:
        n_images: Images scored.
        map_at_20: Mean AP@20; an image with nothing true counts 0.
        auc: Of `osd`; `None` where the solution cannot say.
        final: (MAP@20 + 2 x AUC - 1) / 2; `None` without AUC.
        why_no_auc: In words, where there is none.
        notices: What whoever submits should know, in sentences.
    """

    n_images: int
    map_at_20: float
    auc: float | None
    final: float | None
    why_no_auc: str = ""
    notices: tuple[str, ...] = ()


def score_submission(
    submission: Sequence[SubmissionLine], solution: Sequence[SubmissionLine]
) -> SubmissionScore:
    """Score a submission.

    Raises:
        SubmissionError: If ids differ, or the submission lacks `osd` where the solution has it.
    """
    lines = match_submission(submission, solution)
    map_at_20 = map_at_k_of_rankings(
        [line.category_ids for line in solution], [line.category_ids for line in lines]
    )
    notices = _notices(lines)
    why = _why_no_auc(solution)
    if why:
        return SubmissionScore(len(lines), map_at_20, None, None, why, notices)
    missing = [line.image_id for line in lines if line.osd is None]
    if missing:
        raise SubmissionError(
            f"{len(missing)} rows of the submission have no osd (first: {missing[0]}), which the "
            "solution asks for."
        )
    novel = np.array([(line.osd or 0.0) > 0 for line in solution])
    auc = roc_auc(novel, np.array([line.osd for line in lines], dtype=np.float64))
    return SubmissionScore(
        len(lines), map_at_20, auc, competition_score(map_at_20, auc), "", notices
    )


def _notices(lines: Sequence[SubmissionLine]) -> tuple[str, ...]:
    longer = [line.image_id for line in lines if len(line.category_ids) > N_CATEGORIES]
    if not longer:
        return ()
    return (
        f"{len(longer)} rows guess more than {N_CATEGORIES} categories (first: {longer[0]}); as in "
        f"the competition, only the first {N_CATEGORIES} count.",
    )


def _why_no_auc(solution: Sequence[SubmissionLine]) -> str:
    if any(line.osd is None for line in solution):
        return "the solution has no osd"
    if len({(line.osd or 0.0) > 0 for line in solution}) < 2:
        return "all images of the solution have the same osd"
    return ""
