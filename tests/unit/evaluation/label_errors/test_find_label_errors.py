"""Labels changed on purpose in drawn dives are found, and what cannot be judged is said."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from finding_nemo.core.arrays import Ints
from finding_nemo.core.categories import Category, CategoryTable
from finding_nemo.core.errors import DatasetError
from finding_nemo.core.records import Dataset, ImageRecord
from finding_nemo.data.quality.file_check import NearPair
from finding_nemo.evaluation.label_errors import dive_neighbors
from finding_nemo.evaluation.label_errors.find_label_errors import LabelErrors, find_label_errors
from finding_nemo.evaluation.label_errors.label_error_files import (
    frames_to_review,
    write_label_json,
    write_label_table,
)
from finding_nemo.evaluation.label_errors.labelled_frames import label_frames
from finding_nemo.evaluation.label_errors.suspect_labels import Kind, why_doubtful
from finding_nemo.results.reading.embeddings import Embeddings

_NAMES = ("=crab", "eel", "ray")
_TABLE = CategoryTable(tuple(Category(n, name, "animal") for n, name in enumerate(_NAMES, 1)))
_WRONG = {7: 2, 30: 3, 61: 2}
_MISSING = (16, 45)


def drawn() -> tuple[Dataset, Embeddings]:
    """Six dives of two clips of ten frames; what is seen says which animal is there.

    Every frame shows category 1 + clip modulo 3. Three frames have another label, two none.
    """
    rng = np.random.default_rng(3)
    centres = 3 * np.eye(3, 8)
    records, features = [], []
    for number in range(120):
        clip, dive = number // 10, number // 20
        kind = clip % 3
        ids: tuple[int, ...] = (kind + 1,)
        if number in _WRONG:
            ids = (_WRONG[number],)
        if number in _MISSING:
            ids = ()
        records.append(
            ImageRecord(
                f"f{number}",
                Path(f"nowhere/{number}.png"),
                ids,
                dive=f"dive {dive}",
                sequence=f"clip{clip}_",
                frame_number=number % 10,
            )
        )
        features.append(centres[kind] + rng.normal(0, 0.2, 8))
    values = np.array(features, dtype=np.float32)
    ids_of = tuple(record.image_id for record in records)
    dataset = Dataset(Path("nowhere"), _TABLE, tuple(records))
    return dataset, Embeddings(image_ids=ids_of, features=values)


@pytest.fixture(scope="module")
def found() -> LabelErrors:
    return find_label_errors(*drawn())


def test_changed_labels__come_first(found: LabelErrors) -> None:
    assert {label.image_id for label in found.wrong[:3]} == {f"f{n}" for n in _WRONG}
    assert {label.image_id for label in found.missing} == {f"f{n}" for n in _MISSING}
    assert [label.rank for label in found.missing] == [1, 2]
    assert (found.n_labels, len(found.wrong)) == (118, 12)
    likely = {label.image_id for label in found.wrong if label.is_likely}
    assert len(likely) == found.n_likely_wrong
    assert len(likely) >= 2
    assert likely <= {f"f{n}" for n in _WRONG}
    assert found.n_likely_missing >= 1


def test_similar_frames__are_looked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[int] = []
    blocks = dive_neighbors._blocks

    def watched(dives: Ints) -> Iterator[tuple[Ints, Ints]]:
        searched.append(len(dives))
        return blocks(dives)

    monkeypatch.setattr(dive_neighbors, "_blocks", watched)
    find_label_errors(*drawn())
    assert searched == [120]


def test_reason_and_suggestion__in_names(found: LabelErrors) -> None:
    label = next(label for label in found.wrong if label.image_id == "f7")
    assert label.category == "eel"
    assert label.suggestion == "=crab"
    # Its clip has nine other frames; the tenth neighbour is of the clip that shows eels.
    assert label.why.startswith("1 of the 10 most similar frames of its dive has it; ")
    assert label.compare_with.startswith("f")
    assert label.dive == "dive 0"


@pytest.mark.parametrize(
    ("kind", "counts", "far_score", "first", "second"),
    [
        ("wrong", (10, 0), 0.1, "0 of the 10", "similar frames"),
        ("wrong", (10, 7), 0.1, "similar frames", "7 of the 10"),
        ("missing", (10, 0), 0.9, "similar frames", "0 of the 10"),
        ("missing", (10, 9), 0.9, "9 of the 10", "similar frames"),
        ("missing", (10, 9), 0.1, "9 of the 10", ""),
        ("wrong", (10, 1), None, "1 of the 10 most similar frames of its dive has it", ""),
        ("wrong", (0, 0), 0.1, "similar frames of other clips and other dives do not", ""),
        ("wrong", (0, 0), 0.9, "nothing like it", ""),
    ],
)
def test_why_doubtful__begins_with_what_speaks_against_the_label(
    kind: Kind, counts: tuple[int, int], far_score: float | None, first: str, second: str
) -> None:
    one, _, other = why_doubtful(kind, counts, far_score).partition("; ")
    assert one.startswith(first)
    assert other.startswith(second)
    assert bool(other) == bool(second)


def test_one_dive__has_no_other_evidence() -> None:
    dataset, embeddings = drawn()
    records = tuple(replace(record, dive="the only one") for record in dataset.records)
    found = find_label_errors(replace(dataset, records=records), embeddings)
    assert found.wrong[0].other_score is None
    assert any("of one dive" in notice for notice in found.notices)
    assert {label.image_id for label in found.wrong[:3]} == {f"f{n}" for n in _WRONG}


def test_contradictions__across_clips_and_dives() -> None:
    dataset, embeddings = drawn()
    records = list(dataset.records)
    # Two clips of one dive show the same, and every label of the second is another.
    features = embeddings.features.copy()
    features[10:20] = features[0:10]
    pair = NearPair(records[0], records[40], 3)
    changed = replace(embeddings, features=features)
    found = find_label_errors(dataset, changed, near=[pair])
    sides = {contradiction.image_ids for contradiction in found.contradictions}
    assert ("f0", "f40") in sides
    within = [c for c in found.contradictions if c.dives == ("dive 0", "dive 0")]
    assert within
    assert within[0].names == (("=crab",), ("eel",))
    assert len({frozenset(c.image_ids) for c in within}) == len(within)


def test_label_frames__notices_and_refusal() -> None:
    dataset, embeddings = drawn()
    few = Embeddings(image_ids=embeddings.image_ids[:19], features=embeddings.features[:19])
    with pytest.raises(DatasetError, match="19 of the 120 annotated images"):
        label_frames(dataset, few)
    half = Embeddings(
        image_ids=embeddings.image_ids[:60], features=embeddings.features[:60], n_without=2
    )
    records = tuple(replace(record, dive=None) for record in dataset.records)
    notices = label_frames(replace(dataset, records=records), half).notices
    assert [notice.split()[0] for notice in notices] == ["60", "2", "60"]


def test_label_frames__order_and_clips() -> None:
    dataset, embeddings = drawn()
    start = datetime(2020, 1, 1)
    records = tuple(
        replace(
            record,
            dive="a",
            sequence="",
            frame_number=None,
            captured=start + timedelta(seconds=1000 - n if n < 20 else 2000 + 61 * n),
            time_known=True,
        )
        for n, record in enumerate(dataset.records[:23])
    )
    frames = label_frames(replace(dataset, records=records), embeddings)
    assert [record.image_id for record in frames.records[:2]] == ["f19", "f18"]
    # Twenty frames a second apart are one clip; those with a minute between are three.
    assert frames.clips.tolist() == [0] * 20 + [1, 2, 3]


def test_table_and_json__hold_every_suspect(found: LabelErrors, tmp_path: Path) -> None:
    write_label_table(found, tmp_path / "labels.csv")
    with (tmp_path / "labels.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    n_pairs = 2 * len(found.contradictions)
    assert len(rows) == len(found.wrong) + len(found.missing) + n_pairs
    # A name is no formula of a spreadsheet.
    assert {row["suggestion"] for row in rows if row["image"] == "f7"} == {"'=crab"}
    write_label_json(found, tmp_path / "labels.json")
    told = json.loads((tmp_path / "labels.json").read_text(encoding="utf-8"))
    assert told["n_likely_wrong"] == found.n_likely_wrong
    assert told["wrong"][0]["image_id"] == found.wrong[0].image_id


def test_frames_to_review__are_named_once(found: LabelErrors) -> None:
    ids = frames_to_review(found)
    assert len(set(ids)) == len(ids)
    assert {f"f{n}" for n in (*_WRONG, *_MISSING)} <= set(ids[:6])
