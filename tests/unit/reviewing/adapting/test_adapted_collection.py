"""Any sequence of reviews, changes and undos: the answers are those of `adapt` on the table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finding_nemo.adaptation.adapt_predictions import adapt_predictions
from finding_nemo.adaptation.files.review_state import read_review_state
from finding_nemo.reviewing.open_review_session import open_review_session
from finding_nemo.reviewing.review_exports import reviews_table
from finding_nemo.reviewing.review_session import ReviewSession

_REVIEWS = st.tuples(
    st.integers(0, 47),
    st.lists(st.sampled_from([1, 2, 3, "new one", "another"]), max_size=2, unique=True),
    st.booleans(),
)
_STEPS = st.lists(st.one_of(_REVIEWS, _REVIEWS, _REVIEWS, st.none()), min_size=1, max_size=9)


@settings(max_examples=8, deadline=None)
@given(steps=_STEPS)
def test_session__equals_adapt_on_its_table_after_every_step(
    reviewable: Path,
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[tuple[int, list[int | str], bool] | None],
) -> None:
    folder = tmp_path_factory.mktemp("steps")
    source = reviewable / "fold0.parquet"
    session = open_review_session(source, store=folder / "x.sqlite")
    try:
        for number, step in enumerate(steps):
            if step is None:
                session.undo()
            elif step[0] != 23 and (step[1] or step[2]):
                session.review(step[0], step[1], is_complete=step[2])
            if number in (3, len(steps) - 1):
                compare(session, source, folder / f"{number}")
    finally:
        session.close()


def compare(session: ReviewSession, source: Path, folder: Path) -> None:
    if not session.reviews():
        return
    folder.mkdir()
    table, out = folder / "reviews.csv", folder / "adapted.parquet"
    table.write_text(reviews_table(session), encoding="utf-8")
    adapt_predictions(read_review_state(source, reviews=table), out, reviews=table)
    rows = pq.read_table(out).to_pylist()
    columns = [c["name"] for c in session.categories]
    written = pq.ParquetFile(out)
    assert written.metadata.num_rows == len(rows)
    for frame, row in zip(session.frames(limit=500).frames, rows, strict=True):
        if row["failure"] is not None:
            assert frame.state == "failed"
            continue
        methods = {"base": "machine", "adapted": "propagated", "reviewed": "human"}
        assert frame.method == methods[row["method"]]
        found = session.frame(frame.row)
        compare_guesses(found.guesses, row, len(columns))
        if row["method"] == "base":
            continue
        expected = row["answer_probability"]
        assert (frame.probability is None) == (expected is None)
        if expected is not None:
            assert frame.probability == pytest.approx(expected, abs=1e-5)
        if is_clear(row):
            assert (frame.answer, frame.confidence) == (row["answer"], row["confidence"])
            assert found.why == row["why"]


def compare_guesses(guesses: Any, row: dict[str, Any], n_categories: int) -> None:
    found = {guess.name: guess.probability for guess in guesses}
    wanted = dict(zip(row["names"] or (), row["probabilities"], strict=False))
    if row["names"] is None or not wanted:
        return
    assert len(found) == min(20, n_categories if row["method"] != "base" else 3)
    for name, probability in wanted.items():
        assert found[name] == pytest.approx(probability, abs=1e-5)


def is_clear(row: dict[str, Any]) -> bool:
    """Whether no rounding decides between two answers or words."""
    if row["method"] == "reviewed":
        return True
    values = np.sort(row["vector"])[::-1]
    total = min(sum(row["vector"]), 1.0)
    apart = len(values) < 2 or values[0] - values[1] > 1e-5
    return bool(apart and min(abs(values[0] - 0.9), abs(values[0] - 0.7), abs(total - 0.9)) > 1e-5)
