"""A dive after its reviews: what was seen, what is new, what is wrong, and misleading time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from finding_nemo.adaptation.adapt_dive import Dive, adapt_dive, choose_by_errors, choose_places
from finding_nemo.adaptation.adaptation_settings import DEFAULTS, KernelSettings
from finding_nemo.adaptation.simulate_reviews import TrueDive, complete_labels
from finding_nemo.metrics.ranking import map_at_k

_ROWS = np.array([5, 15, 25, 35])


def _reviewed(drawn: TrueDive, rows: np.ndarray = _ROWS) -> Dive:
    return replace(drawn.dive, labels=complete_labels(rows, drawn.truth))


def test_one_review_a_stretch__names_the_rest(draw_dive: Callable[..., TrueDive]) -> None:
    drawn = draw_dive(seed=1)
    adapted = adapt_dive(_reviewed(drawn), DEFAULTS)
    rest = np.setdiff1d(np.arange(40), _ROWS)
    assert map_at_k(drawn.truth[rest], drawn.dive.base[rest]) < 0.7
    assert map_at_k(drawn.truth[rest], adapted.probabilities[rest]) > 0.95
    assert (adapted.probabilities[_ROWS] == drawn.truth[_ROWS]).all()
    assert adapted.clues is not None
    assert (adapted.clues.n_reviewed, adapted.clues.n_rest) == (4, 36)


def test_no_review__leaves_the_base(draw_dive: Callable[..., TrueDive]) -> None:
    drawn = draw_dive(seed=2)
    adapted = adapt_dive(drawn.dive, DEFAULTS)
    assert np.allclose(adapted.probabilities, drawn.dive.base)
    assert adapted.clues is None


def test_a_category_never_trained__is_found_at_once(draw_dive: Callable[..., TrueDive]) -> None:
    drawn = draw_dive(seed=3)
    column = int(drawn.truth[15].argmax())
    base = drawn.dive.base.copy()
    base[:, column] = 0.0
    dive = replace(_reviewed(drawn, np.array([15])), base=base)
    found = adapt_dive(dive, DEFAULTS).probabilities[:, column]
    holds = drawn.truth[:, column]
    assert np.delete(found, 15)[np.delete(holds, 15)].min() > found[~holds].max()


def test_a_partial_review__says_nothing_of_the_others(draw_dive: Callable[..., TrueDive]) -> None:
    drawn = draw_dive(seed=4)
    labels = complete_labels(np.array([15]), drawn.truth)
    dive = replace(drawn.dive, labels=replace(labels, known=labels.present))
    adapted = adapt_dive(dive, DEFAULTS)
    seen = int(drawn.truth[15].argmax())
    assert adapted.probabilities[15, seen] == 1.0
    assert (np.delete(adapted.probabilities[15], seen) > 0).all()
    assert adapted.clues is None  # a partial review is no measure


def test_a_wrong_review__does_not_ruin_the_dive(draw_dive: Callable[..., TrueDive]) -> None:
    drawn = draw_dive(seed=5)
    rows = np.arange(2, 40, 4)
    answers = drawn.truth.copy()
    answers[rows[3]] = np.roll(answers[rows[3]], 1)
    dive = replace(drawn.dive, labels=complete_labels(rows, answers))
    adapted = adapt_dive(dive, DEFAULTS)
    rest = np.setdiff1d(np.arange(40), rows)
    assert map_at_k(drawn.truth[rest], adapted.probabilities[rest]) > 0.85


def test_misleading_places__are_not_used(draw_dive: Callable[..., TrueDive]) -> None:
    drawn = draw_dive(seed=6)
    rows = np.arange(0, 40, 2)
    good = _reviewed(drawn, rows)
    assert choose_places([good], KernelSettings()).value
    order = np.random.default_rng(0).permutation(40)
    frames = replace(
        good.frames, clips=good.frames.clips[order], numbers=good.frames.numbers[order]
    )
    found = choose_places([replace(good, frames=frames)], KernelSettings())
    assert not found.value
    assert "each of 20 reviews" in found.reason


@pytest.mark.parametrize(
    ("missed", "is_used", "words"),
    [
        # Of ten reviews each: 0.8 against 1.0, 1.04 against 1.0, 1.06 against 1.0.
        ([(5.0, 6.0), (3.0, 4.0)], True, "as well with them (squared error 0.800 with, 1.000"),
        ([(5.2, 5.0), (5.2, 5.0)], True, "as well with them (squared error 1.040 with, 1.000"),
        ([(5.3, 5.0), (5.3, 5.0)], False, "better without them (squared error 1.060 with, 1.000"),
    ],
)
def test_places__are_dropped_where_they_are_clearly_worse(
    missed: list[tuple[float, float]], is_used: bool, words: str
) -> None:
    found = choose_by_errors(missed, 10)
    assert found.value is is_used
    assert words in found.reason


def test_places__are_used_where_reviews_cannot_tell(draw_dive: Callable[..., TrueDive]) -> None:
    found = choose_places([_reviewed(draw_dive(seed=7))], KernelSettings())
    assert found.value
    assert "fewer than 8" in found.reason
    blind = _reviewed(draw_dive(seed=7))
    blind = replace(blind, frames=replace(blind.frames, features=None))
    assert choose_places([blind], KernelSettings()).reason == "there are no features"


@pytest.mark.parametrize("with_places", [True, False])
def test_a_dive_all_reviewed__has_no_rest(
    draw_dive: Callable[..., TrueDive], with_places: bool
) -> None:
    drawn = draw_dive(seed=8, n_frames=20)
    adapted = adapt_dive(_reviewed(drawn, np.arange(20)), DEFAULTS, with_places=with_places)
    assert adapted.clues is None
    assert (adapted.probabilities == drawn.truth).all()
