"""Files through `suggest` and `adapt`: rows, methods, new categories, faults."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from finding_nemo import read_dataset
from finding_nemo.adaptation.adapt_predictions import AdaptationSummary, adapt_predictions
from finding_nemo.adaptation.files.adapted_file import smallest_set
from finding_nemo.adaptation.files.predicted_frames import read_predicted_frames
from finding_nemo.adaptation.files.review_state import read_review_state
from finding_nemo.adaptation.frame_choice import ChosenFrame
from finding_nemo.adaptation.suggest_frames import suggest_frames, why, write_suggestions
from finding_nemo.core.errors import PredictionsError, ReviewsError, SettingsError
from finding_nemo.evaluation.evaluate_predictions import evaluate
from finding_nemo.results.reading.readers import read_predictions


def reviewed(folder: Path, tmp_path: Path, rows: tuple[int, ...], extra: str = "") -> Path:
    """Write truthful reviews of some frames of the first dive."""
    truth = (folder / "truth.csv").read_text().splitlines()[1:]
    lines = [f"{Path(line.split(',')[0]).stem},{line.split(',')[1]}" for line in truth]
    path = tmp_path / "reviews.csv"
    path.write_text("id,categories\n" + "\n".join(lines[row] for row in rows) + f"\n{extra}")
    return path


def adapted(folder: Path, reviews: Path, out: Path, **options: object) -> AdaptationSummary:
    state = read_review_state(folder / "fold0.parquet", reviews=reviews)
    return adapt_predictions(state, out, reviews=reviews, **options)  # type: ignore[arg-type]


def test_adapted_file__names_the_rest_of_the_dive_and_leaves_other_dives(
    reviewable: Path, tmp_path: Path
) -> None:
    out = tmp_path / "adapted.parquet"
    reviews = reviewed(reviewable, tmp_path, (2, 7, 12, 17, 22))
    done = adapted(reviewable, reviews, out)
    assert (done.n_images, done.n_reviewed, done.n_dives, done.n_rest) == (48, 5, 1, 18)
    assert done.quality is not None
    methods = pq.read_table(out).column("method").to_pylist()
    assert methods.count("reviewed") == 5
    assert (methods[22], methods[23]) == ("reviewed", "failed")
    assert set(methods[24:]) == {"base"}
    before, after = read_predictions(reviewable / "fold0.parquet"), read_predictions(out)
    assert before.vector is not None
    assert after.vector is not None
    assert (after.vector[24:] == before.vector[24:]).all()
    assert after.ranked_ids[24:] == before.ranked_ids[24:]
    assert after.failures == before.failures
    data = read_dataset(reviewable / "truth.csv")
    scores = [evaluate(table, data).model.map_at_20.value for table in (before, after)]
    assert scores[1] > scores[0]


def test_adapted_file__answers_and_names_follow_the_new_order(
    reviewable: Path, tmp_path: Path
) -> None:
    out = tmp_path / "adapted.parquet"
    adapted(reviewable, reviewed(reviewable, tmp_path, (2, 7, 12, 17, 22)), out)
    rows = pq.read_table(out).to_pylist()
    table = read_predictions(out)
    texts = {entry["category_id"]: entry["name"] for entry in table.metadata["categories"]}
    for row in rows:
        if row["method"] in ("adapted", "reviewed"):
            assert row["names"] == [texts[number] for number in row["categories"]]
            assert (row["look_first"], row.get("maps")) == (None, None)
        if row["method"] == "reviewed":
            assert (row["answer"], row["confidence"]) == (row["prediction"], "sure")
        if row["method"] == "adapted":
            best = max(row["vector"])
            word = "sure" if best >= 0.9 else "likely" if best >= 0.7 else "guess"
            assert row["confidence"] == word or row["answer_level"] == "supercategory"
            assert row["answer"]


def test_a_new_name__is_a_category_of_the_file(reviewable: Path, tmp_path: Path) -> None:
    out = tmp_path / "adapted.parquet"
    reviews = tmp_path / "r.csv"
    reviews.write_text('id,categories\nd0-clip0_003,"=vampire squid"\n')
    done = adapted(reviewable, reviews, out)
    table = read_predictions(out)
    assert done.new_names == ("=vampire squid",)
    assert table.category_ids == (1, 2, 3, 4)
    assert table.metadata["categories"][3]["n_images"] == 0
    assert table.vector is not None
    found = table.vector[:23, 3]
    assert found[3] == 1.0
    assert found[[2, 4]].min() > 0.3  # the frames beside it
    assert (table.vector[24:, 3] == 0).all()
    assert table.assessment is None  # this file never had one


def test_other_formats__hold_the_method_too(reviewable: Path, tmp_path: Path) -> None:
    reviews = reviewed(reviewable, tmp_path, (2, 7))
    adapted(reviewable, reviews, tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text().splitlines()[0].endswith(",method")
    adapted(reviewable, reviews, tmp_path / "a.jsonl")
    assert read_predictions(tmp_path / "a.jsonl").image_ids[0] == "d0-clip0_000"


def test_the_same_reviews__give_the_same_rows(reviewable: Path, tmp_path: Path) -> None:
    reviews = reviewed(reviewable, tmp_path, (2, 7, 12, 17))
    first = adapted(reviewable, reviews, tmp_path / "a.parquet")
    assert adapted(reviewable, reviews, tmp_path / "b.parquet").content_sha256 == (
        first.content_sha256
    )
    read_predictions(tmp_path / "a.parquet", verify=True)


def test_reviews_of_failed_frames_alone__are_nothing_to_learn_from(
    reviewable: Path, tmp_path: Path
) -> None:
    reviews = tmp_path / "r.csv"
    reviews.write_text("id,categories\nnobody,crab\n")
    with pytest.raises(ReviewsError, match="is among the predictions"):
        adapted(reviewable, reviews, tmp_path / "a.parquet")


def test_without_embeddings__clip_and_time_are_used_and_it_is_said(
    reviewable: Path, tmp_path: Path
) -> None:
    table = pq.read_table(reviewable / "fold0.parquet")
    bare = table.drop_columns(["embedding", "vector"])
    known = pq.ParquetFile(reviewable / "fold0.parquet").metadata.metadata
    kept = {key: value for key, value in known.items() if b"ARROW" not in key}
    pq.write_table(bare.replace_schema_metadata(kept), tmp_path / "bare.parquet")
    reviews = reviewed(reviewable, tmp_path, (2, 7, 12, 17))
    state = read_review_state(tmp_path / "bare.parquet", reviews=reviews)
    assert "no embeddings" in state.notices[0]
    done = adapt_predictions(state, tmp_path / "a.parquet", reviews=reviews)
    assert done.n_rest == 19
    assert "vector" not in pq.read_schema(tmp_path / "a.parquet").names


def test_predictions__that_cannot_be_used_are_refused(reviewable: Path, tmp_path: Path) -> None:
    with pytest.raises(PredictionsError, match="only Parquet holds embeddings"):
        read_predicted_frames(tmp_path / "p.csv")
    with pytest.raises(PredictionsError, match="does not exist"):
        read_predicted_frames(tmp_path / "p.parquet")
    pq.write_table(pa.table({"x": [1]}), tmp_path / "other.parquet")
    with pytest.raises(PredictionsError, match="lacks the columns image_id"):
        read_predicted_frames(tmp_path / "other.parquet")
    whole = (reviewable / "fold0.parquet").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(PredictionsError, match="cannot be read"):
        read_predicted_frames(tmp_path / "cut.parquet")


def test_features__are_standard_and_of_unit_length(reviewable: Path) -> None:
    found = read_predicted_frames(reviewable / "fold0.parquet")
    assert found.features is not None
    stored = pq.read_table(reviewable / "fold0.parquet").column("embedding").to_pylist()
    rows = np.array([row for row in stored if row is not None])
    standard = (rows - rows.mean(axis=0)) / (rows.std(axis=0) + 1e-6)
    standard /= np.linalg.norm(standard, axis=1, keepdims=True)
    assert np.allclose(found.features[found.usable], standard, atol=2e-3)
    assert found.usable.sum() == 47
    assert (found.features[~found.usable] == 0).all()


def test_suggestions__are_of_every_dive_and_ask_nothing_twice(
    reviewable: Path, tmp_path: Path
) -> None:
    first = suggest_frames(read_review_state(reviewable / "fold0.parquet"), per_dive=3)
    assert [row.rank for row in first.rows] == list(range(1, 7))
    assert {row.dive for row in first.rows} == {"ROV 0000", "ROV 0001"}
    assert first.quality is None
    reviews = reviewed(reviewable, tmp_path, (2, 7, 12))
    state = read_review_state(reviewable / "fold0.parquet", reviews=reviews)
    found = suggest_frames(state, budget=40)
    asked = {row.image_id for row in found.rows}
    assert len(asked) == 40
    assert not asked & {"d0-clip0_002", "d0-clip0_007", "d0-clip1_000", "d0-clip1_011"}
    assert found.quality is not None
    assert (found.n_reviewed, found.n_reviewed_dives, found.n_dives) == (3, 1, 2)
    assert list(found.more_frames) == [0.90, 0.95]
    with pytest.raises(SettingsError, match="either per_dive or budget"):
        suggest_frames(state)


def test_list__guards_formulas(reviewable: Path, tmp_path: Path) -> None:
    found = suggest_frames(read_review_state(reviewable / "fold1.parquet"), budget=2)
    write_suggestions(found, tmp_path / "next.csv")
    lines = (tmp_path / "next.csv").read_text().splitlines()
    assert lines[0] == "id,dive,rank,why"
    assert lines[1].startswith("d2-clip")
    assert ',ROV 0002,1,"stands for' in lines[1]


def test_why__says_what_a_frame_stands_for() -> None:
    assert why(ChosenFrame(0, 1.0, 1, 0.1)) == (
        "like no frame before it, whose names are fairly sure"
    )
    assert why(ChosenFrame(0, 1.0, 9, 0.3)).endswith(
        "9 frames like it, whose names are partly open"
    )


def test_smallest_set__misses_no_more_than_asked_for() -> None:
    falling = np.array([0.9, 0.3, 0.06, 0.03], dtype=np.float32)
    assert smallest_set(falling, 0.1) == 2
    assert smallest_set(falling, 0.05) == 3
    assert smallest_set(falling, 5.0) == 0
    assert smallest_set(falling, 0.0) == 4
