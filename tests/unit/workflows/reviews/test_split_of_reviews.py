"""Reviewed frames join the part of their dive, unknown dives the training, whole."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from finding_nemo.core.categories import Category, CategoryTable
from finding_nemo.core.records import Dataset, ImageRecord, Split, SplitRow
from finding_nemo.workflows.reviews.split_of_reviews import split_with_reviews

_TABLE = CategoryTable((Category(1, "crab", ""), Category(2, "squid", "")))


def drawn(dives: dict[str, int], first: str = "f") -> list[ImageRecord]:
    return [
        ImageRecord(f"{first}-{dive}-{k}", Path("x.png"), (1 + k % 2,), dive=dive or None)
        for dive, count in dives.items()
        for k in range(count)
    ]


def data_of(records: list[ImageRecord]) -> Dataset:
    return Dataset(Path(), _TABLE, tuple(records))


def by_dive(records: list[ImageRecord], parts: dict[str, str]) -> Split:
    return Split(
        tuple(SplitRow(r.image_id, r.dive or "", parts[r.dive or ""]) for r in records),
        kind="dive",
    )


def test_parts__by_hand() -> None:
    old = drawn({"A": 2, "B": 2, "C": 2})
    new = drawn({"A": 1, "B": 1, "C": 1, "D": 2, "": 1}, "new")
    split = by_dive(old, {"A": "train", "B": "val", "C": "test"})
    found = split_with_reviews(data_of(old), data_of([*old, *new]), split, fold=None, seed=0)
    assert found.rows[:6] == split.rows
    assert [row.part for row in found.rows[6:]] == ["train", "val", "test", "train", "train",
                                                    "train"]  # fmt: skip
    assert found.notices == (
        "Reviewed frames join the part that their dive is in, else the training: "
        "4 in train, 1 in val, 1 in test.",
    )


def test_split_file__decides_on_frames_that_it_names() -> None:
    old, new = drawn({"A": 2, "B": 2}), drawn({"D": 3}, "new")
    split = by_dive(old, {"A": "train", "B": "val"})
    named = replace(split, rows=(*split.rows, SplitRow("new-D-0", "D", "test")))
    found = split_with_reviews(data_of(old), data_of([*old, *new]), named, fold=None, seed=0)
    # The dive is whole where the file puts one frame of it.
    assert [row.part for row in found.rows[4:]] == ["test"] * 3


def test_folds__leave_one_out() -> None:
    old, new = drawn({"A": 2, "B": 4, "C": 4, "E": 4}), drawn({"A": 1, "D": 1}, "new")
    folds = by_dive(old, {"A": "fold0", "B": "fold1", "C": "fold1", "E": "fold1"})
    found = split_with_reviews(data_of(old), data_of([*old, *new]), folds, fold=0, seed=0)
    assert {row.part for row in found.rows if row.dive == "A"} == {"test"}
    assert found.part_of["new-D-0"] == "train"
    assert "val" in found.parts
    same = split_with_reviews(data_of(old), data_of([*old, *new]), folds, fold=None, seed=0)
    assert same.is_folds  # the training asks for --fold


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=30), st.integers(0, 3))
def test_dives__are_never_cut_and_old_frames_stay(dives: list[int], seed: int) -> None:
    old = drawn({f"D{k}": 4 for k in range(6)})
    new = [
        ImageRecord(f"new{k}", Path("x.png"), (1,), dive=f"D{dive}") for k, dive in enumerate(dives)
    ]
    base = data_of(old)
    found = split_with_reviews(base, data_of([*old, *new]), None, fold=None, seed=seed)
    parts: dict[str, set[str]] = {}
    for row in found.rows:
        parts.setdefault(row.dive, set()).add(row.part)
    assert all(len(of_dive) == 1 for of_dive in parts.values())
    assert all(parts[f"D{dive}"] == {"train"} for dive in dives if dive > 5)
    again = split_with_reviews(base, base, None, fold=None, seed=seed)
    assert found.rows[: len(old)] == again.rows
    assert len(found.rows) == len(old) + len(new)
