"""A dive reviewed from Python: the same frames and the same file as the commands give."""

from __future__ import annotations

from pathlib import Path

import pytest

import finding_nemo as nemo
from finding_nemo.adaptation.adapt_predictions import adapt_predictions
from finding_nemo.adaptation.files.review_state import read_review_state
from finding_nemo.adaptation.suggest_frames import suggest_frames
from finding_nemo.core.errors import OutputExistsError, SettingsError
from finding_nemo.core.reporter import Reporter


def test_suggest_and_adapt__go_hand_in_hand(reviewable: Path, tmp_path: Path) -> None:
    predictions = reviewable / "fold0.parquet"
    asked = nemo.suggest(str(predictions), per_dive=2)
    assert asked.rows == suggest_frames(read_review_state(predictions), per_dive=2).rows
    assert len(asked.rows) == 4  # two dives
    reviews, out = tmp_path / "reviews.csv", tmp_path / "adapted.parquet"
    lines = "".join(f"{row.image_id},crab\n" for row in asked.rows)
    reviews.write_text(f"id,categories\n{lines}nobody,crab\n")
    told: list[str] = []
    done = nemo.adapt(
        str(predictions), reviews=str(reviews), out=str(out), reporter=Reporter(told.append)
    )
    # 48 frames, of which one failed; it is counted with the rest.
    assert (done.n_images, done.n_reviewed, done.n_dives) == (48, 4, 2)
    state = read_review_state(predictions, reviews=reviews)
    other = adapt_predictions(state, tmp_path / "other.parquet", reviews=reviews)
    assert other.content_sha256 == done.content_sha256
    assert state.notices
    assert set(state.notices) <= set(told)
    later = nemo.suggest(predictions, reviews=reviews, budget=3)
    assert later.n_reviewed == 4
    assert not {row.image_id for row in later.rows} & {row.image_id for row in asked.rows}
    with pytest.raises(OutputExistsError):
        nemo.adapt(predictions, reviews=reviews, out=out)


def test_suggest__needs_one_way_to_count(reviewable: Path) -> None:
    with pytest.raises(SettingsError, match="either per_dive or budget"):
        nemo.suggest(reviewable / "fold0.parquet")
