"""The ranking that is shown may be another than that of probability: in every file, and read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from finding_nemo.core.errors import PredictionsError
from finding_nemo.core.records import Prediction
from finding_nemo.metrics.ranking import rank_columns
from finding_nemo.results.reading.readers import read_predictions
from finding_nemo.results.submission import read_submission
from finding_nemo.results.writers import provenance_path, write_predictions

_IDS = (36, 17, 4)
_CATEGORIES = [{"category_id": number, "n_images": 1} for number in _IDS]
POOLED: dict[str, Any] = {"ranking": {"weight": 0.15}}


def predictions() -> list[Prediction]:
    """Ranked by other scores than probability; failed; ranked by probability."""
    said = np.array([[0.5, 0.75, 0.25], [0.125, 0.0, 1.0]], dtype=np.float32)
    ranked_by = np.array([0.9, 0.8, 0.85], dtype=np.float32)
    return [
        Prediction("a", "a.png", 64, 48, None, said[0], 0.5, ranking_scores=ranked_by),
        Prediction("b", "b.png", None, None, "is empty", None, None),
        Prediction("c", "c.png", 64, 48, None, said[1], 0.5),
    ]


def write(path: Path, metadata: dict[str, Any], **options: Any) -> Path:
    write_predictions(
        predictions(),
        path,
        category_ids=_IDS,
        metadata=lambda: {"schema_version": 1, "categories": _CATEGORIES, **metadata},
        **options,
    )
    return path


@pytest.mark.parametrize("suffix", ["parquet", "jsonl"])
def test_every_format__keeps_the_order_and_each_guess_its_probability(
    tmp_path: Path, suffix: str
) -> None:
    found = read_predictions(write(tmp_path / f"p.{suffix}", POOLED))
    assert found.ranked_ids == ((36, 4, 17), (), (4, 36, 17))
    assert found.ranked_probabilities[0] == (0.5, 0.25, 0.75)
    scores = found.ranking_scores_in((4, 17, 36))
    assert rank_columns(scores[[0, 2]]).tolist() == [[2, 0, 1], [0, 2, 1]]
    assert np.isnan(scores[1]).all()
    # Probabilities stay what they were.
    assert found.probabilities_in((4, 17, 36))[0].tolist() == [0.25, 0.75, 0.5]


def test_submission__is_in_the_shown_order(tmp_path: Path) -> None:
    lines = read_submission(write(tmp_path / "s.csv", POOLED, file_format="submission"))
    assert [line.category_ids for line in lines] == [(36, 4, 17), (36, 17, 4), (4, 36, 17)]


def test_order__is_held_against_a_file_that_ranks_by_probability(tmp_path: Path) -> None:
    with pytest.raises(PredictionsError, match="probabilities must be best first"):
        read_predictions(write(tmp_path / "p.parquet", {}))


def test_jsonl__whose_provenance_stayed_behind_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "p.jsonl", POOLED)
    provenance_path(path).unlink()
    assert read_predictions(path).ranked_ids[0] == (36, 4, 17)


def test_fewer_guesses_than_categories__the_rest_comes_after(tmp_path: Path) -> None:
    found = read_predictions(write(tmp_path / "p.jsonl", POOLED))
    scores = found.ranking_scores_in((8, 4, 17, 36))
    assert rank_columns(scores[[0]]).tolist() == [[3, 1, 2, 0]]
