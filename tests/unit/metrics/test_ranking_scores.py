"""Three rankings side by side, in words, and over several sets of images."""

from __future__ import annotations

import math

import pytest

from finding_nemo.metrics.ranking_scores import RankingScores, mean_ranking_scores


def test_words__name_all_three_and_say_what_is_not_known() -> None:
    scores = RankingScores(own=0.57671, calibrated=0.5839, shown=0.58)
    assert scores.in_words() == (
        "MAP@20 0.5767 by the network's own ranking, 0.5839 by calibrated probability, "
        "0.5800 as shown"
    )
    assert RankingScores(shown=0.5).cells() == ("not known", "not known", "0.5000")


def test_mean__is_over_images() -> None:
    folds = [RankingScores(own=0.4, shown=0.5), RankingScores(own=0.8, calibrated=0.7, shown=0.9)]
    # One image and three: 0.25 x 0.4 + 0.75 x 0.8.
    mean = mean_ranking_scores(folds, [1, 3])
    assert mean.own == pytest.approx(0.7)
    assert mean.shown == pytest.approx(0.8)
    assert math.isnan(mean.calibrated)
