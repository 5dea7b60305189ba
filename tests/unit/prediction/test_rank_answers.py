"""One answer a frame by rank: by hand, and never less precise where it is easy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from finding_nemo.core.errors import SettingsError
from finding_nemo.marine.taxa_file import read_taxa
from finding_nemo.prediction.predictor import Predictor
from finding_nemo.prediction.rank_answers import RankAnswers, fit_rank_answers
from finding_nemo.uncertainty.answers import WHY_GUESS, WHY_SURE, WHY_UNFAMILIAR
from finding_nemo.uncertainty.calibration import ValidationView
from finding_nemo.uncertainty.label_tree import label_tree

_PATHS = (
    (("family", "Munididae"), ("genus", "Munida")),
    (("family", "Munididae"), ("genus", "Other")),
    (("category", "rov"),),
)
_NAMES = ["Munida", "Other", "rov"]
# Nodes in the order of their paths: rov, Munididae, Munididae Munida, Munididae Other.
_SURE = {rank: np.full(4, 0.9) for rank in ("category", "genus", "family")}
_LIKELY = {rank: np.full(4, 0.6) for rank in ("category", "genus", "family")}
_ANSWERS = RankAnswers(label_tree(_PATHS), {"sure": _SURE, "likely": _LIKELY})


def test_an_answer__is_the_finest_that_is_sure_else_likely_else_a_guess() -> None:
    said = np.array([[0.95, 0.0, 0.0], [0.5, 0.45, 0.2], [0.4, 0.3, 0.2], [0.3, 0.2, 0.31]])
    found = _ANSWERS.give(said, _NAMES)
    assert [(one.text, one.level, one.confidence) for one in found] == [
        ("Munida", "category", "sure"),
        ("Munididae", "family", "sure"),
        ("Munididae", "family", "likely"),
        ("rov", "category", "guess"),
    ]
    assert [round(one.probability, 2) for one in found] == [0.95, 0.95, 0.7, 0.31]
    assert [one.why for one in found] == [
        WHY_SURE,
        "Only the family is sure, not which of its kinds.",
        "Only the family is likely, not which of its kinds.",
        WHY_GUESS,
    ]


def test_nothing__is_sure_of_a_frame_unlike_the_training() -> None:
    said = np.array([[0.95, 0.0, 0.0], [0.5, 0.45, 0.0]])
    found = _ANSWERS.give(said, _NAMES, familiar=np.array([False, False]))
    assert [(one.text, one.confidence, one.why) for one in found] == [
        ("Munida", "likely", WHY_UNFAMILIAR),
        ("Munididae", "likely", WHY_UNFAMILIAR),
    ]


def test_a_guess__is_the_first_of_the_ranking() -> None:
    said = np.array([[0.2, 0.1, 0.1]])
    (found,) = _ANSWERS.give(said, _NAMES, ranking=np.array([[0.0, 0.0, 1.0]]))
    assert (found.text, found.confidence) == ("rov", "guess")


def test_bars__let_kin_that_look_alike_have_their_family() -> None:
    # Two genera of one family, told from the third animal always and from each other never.
    rng = np.random.default_rng(0)
    names = ["Munida", "Munidopsis", "Munidopsis sp. 1", "Psolus"]
    kind = rng.integers(0, 3, 900)
    truth = np.zeros((900, 4), dtype=np.bool_)
    truth[np.arange(900), np.where(kind == 2, 3, rng.integers(0, 3, 900))] = True
    crustacean = kind != 2
    said = np.where(crustacean[:, np.newaxis], [0.33, 0.33, 0.33, 0.01], [0.0, 0.0, 0.0, 0.99])
    view = ValidationView(
        np.zeros(truth.shape, dtype=np.float32), truth, [str(n % 60) for n in range(900)]
    )
    fitted = fit_rank_answers(view, said, names, [""] * 4)
    first, last = fitted.give(np.array([[0.33, 0.33, 0.33, 0.01], [0.0, 0.0, 0.0, 0.99]]), names)
    assert first.confidence == "sure"
    assert first.level not in ("category", "species", "genus")
    assert (last.text, last.level, last.confidence) == ("Psolus", "category", "sure")


def test_a_bundle_without_validation_images__guesses_as_ever(small_bundle: Path) -> None:
    predictor = Predictor(small_bundle, ranks=True)
    assert predictor.__getstate__()["ranks"] is True
    assert predictor.postprocessor is not None
    frame = np.zeros((8, 8, 3), dtype=np.uint8)
    (found,), (usual,) = predictor.predict([frame]), Predictor(small_bundle).predict([frame])
    assert found.answer == usual.answer


def test_names_of_no_tree__are_refused() -> None:
    truth = np.ones((2, 3), dtype=np.bool_)
    view = ValidationView(np.zeros((2, 3), dtype=np.float32), truth, ["a", "b"])
    with pytest.raises(SettingsError, match="0 of 3 categories"):
        fit_rank_answers(view, truth * 0.5, ["rov", "bag", "can"], [""] * 3)


def test_names_of_a_table_of_ones_own__have_answers_by_rank(tmp_path: Path) -> None:
    path = tmp_path / "taxa.csv"
    path.write_text(
        "name,rank,parent\nBags,genus,\nbag,species,Bags\nsack,species,Bags\ncan,species,\n"
    )
    # Bag and sack are told from a can always and from each other never.
    kind = np.arange(900) % 3
    truth = kind[:, np.newaxis] == np.arange(3)
    said = np.where(kind[:, np.newaxis] < 2, [0.49, 0.49, 0.01], [0.0, 0.0, 0.99])
    view = ValidationView(
        np.zeros(truth.shape, dtype=np.float32), truth, [str(n % 60) for n in range(900)]
    )
    names = ["bag", "sack", "can"]
    fitted = fit_rank_answers(view, said, names, [""] * 3, table=read_taxa(path))
    (found,) = fitted.give(np.array([[0.49, 0.49, 0.01]]), names)
    assert (found.text, found.level, found.confidence) == ("Bags", "genus", "sure")
