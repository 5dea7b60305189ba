"""Trust over all folds: each image once, whatever fold it was judged in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from finding_nemo.evaluation.pooled_uncertainty import UncertaintyCells, in_words, pool_uncertainty
from finding_nemo.evaluation.uncertainty_results import PointResult, UncertaintyResults
from finding_nemo.metrics.calibration_error import Reliability
from finding_nemo.uncertainty.conformal import SetScores

_NOTHING = Reliability(0.0, 0.0, ())


def point(is_within: bool | None, n_validation: int = 60) -> PointResult:
    return PointResult(
        1,
        "crab",
        0.5,
        is_within is not False,
        0.9,
        0.5,
        1.0,
        0.5,
        n_validation,
        0.8,
        0.4,
        5,
        is_within,
    )


def findings(coverage: float, n_images: int, *points: PointResult) -> UncertaintyResults:
    sets = SetScores(0.1, coverage, coverage, 2.0 * n_images, n_images, 1)
    return UncertaintyResults((), _NOTHING, _NOTHING, 0.0, 0.9, points, 0, sets, 0.1, (), (), {})


def cells(dive: str, *rows: tuple[list[int], list[float], list[float]]) -> UncertaintyCells:
    truth, said, before = (np.array(column) for column in zip(*rows, strict=True))
    dives = (dive,) * len(truth)
    return UncertaintyCells(truth > 0, said.astype(np.float64), before.astype(np.float64), dives)


def test_folds__are_one_set_of_cells() -> None:
    # By hand, every cell a bin of its own: said is 0.1 off everywhere, before 0.4.
    first = cells("a", ([1, 0], [0.9, 0.1], [0.6, 0.4]))
    second = cells("b", ([0, 1], [0.1, 0.9], [0.4, 0.6]), ([1, 1], [0.9, 0.9], [0.6, 0.6]))
    pooled = pool_uncertainty(
        [first, second],
        [findings(1.0, 1, point(True), point(None)), findings(0.5, 2, point(False), point(True))],
        n_never=3,
    )
    assert pooled is not None
    assert pooled.ece == pytest.approx(0.1)
    assert pooled.raw_ece == pytest.approx(0.4)
    # One image covered whole and two half: (1 + 2 x 0.5) / 3; sizes (2 + 2 x 4) / 3.
    assert pooled.coverage == pytest.approx(2 / 3)
    assert pooled.mean_set_size == pytest.approx(10 / 3)
    # Nothing above a threshold keeps no promise; the one that failed promised less than 0.9.
    assert (pooled.n_within, pooled.n_outside, pooled.n_never, pooled.n_reached) == (2, 2, 3, 3)
    words = in_words("probe", pooled)
    assert "0.4000 before and 0.1000 after (75 % less; " in words
    assert "of 7 categories with 50 validation positives, 2 reach" in words
    assert "3 promise 0.9" in words


def test_few_positives__are_not_held_against_a_threshold() -> None:
    one = cells("a", ([1, 0], [0.9, 0.1], [0.6, 0.4]))
    pooled = pool_uncertainty([one], [findings(1.0, 1, point(False, n_validation=49))], n_never=0)
    assert pooled is not None
    assert (pooled.n_within, pooled.n_outside) == (0, 0)
    assert "promise" not in in_words("probe", pooled)


@pytest.mark.parametrize("n_folds", [0, 2])
def test_uncalibrated_fold__no_pooled_trust(n_folds: int) -> None:
    plain = UncertaintyCells(np.ones((1, 1), dtype=np.bool_), np.ones((1, 1)), None, ("a",))
    kept: list[Any] = [plain] * n_folds
    assert pool_uncertainty(kept, [findings(1.0, 1)] * n_folds, n_never=0) is None
