"""A collection that grows: the same as the file that it writes, and reviews of it."""

from __future__ import annotations

import resource
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from finding_nemo.adaptation.files.predicted_frames import read_predicted_frames
from finding_nemo.core.records import Prediction
from finding_nemo.results.reading.readers import read_predictions
from finding_nemo.reviewing.file_collection import FileCollection
from finding_nemo.reviewing.live_collection import LiveCollection
from finding_nemo.reviewing.review_session import ReviewSession
from finding_nemo.reviewing.review_store import open_store

METADATA = {
    "schema_version": 1,
    "bundle_hash": "b" * 64,
    "categories": [
        {"category_id": n, "name": name, "supercategory": "animals", "n_images": 5, "n_dives": 2}
        | {"validation_ap": 0.5}
        for n, name in ((1, "crab"), (2, "fish"), (3, "squid"))
    ],
}


def predicted(number: int, *, failure: str | None = None, features: int = 4) -> Prediction:
    rng = np.random.default_rng(number)
    kind = number // 3 % 3
    base = rng.uniform(0.1, 0.3, 3).astype(np.float32)
    embedding = (np.eye(4)[kind] * 3 + rng.normal(size=4)).astype(np.float32)[:features]
    return Prediction(
        image_id=f"f{number:03d}",
        path=f"dive A/f{number:03d}.png",
        width=None if failure else 64,
        height=None if failure else 48,
        failure=failure,
        probabilities=None if failure else base,
        novelty=None if failure else 0.5,
        embedding=None if failure or not features else embedding,
        captured=datetime(2026, 1, 2, 3, 4, 5),
        maps=None if failure else np.full((3, 2, 2), number, dtype=np.uint8),
    )


def grown(folder: Path, parts: list[list[Prediction]]) -> LiveCollection:
    collection = LiveCollection(folder, METADATA)
    for part in parts:
        rows = collection.append([(p.path, folder / f"{p.image_id}.png", p) for p in part])
        assert len(rows) == len(part)
    return collection


def test_collection__is_that_of_the_file_that_it_writes(tmp_path: Path) -> None:
    every = [predicted(n, failure="is empty (0 bytes)" if n == 4 else None) for n in range(12)]
    live = grown(tmp_path, [every[:1], every[1:6], [], every[6:]])
    path = live.as_file(tmp_path)
    assert read_predictions(path).image_ids == tuple(p.image_id for p in every)
    file, whole = FileCollection(path), read_predicted_frames(path)
    assert file.columns.image_ids == live.columns.image_ids
    assert file.columns.failures == live.columns.failures
    assert np.array_equal(file.columns.usable, live.columns.usable)
    assert np.array_equal(file.columns.first_ids, live.columns.first_ids)
    assert file.columns.places.dives == live.columns.places.dives
    assert whole.features is not None
    for rows in (np.arange(12), np.array([0, 5, 11]), np.array([4])):
        found = next(live.vectors(rows))
        assert found.features is not None
        assert np.array_equal(found.base, whole.base[rows])
        assert np.allclose(found.features, whole.features[rows], atol=2e-3)
    for row in (0, 1, 4, 11):
        assert live.values(row) == file.values(row)
    maps, again = live.maps(7), file.maps(7)
    assert maps is not None
    assert again is not None
    assert (maps.tolist(), again.tolist()) == ([[[7, 7], [7, 7]]] * 3,) * 2
    assert live.maps(4) is None


def test_image__is_the_file_that_was_kept(tmp_path: Path) -> None:
    live = LiveCollection(tmp_path, METADATA)
    live.append([("a.png", tmp_path / "000001.png", predicted(0)), ("b", Path(), predicted(1))])
    found = live.image_of(0)
    assert found is not None
    assert (found.path, found.time_s) == (tmp_path / "000001.png", None)
    assert live.image_of(1) is None


def test_without_embeddings__there_are_no_features(tmp_path: Path) -> None:
    live = grown(tmp_path, [[predicted(n, features=0) for n in range(4)]])
    assert not live.has_features
    assert next(live.vectors(np.arange(4))).features is None
    assert FileCollection(live.as_file(tmp_path)).has_features is False


def test_frames_that_come_later__are_named_by_the_reviews_of_before(tmp_path: Path) -> None:
    live = LiveCollection(tmp_path, METADATA)
    about = {"predictions": live.content_sha256}
    with open_store(tmp_path / "x.sqlite", about) as store:
        session = ReviewSession(live, store)
        assert session.frames().total == 0
        assert session.suggest() == []
        assert session.animals() == []
        rows = session.add_frames([(p.path, Path("x.png"), p) for p in map(predicted, range(6))])
        assert [row.row for row in rows] == list(range(6))
        session.review(0, ["new one"])
        later = predicted(9)
        session.add_frames([(later.path, Path("x.png"), replace(later, image_id="later"))])
        frame = session.frame(6)
        assert (frame.id, frame.method, frame.state) == ("later", "propagated", "unreviewed")
        assert "new one" in {guess.name for guess in frame.guesses}
        assert session.dives().dives[0].n_reviewed == 1
        assert session.frame(6).captured == "2026-01-02T03:04:05"
    # The frames come again as they are predicted anew; their reviews count then.
    live = LiveCollection(tmp_path, METADATA)
    with open_store(tmp_path / "x.sqlite", about) as store:
        session = ReviewSession(live, store)
        assert (session.n_passed_over, session.reviews()) == (1, [])
        session.add_frames([(p.path, Path("x.png"), p) for p in map(predicted, range(6))])
        assert (session.n_passed_over, session.reviews()[0].row) == (0, 0)


def test_frames__that_the_disk_has_no_room_for_leave_no_trace(tmp_path: Path) -> None:
    """The next ones keep their own vectors, not those of their neighbours."""
    live = grown(tmp_path, [[predicted(0), predicted(1)]])
    size = (tmp_path / "vectors.f32").stat().st_size
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, usual[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            live.append([("x", Path("x.png"), predicted(n)) for n in (2, 3)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    assert len(live.columns) == 2
    rows = live.append([("x", Path("x.png"), predicted(n)) for n in (4, 5)])
    assert rows.tolist() == [2, 3]
    (tmp_path / "whole").mkdir()
    whole = grown(tmp_path / "whole", [[predicted(n) for n in (0, 1, 4, 5)]])
    found, expected = (next(one.vectors(np.arange(4))) for one in (live, whole))
    assert np.array_equal(found.base, expected.base)
    assert found.features is not None
    assert expected.features is not None
    assert np.array_equal(found.features, expected.features)


@pytest.mark.parametrize("n_rows", [1, 5])
def test_vectors__of_rows_apart_are_read_one_by_one(tmp_path: Path, n_rows: int) -> None:
    live = grown(tmp_path, [[predicted(n) for n in range(2 * n_rows)]])
    rows = np.arange(0, 2 * n_rows, 2)
    found = [predicted(row).probabilities for row in rows.tolist()]
    expected = np.stack([values for values in found if values is not None])
    assert np.array_equal(next(live.vectors(rows)).base, expected)
