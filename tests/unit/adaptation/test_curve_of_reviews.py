"""Simulated reviews: who chooses, what is judged, and settings that come from other dives."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from finding_nemo.adaptation.adaptation_settings import DEFAULTS, AdaptationSettings
from finding_nemo.adaptation.curve_of_reviews import (
    BASE,
    SHARE_FLOOR,
    SUGGESTED,
    TIME_FLOOR,
    copied_by_time,
    review_curve,
    reviewed_shares,
    settings_by_fold,
    simpler_ways,
)
from finding_nemo.adaptation.simulate_reviews import (
    TrueDive,
    simulate_dive,
    with_wrong_answers,
)
from finding_nemo.adaptation.tune_adaptation import tune_on
from finding_nemo.core.errors import DatasetError, SettingsError


@pytest.fixture(scope="module")
def dives(draw_dive: Callable[..., TrueDive]) -> list[TrueDive]:
    return [draw_dive(seed=seed, fold=seed % 2) for seed in range(6)]


def test_simulation__reviews_more_and_more_and_never_scores_what_was_seen(
    dives: list[TrueDive],
) -> None:
    found = simulate_dive(dives[0], DEFAULTS, steps=(2, 5, 50))
    assert list(found) == [2, 5]  # 40 frames are too few for 50
    assert found[5].reviewed[:2].tolist() == found[2].reviewed.tolist()
    assert len(set(found[5].reviewed.tolist())) == 5
    assert not set(found[5].rest) & set(found[5].reviewed)


def test_curve__has_every_way_and_beats_the_base(dives: list[TrueDive]) -> None:
    curve = review_curve(dives, lambda dive: DEFAULTS, steps=(2, 5))
    by_way = {way: curve.of(way) for way in (SUGGESTED, TIME_FLOOR, SHARE_FLOOR, BASE)}
    assert all([p.n_reviewed for p in points] == [2, 5] for points in by_way.values())
    best, base = by_way[SUGGESTED][1], by_way[BASE][1]
    assert best.map_at_20 > base.map_at_20 + 0.2
    assert best.dives == by_way[TIME_FLOOR][1].dives == base.dives
    assert curve.against_time[5].mean == pytest.approx(
        best.map_at_20 - by_way[TIME_FLOOR][1].map_at_20
    )


def test_floors__by_hand(dives: list[TrueDive]) -> None:
    step = simulate_dive(dives[0], DEFAULTS, steps=(2,))[2]
    first, second = step.reviewed
    truth, base = dives[0].truth, dives[0].dive.base
    share = reviewed_shares(step)
    assert share[7, 1] == pytest.approx(
        0.8 * (int(truth[first, 1]) + int(truth[second, 1])) / 2 + 0.2 * base[7, 1]
    )
    frames = dives[0].dive.frames
    weights = [
        np.exp(
            (frames.clips[7] == frames.clips[row])
            * (2 * np.exp(-abs(frames.numbers[7] - frames.numbers[row]) / 20) + 1)
        )
        for row in (first, second)
    ]
    copied = (weights[0] * truth[first] + weights[1] * truth[second]) / sum(weights)
    assert np.allclose(copied_by_time(step)[7], 0.8 * copied + 0.2 * base[7])


def test_simpler_ways__ask_for_new_frames(dives: list[TrueDive]) -> None:
    for policy in simpler_ways(0).values():
        found = simulate_dive(dives[1], DEFAULTS, policy=policy, steps=(2, 5, 10))
        assert len(set(found[10].reviewed.tolist())) == 10


def test_curve__needs_a_dive_of_twenty(draw_dive: Callable[..., TrueDive]) -> None:
    small = draw_dive(n_frames=12)
    with pytest.raises(DatasetError, match="at least 20 frames"):
        review_curve([small], lambda dive: DEFAULTS)
    with pytest.raises(SettingsError, match="at least 20 frames"):
        tune_on([small])


def test_wrong_answers__are_as_many_as_asked_for(dives: list[TrueDive]) -> None:
    answers = with_wrong_answers(dives, 0.5, seed=1)
    changed = np.mean(
        [(a != d.truth).any(axis=1).mean() for a, d in zip(answers, dives, strict=True)]
    )
    assert 0.2 < changed < 0.5  # some are right by chance
    assert all(
        (a == d.truth).all() for a, d in zip(with_wrong_answers(dives, 0), dives, strict=True)
    )


def test_settings__of_a_dive_are_tuned_on_other_folds(dives: list[TrueDive]) -> None:
    seen: list[set[str]] = []

    def tune(part: Sequence[TrueDive]) -> AdaptationSettings:
        seen.append({dive.dive.name for dive in part})
        return AdaptationSettings()

    settings_of = settings_by_fold(dives, tune)
    settings_of(dives[0])
    assert seen == [{"dive 1", "dive 3", "dive 5"}, {"dive 0", "dive 2", "dive 4"}]
    seen.clear()
    alone = [dive for dive in dives if dive.fold == 0]
    settings_by_fold(alone, tune)(alone[0])
    assert seen == [{"dive 2"}, {"dive 0", "dive 4"}]


def test_tuning__fits_what_it_was_given(dives: list[TrueDive]) -> None:
    plain = tune_on(dives)
    assert plain.kernel == DEFAULTS.kernel
    assert plain.calibration != AdaptationSettings().calibration
    drawn = tune_on(dives[:2], draws=3, seed=1)
    assert drawn.kernel != plain.kernel
    assert drawn.kernel.near_s == plain.kernel.near_s
    assert drawn == tune_on(dives[:2], draws=3, seed=1)
