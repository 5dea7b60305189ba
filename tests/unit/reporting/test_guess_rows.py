"""What a bundle says of an image, in words."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finding_nemo.core.assessment import Answer, Assessment, GuessEvidence
from finding_nemo.core.records import Prediction
from finding_nemo.models.bundle.manifest import CategoryEvidence
from finding_nemo.reporting.guess_rows import (
    answer_in_words,
    dives_in_words,
    evidence_in_words,
    full_name,
    guesses_of,
    novelty_in_words,
    probability_in_words,
)

CATEGORIES = [
    CategoryEvidence(
        category_id=k, name=name, supercategory="Crustacean", n_images=images, n_dives=dives
    )
    for k, (name, images, dives) in enumerate(
        [("crab", 1200, 33), ("prawn", 1, 1), ("lobster", 0, 0)]
    )
]
LIKELY_PRAWN = Answer(
    text="prawn", level="category", confidence="likely", probability=0.7, why="not sure"
)


def prediction(**changes: Any) -> Prediction:
    probabilities = np.array([0.2, 0.7, 0.05], dtype=np.float32)
    plain: dict[str, Any] = {"probabilities": probabilities, "novelty": 0.1}
    return Prediction("a", "a.png", 640, 480, None, **{**plain, **changes})


def assessment(**changes: Any) -> Assessment:
    none: Any = np.zeros(3, dtype=np.int32)
    plain: dict[str, Any] = {
        "evidence": GuessEvidence(none, none, none.astype(np.float32)),
        "novelty_percentile": 0.971,
        "novelty_scores": np.zeros(1, dtype=np.float32),
        "named_ids": (),
        "prediction_set": (),
        "label": "Crustacean",
        "label_probability": 0.9,
        "label_source": "supercategory",
        "brightness": 0.5,
    }
    return Assessment(**{**plain, **changes})


def test_guesses__are_best_first_with_what_they_rest_on() -> None:
    maps = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    said = guesses_of(
        prediction(assessment=assessment(), maps=maps, answer=LIKELY_PRAWN),
        CATEGORIES,
        bundle="nemo",
        truth=("crab", "lobster"),
        n_guesses=2,
    )
    assert [
        (guess.name, round(guess.probability, 2), guess.evidence, guess.is_true)
        for guess in said.guesses
    ] == [
        ("Crustacean: prawn", 0.7, "1 image, 1 dive", False),
        ("Crustacean: crab", 0.2, "1,200 images, 33 dives", True),
    ]
    assert said.missed == ("lobster",)
    assert said.novelty == "more unusual than 97 % of validation frames"
    assert said.answer == "prawn, likely"
    assert said.heat is not None
    assert said.heat.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_guesses__show_the_rank_where_it_is_known() -> None:
    said = guesses_of(
        prediction(),
        CATEGORIES,
        bundle="nemo",
        truth=None,
        n_guesses=2,
        ranks={"crab": "infraorder", "prawn": ""},
    )
    assert [guess.evidence for guess in said.guesses] == [
        "1 image, 1 dive",
        "infraorder, 1,200 images, 33 dives",
    ]


def test_guesses__of_a_baseline_say_only_what_it_knows() -> None:
    said = guesses_of(prediction(), CATEGORIES, bundle="prior", truth=None, n_guesses=20)
    assert [guess.is_true for guess in said.guesses] == [False] * 3
    assert (said.missed, said.novelty, said.answer, said.heat) == ((), "", "", None)


def test_guesses__of_a_failed_image_there_are_none() -> None:
    failed = Prediction("a", "a.png", None, None, "is empty", None, None)
    with pytest.raises(ValueError, match="a.png has no probabilities: is empty"):
        guesses_of(failed, CATEGORIES, bundle="b", truth=None, n_guesses=1)


@pytest.mark.parametrize(
    ("percentile", "words"),
    [
        (math.nan, ""),
        (0.0, "as usual"),
        (0.799, "as usual"),
        (0.8, "more unusual than 80 % of validation frames"),
        (0.9999, "more unusual than 99 % of validation frames"),
        (1.0, "more unusual than every validation frame"),
    ],
)
def test_novelty__in_words(percentile: float, words: str) -> None:
    assert novelty_in_words(percentile) == words


def test_evidence__in_words() -> None:
    words = [(evidence_in_words(each), dives_in_words(each)) for each in CATEGORIES]
    assert words == [
        ("1,200 images, 33 dives", "33 dives"),
        ("1 image, 1 dive", "1 dive"),
        ("never seen in training", "never seen"),
    ]


def test_names_and_answers__in_words() -> None:
    assert full_name("Worm", "Chaetopterus") == "Worm: Chaetopterus"
    assert full_name("", "rov") == full_name("rov", "rov") == "rov"
    assert answer_in_words(None) == ""
    assert answer_in_words(LIKELY_PRAWN) == "prawn, likely"
    assert answer_in_words(LIKELY_PRAWN, {"prawn": "species"}) == "prawn, likely"
    assert answer_in_words(LIKELY_PRAWN, {"prawn": "genus"}) == "Genus: prawn, likely"
    family = replace(LIKELY_PRAWN, text="Macrouridae", level="family")
    assert answer_in_words(family) == "Family: Macrouridae, likely"


def test_guesses__stand_in_the_order_of_the_ranking_where_there_is_one() -> None:
    ranked = prediction(ranking_scores=np.array([0.8, 0.7, 0.1], dtype=np.float32))
    said = guesses_of(ranked, CATEGORIES, bundle="nemo", truth=None, n_guesses=2)
    shown = [(guess.name, round(guess.probability, 3)) for guess in said.guesses]
    assert shown == [("Crustacean: crab", 0.2), ("Crustacean: prawn", 0.7)]


@given(st.floats(0, 1))
def test_probability__is_never_said_to_be_none_or_all(probability: float) -> None:
    words = probability_in_words(probability)
    assert words not in ("0.00", "1.00")
    if words[0] not in "<>":
        assert abs(float(words) - probability) <= 0.005 + 1e-12
