"""The one answer to a frame, with its word."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from finding_nemo.uncertainty.answers import (
    CONFIDENCES,
    FAMILIARITY_SCORE,
    GUESS,
    LIKELY,
    SURE,
    WHY_GUESS,
    WHY_LIKELY,
    WHY_LIKELY_GROUP,
    WHY_SURE,
    WHY_SURE_GROUP,
    WHY_UNCHECKED,
    WHY_UNFAMILIAR,
    AnswerBars,
    familiar_images,
    fit_answer_bars,
    give_answers,
    guesses,
)
from finding_nemo.uncertainty.calibration import ValidationView
from finding_nemo.uncertainty.ood.detector import NoveltyDetector

NAMES = ("crab", "shrimp", "eel")
GROUPS = ("crustacean", "crustacean", "fish")


def bars() -> AnswerBars:
    """Return bars of 0.9 and 0.6 for categories, 0.95 and 0.7 for the one real group."""
    return AnswerBars(
        categories={SURE: np.full(3, 0.9), LIKELY: np.full(3, 0.6)},
        groups={SURE: np.array([0.95, np.inf]), LIKELY: np.array([0.7, np.inf])},
    )


def said(row: list[float], *, familiar: bool = True) -> tuple[str, str, str, float, str]:
    answer = give_answers(
        np.array([row]), NAMES, GROUPS, bars=bars(), familiar=np.array([familiar])
    )[0]
    probability = round(answer.probability, 6)
    return answer.text, answer.level, answer.confidence, probability, answer.why


def test_answer__is_the_finest_that_is_sure_else_the_finest_that_is_likely_else_a_guess() -> None:
    assert said([0.92, 0.01, 0.3]) == ("crab", "category", "sure", 0.92, WHY_SURE)
    assert said([0.5, 0.46, 0.3]) == ("crustacean", "supercategory", "sure", 0.96, WHY_SURE_GROUP)
    # The group is likely, the name as well: the name is finer.
    assert said([0.1, 0.65, 0.1]) == ("shrimp", "category", "likely", 0.65, WHY_LIKELY)
    assert said([0.4, 0.35, 0.1]) == (
        "crustacean",
        "supercategory",
        "likely",
        0.75,
        WHY_LIKELY_GROUP,
    )
    assert said([0.2, 0.1, 0.3]) == ("eel", "category", "guess", 0.3, WHY_GUESS)


def test_answer__of_a_frame_unlike_the_training_is_never_sure() -> None:
    assert said([0.92, 0.01, 0.3], familiar=False)[2:] == ("likely", 0.92, WHY_UNFAMILIAR)
    assert said([0.5, 0.46, 0.3], familiar=False)[:2] == ("crustacean", "supercategory")
    assert said([0.1, 0.65, 0.1], familiar=False)[4] == WHY_LIKELY
    assert said([0.2, 0.1, 0.3], familiar=False)[4] == WHY_GUESS


def test_answer__without_validation_images_is_a_guess_and_says_so() -> None:
    answer = give_answers(np.array([[0.1, 0.99, 0.2]]), NAMES, GROUPS, bars=None)[0]
    assert (answer.text, answer.confidence, answer.why) == ("shrimp", GUESS, WHY_UNCHECKED)
    assert guesses(np.zeros((1, 3)), NAMES, why="so")[0].text == "crab"


def test_bars__a_group_of_one_category_or_without_a_name_is_never_an_answer() -> None:
    probabilities = np.random.default_rng(0).uniform(0.9, 1, (60, 4))
    truth = np.ones((60, 4), dtype=np.bool_)
    view = ValidationView(np.zeros((60, 4)), truth, [f"d{k % 6}" for k in range(60)])
    found = fit_answer_bars(view, probabilities, ("a", "b", "b", ""))
    for word in (SURE, LIKELY):
        # roll_up's order: "", "a", "b".
        assert np.isinf(found.groups[word][:2]).all()
        assert np.isfinite(found.groups[word][2])


def test_bars__of_probabilities_that_lie_are_out_of_reach() -> None:
    truth = np.zeros((400, 3), dtype=np.bool_)
    truth[:, 2] = True
    probabilities = np.tile([0.97, 0.01, 0.02], (400, 1))
    view = ValidationView(np.zeros((400, 3)), truth, [f"d{k % 80}" for k in range(400)])
    found = fit_answer_bars(view, probabilities, GROUPS)
    assert found.categories[SURE][0] > 0.97
    answer = give_answers(probabilities[:1], NAMES, GROUPS, bars=found)[0]
    assert (answer.text, answer.confidence) == ("crab", GUESS)


def test_familiar__up_to_nine_tenths_of_the_validation_images() -> None:
    scale = np.linspace(0, 1, 101)
    detector = NoveltyDetector({"vim": 100 * scale, FAMILIARITY_SCORE: scale}, None)
    scores = np.array([[99.0, 0.89], [1.0, 0.91]])
    assert familiar_images(scores, detector).tolist() == [True, False]
    of_logits = NoveltyDetector({"joint-energy": scale, "combined": scale}, None)
    assert familiar_images(scores[:, ::-1] / 100, of_logits).tolist() == [True, True]


@settings(max_examples=60)
@given(st.lists(st.lists(st.floats(0, 1), min_size=3, max_size=3), min_size=1, max_size=5))
def test_answer__is_never_empty_and_has_a_probability(rows: list[list[float]]) -> None:
    for given_bars in (bars(), None):
        for answer in give_answers(np.array(rows), NAMES, GROUPS, bars=given_bars):
            assert answer.text in NAMES or answer.text in GROUPS
            assert answer.confidence in CONFIDENCES
            assert 0 <= answer.probability <= 1
            assert answer.why.endswith(".")


def test_answer__a_mere_guess_is_the_first_of_the_ranking_and_a_likely_one_is_not() -> None:
    probabilities = np.array([[0.30, 0.05, 0.32], [0.05, 0.65, 0.1]])
    ranking = np.array([[0.40, 0.05, 0.33], [0.9, 0.66, 0.1]])
    found = give_answers(probabilities, NAMES, GROUPS, bars=bars(), ranking=ranking)
    assert [(answer.text, answer.confidence) for answer in found] == [
        ("crab", "guess"),
        ("shrimp", "likely"),
    ]
    assert round(found[0].probability, 6) == 0.3
    unchecked = give_answers(probabilities, NAMES, GROUPS, bars=None, ranking=ranking)
    assert [answer.text for answer in unchecked] == ["crab", "crab"]
