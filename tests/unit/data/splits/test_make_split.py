"""Every way to split: nothing lost, nothing on two sides, the same again, and well balanced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import GroupKFold

from finding_nemo.core.categories import Category, CategoryTable
from finding_nemo.core.errors import OutputExistsError, SettingsError, SplitError
from finding_nemo.core.records import Dataset, ImageRecord, Split, SplitRow
from finding_nemo.data.splits.kfold import parts_for_fold, with_validation_part
from finding_nemo.data.splits.make_split import make_split
from finding_nemo.data.splits.split_csv import check_split, read_split, write_split
from finding_nemo.data.splits.split_kinds import SPLITS
from finding_nemo.data.splits.splitters.by_frame import (
    LEAKAGE_NOTICE,
    split_at_random,
    torch_permutation,
)
from finding_nemo.data.splits.splitters.stratified_groups import assign_groups

Frame = tuple[str | None, tuple[int, ...]]

WAYS = ["dive", "time", "novel", "random"]
# Enough dives for any of the ways, with the category that "novel" holds out on one of them.
_LEAST: list[Frame] = [*((dive, (1, 2)) for dive in "abcde"), ("z", (6,))]
_LABELS = st.sets(st.integers(1, 5), max_size=3).map(lambda found: tuple(sorted(found)))
FRAMES = st.lists(st.tuples(st.sampled_from("abcdefgh"), _LABELS), max_size=25).map(
    lambda more: [*_LEAST, *more]
)
PROPERTY = settings(max_examples=40, deadline=None, derandomize=True)


def make_dataset(frames: Sequence[Frame], *, n_categories: int = 6, undated: str = "") -> Dataset:
    """Build records in memory, and one that nobody annotated, which no split may hold."""
    table = CategoryTable(tuple(Category(i, f"Kind {i}", "X") for i in range(1, n_categories + 1)))
    records = [ImageRecord("unseen", Path("unseen.png"), None, dive="a")]
    for index, (dive, found) in enumerate(frames):
        known = dive is not None and dive not in undated
        captured = day_of(dive) + timedelta(seconds=index) if dive and known else None
        path = Path(f"i{index}.png")
        records.append(ImageRecord(path.stem, path, found, dive=dive, captured=captured))
    return Dataset(Path(), table, tuple(records))


def day_of(dive: str) -> datetime:
    """Return a day whose order is not that of the dives' names."""
    return datetime(2012, 1, 1) + timedelta(days=sum(map(ord, dive)) * 37 % 101)


def shuffled(dataset: Dataset, seed: int) -> Dataset:
    order = np.random.default_rng(seed).permutation(len(dataset.records))
    return replace(dataset, records=tuple(dataset.records[i] for i in order))


def divide(dataset: Dataset, way: str, *, folds: int | None = None, seed: int = 0) -> Split:
    return make_split(dataset, way, folds=folds, seed=seed, categories=[6])


def cuts_dives(split: Split) -> bool:
    return len({(row.dive, row.part) for row in split.rows}) > len({r.dive for r in split.rows})


def plain_split(parts: Sequence[tuple[str, str]], *, kind: str = "dive") -> Split:
    rows = [SplitRow(f"i{index}", dive, part) for index, (dive, part) in enumerate(parts)]
    return Split(tuple(rows), kind=kind)


@pytest.mark.parametrize("way", WAYS)
@given(frames=FRAMES, folds=st.sampled_from([None, 2, 5]), seed=st.integers(0, 2**32 - 1))
@PROPERTY
def test_split__each_image_is_in_exactly_one_part(
    way: str, frames: list[Frame], folds: int | None, seed: int
) -> None:
    dataset = make_dataset(frames)
    split = divide(dataset, way, folds=folds, seed=seed)
    names = {"train", "val", "test"} if folds is None else {f"fold{i}" for i in range(folds)}
    assert [(r.image_id, r.dive) for r in split.rows] == [
        (record.image_id, record.dive) for record in dataset.annotated
    ]
    assert set(split.parts) <= names | {"novel"}
    assert way not in ("dive", "random") or set(split.parts) == names
    assert (split.kind, split.seed, split.is_folds) == (way, seed, folds is not None)


@pytest.mark.parametrize("way", ["dive", "time", "novel"])
@given(frames=FRAMES, folds=st.sampled_from([None, 3]), seed=st.integers(0, 99))
@PROPERTY
def test_split__no_dive_on_two_sides_and_the_same_in_any_order(
    way: str, frames: list[Frame], folds: int | None, seed: int
) -> None:
    dataset = make_dataset(frames)
    split = divide(dataset, way, folds=folds, seed=seed)
    assert not cuts_dives(split)
    again = divide(shuffled(dataset, seed), way, folds=folds, seed=seed)
    assert again.part_of == split.part_of


@pytest.mark.parametrize("way", ["dive", "random"])
def test_split__the_seed_decides(way: str) -> None:
    first, again, other = (divide(long_tail_dataset(1), way, seed=seed) for seed in (0, 0, 1))
    assert first == again
    assert first.part_of != other.part_of


@pytest.mark.parametrize("n", [0, 1, 2, 7, 1000, 5950])
@pytest.mark.parametrize("seed", [0, 42, 2**32 - 1])
def test_torch_permutation__is_torch_randperm(n: int, seed: int) -> None:
    expected = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    assert torch_permutation(n, seed).tolist() == expected.tolist()


@pytest.mark.parametrize("n", [5, 99, 5950])
def test_at_random__seed_42_is_the_studys_protocol(n: int) -> None:
    dataset = make_dataset([("a", (1,))] * n)
    split = make_split(dataset, "random", fraction=0.2, val_fraction=0)
    order = torch.randperm(n, generator=torch.Generator().manual_seed(42)).tolist()
    assert set(split.ids_in("train")) == {f"i{i}" for i in order[: int(0.8 * n)]}
    assert set(split.ids_in("test")) == {f"i{i}" for i in order[int(0.8 * n) :]}
    assert split.notices == (LEAKAGE_NOTICE,)
    with_val = split_at_random(dataset, val_fraction=0.2)
    assert with_val.ids_in("test") == split.ids_in("test")
    assert with_val.parts["val"] == round(0.2 * n)


def long_tail_dataset(seed: int, *, n_categories: int = 40) -> Dataset:
    """Draw dives of very different length, each with few of the categories, most of them rare."""
    rng = np.random.default_rng(seed)
    frequency = 1 / np.arange(1, n_categories + 1)
    frames: list[Frame] = []
    for dive in range(60):
        fauna = rng.choice(n_categories, size=6, replace=False, p=frequency / frequency.sum())
        for _ in range(int(rng.lognormal(2.5, 0.8)) + 1):
            found = rng.choice(fauna, size=rng.integers(1, 4), replace=False) + 1
            frames.append((f"d{dive:02}", tuple(sorted(found.tolist()))))
    return make_dataset(frames, n_categories=n_categories)


def label_imbalance(dataset: Dataset, fold_of: npt.NDArray[np.int64]) -> float:
    """Mean distance of a category's share in one of five folds from a fifth."""
    dives = np.array([record.dive for record in dataset.annotated])
    gaps = []
    for held in dataset.truth().T:
        if len(set(dives[held])) >= 2:
            gaps += [abs(np.mean(fold_of[held] == fold) - 0.2) for fold in range(5)]
    return float(np.mean(gaps))


@pytest.mark.parametrize("seed", range(5))
def test_by_dive__keeps_categories_more_even_than_plain_group_folds(seed: int) -> None:
    dataset = long_tail_dataset(seed)
    split = divide(dataset, "dive", folds=5, seed=seed)
    ours = np.array([int(row.part.removeprefix("fold")) for row in split.rows])
    naive = np.empty_like(ours)
    dives = [row.dive for row in split.rows]
    for fold, (_, held_out) in enumerate(GroupKFold(n_splits=5).split(dives, groups=dives)):
        naive[held_out] = fold
    assert label_imbalance(dataset, ours) < 0.8 * label_imbalance(dataset, naive)
    assert np.bincount(ours) / len(ours) == pytest.approx(np.full(5, 0.2), abs=0.03)


def test_assign_groups__finds_the_even_assignment_worked_by_hand() -> None:
    # Two groups of each category, all alike in size: each part must get one of either.
    counts = np.array([[10, 0], [10, 0], [0, 10], [0, 10]])
    parts = assign_groups(counts, np.full(4, 10), np.array([0.5, 0.5]), seed=0)
    assert sorted(parts[:2]) == sorted(parts[2:]) == [0, 1]


def test_by_dive__names_what_cannot_be_split() -> None:
    frames: list[Frame] = [("a", (1, 2)), ("a", (2,)), ("b", (1,)), ("c", (1, 4))]
    split = divide(make_dataset(frames), "dive")
    assert split.unsplittable == (2, 4)
    assert "2 categories occur in one dive only" in split.notices[0]


@pytest.mark.parametrize("way", ["dive", "time", "novel"])
@pytest.mark.parametrize("frames", [[], [("a", (1, 6))] * 9], ids=["empty", "one dive"])
def test_split__too_few_dives_is_an_error(way: str, frames: list[Frame]) -> None:
    with pytest.raises(SplitError):
        divide(make_dataset(frames), way)


def test_split__says_what_is_missing() -> None:
    with pytest.raises(SplitError, match="0 images cannot fill 3 parts"):
        divide(make_dataset([]), "random")
    with pytest.raises(SplitError, match=r"1 dive\(s\) cannot fill 3 parts .*--by random"):
        divide(make_dataset([("a", (1,))] * 9), "dive")
    with pytest.raises(SplitError, match=r"1 of 7 images have no dive \(first: i6\)"):
        divide(make_dataset([*_LEAST, (None, (1,))]), "dive")
    with pytest.raises(SplitError, match=r"0 dive\(s\) have a date"):
        divide(make_dataset(_LEAST, undated="abcdez"), "time")
    with pytest.raises(SettingsError, match="Cannot split by 'colour'; known: dive"):
        divide(make_dataset(_LEAST), "colour")


@pytest.mark.parametrize("way", SPLITS)
def test_split__each_way_of_the_table_divides_numbered_frames(way: str) -> None:
    dataset = make_dataset(_LEAST)
    clips = tuple(replace(record, sequence=f"clip {record.dive}") for record in dataset.records)
    split = divide(replace(dataset, records=clips), way)
    assert (split.kind, len(split.rows)) == (way, len(_LEAST))
    assert SPLITS[way].about


def test_split__without_a_seed_takes_the_ways_own() -> None:
    dataset = make_dataset(_LEAST)
    assert make_split(dataset, "random").seed == 42
    assert make_split(dataset, "dive").seed == 0


@pytest.mark.parametrize("way", WAYS)
def test_split__rejects_shares_out_of_range(way: str) -> None:
    dataset = make_dataset(_LEAST)
    for test, val in [(0, 0.1), (1, 0), (-0.1, 0.1), (0.5, 0.5), (0.2, -0.1), (np.nan, 0.1)]:
        with pytest.raises(SettingsError, match="--fraction"):
            make_split(dataset, way, fraction=test, val_fraction=val, categories=[6])
    for folds in (1, 0, -3):
        with pytest.raises(SettingsError, match="--folds must be at least 2"):
            divide(dataset, way, folds=folds)


@given(frames=FRAMES, held_out=st.sampled_from([5, 6]), folds=st.sampled_from([None, 2]))
@PROPERTY
def test_by_novelty__training_never_sees_the_category(
    frames: list[Frame], held_out: int, folds: int | None
) -> None:
    dataset = make_dataset([*frames, ("y", (held_out,)), *[(dive, (1,)) for dive in "ijklm"] * 3])
    split = make_split(dataset, "novel", categories=[held_out], folds=folds)
    holders = [record for record in dataset.annotated if held_out in (record.category_ids or ())]
    novel_dives = {record.dive for record in holders}
    part = "test" if folds is None else "novel"
    assert {row.part for row in split.rows if row.dive in novel_dives} == {part}
    assert f"{len(holders)} frames on {len(novel_dives)} dives" in split.notices[0]


def test_by_novelty__takes_names_and_refuses_what_makes_no_sense() -> None:
    dataset = make_dataset(_LEAST)
    assert make_split(dataset, "novel", categories=[" kind 6 "]) == divide(dataset, "novel")
    for categories in (["kind 6", "whale"], [7], ["-1"], []):
        with pytest.raises(SettingsError, match="unknown: (whale|7|-1|.none named.)"):
            make_split(dataset, "novel", categories=categories)
    with pytest.raises(SplitError, match="holds any of the categories"):
        make_split(dataset, "novel", categories=[5])
    with pytest.raises(SplitError, match="too little is left to train on"):
        make_split(dataset, "novel", categories=[1])


@given(frames=FRAMES, folds=st.sampled_from([None, 3]))
@PROPERTY
def test_by_time__later_parts_were_filmed_later(frames: list[Frame], folds: int | None) -> None:
    split = divide(make_dataset(frames, undated="bh"), "time", folds=folds)
    order = ["train", "val", "test"] if folds is None else ["fold0", "fold1", "fold2"]
    dated = [row for row in split.rows if row.dive not in "bh"]
    by_day = [order.index(row.part) for row in sorted(dated, key=lambda row: day_of(row.dive))]
    assert by_day == sorted(by_day)
    assert {row.part for row in split.rows if row.dive in "bh"} == {order[0]}


def test_by_time__is_as_worked_by_hand() -> None:
    dataset = make_dataset([(dive, (1,)) for dive in "abcdefghijz"], undated="z")
    split = divide(dataset, "time")
    part_of = {row.dive: row.part for row in split.rows}
    in_order = [part_of[dive] for dive in sorted("abcdefghij", key=day_of)]
    assert in_order == ["train"] * 7 + ["val", "test", "test"]
    assert split.notices == ("1 dives without a date are in train.",)


def test_split_file__says_the_same_after_writing_and_refuses_to_replace(tmp_path: Path) -> None:
    path = tmp_path / "split.csv"
    split = plain_split([('A, "B" 1', "train"), ("Ü", "test"), ("", "val"), ("", "train")])
    write_split(split, path)
    assert (read_split(path).rows, read_split(path).kind) == (split.rows, "file")
    with pytest.raises(OutputExistsError, match="--overwrite"):
        write_split(split, path)
    write_split(plain_split([("a", "train"), ("a", "test")]), path, overwrite=True)
    assert read_split(path).kind == "random"


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(
        st.text("=+-@'\t\r\n \",;aé", min_size=1, max_size=5), min_size=4, max_size=4, unique=True
    )
)
def test_split_file__reads_back_any_text(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    rows = (SplitRow(texts[0], texts[1], "train"), SplitRow(texts[2], texts[3], "-test"))
    write_split(Split(rows), path, overwrite=True)
    assert read_split(path).rows == rows


def test_split_file__from_excel_and_from_a_hand(tmp_path: Path) -> None:
    path = tmp_path / "split.csv"
    for text in (
        "\ufeffid;dive;part\r\na;'t Zand;train\r\n-b;D;test\r\n;;\r\n",
        "ID, Dive, Part\n a , 't Zand, train\n'-b,D,test\n",
    ):
        path.write_bytes(text.encode())
        assert read_split(path).rows == (
            SplitRow("a", "'t Zand", "train"),
            SplitRow("-b", "D", "test"),
        )


FAULTS = [
    (None, "split.csv does not exist"),
    ("", "line 1: column id, dive, part is missing"),
    ("id,part\na,train\n", "line 1: column dive is missing"),
    ("id,dive,part\na,d,train\nb,d,test\na,d,test\n", "line 4: id 'a' is there already"),
    ("id,dive,part\na,d,train\nb,d, \n", "line 3: id and part must not be empty"),
    ("id,dive,part\n,d,train\n", "line 2: id and part must not be empty"),
    ("id,dive,part\na,d,train\nb,d\n", "line 3: 2 fields where the header has 3"),
    ("id,dive,part\n", "lists no image"),
]


@pytest.mark.parametrize(("text", "told"), FAULTS)
def test_read_split__names_the_line(tmp_path: Path, text: str | None, told: str) -> None:
    path = tmp_path / "split.csv"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(SplitError, match=told):
        read_split(path)


def test_check_split__compares_with_the_data_set() -> None:
    dataset = make_dataset(_LEAST)
    split = divide(dataset, "dive")
    assert check_split(split, dataset) == ()
    few = replace(split, rows=split.rows[2:])
    assert check_split(few, dataset) == ("2 annotated images are in no part of the split.",)
    with pytest.raises(SplitError, match=r"1 of 6 images of the split .* \(first: i0\)"):
        check_split(split, replace(dataset, records=dataset.annotated[1:]))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("fold", [0, 2])
def test_parts_for_fold__tests_on_the_fold_and_trains_on_the_rest(way: str, fold: int) -> None:
    dataset = make_dataset([*_LEAST * 4, *[(dive, (1, 3)) for dive in "fghijklm"] * 3])
    folds = divide(dataset, way, folds=3)
    split = parts_for_fold(folds, fold, dataset)
    tested = [row.image_id for row in folds.rows if row.part in (f"fold{fold}", "novel")]
    assert list(split.ids_in("test")) == tested
    assert list(split.parts) == ["test", "train", "val"]
    assert way == "random" or not cuts_dives(split)
    with pytest.raises(SplitError, match="no fold3; it has fold0, fold1, fold2"):
        parts_for_fold(folds, 3, dataset)


def test_with_validation_part__by_dive_where_it_can() -> None:
    dataset = make_dataset([(dive, (1,)) for dive in "aabbccddee"])
    without = plain_split([(dive, "test" if dive == "e" else "train") for dive in "aabbccddee"])
    split = with_validation_part(without, dataset)
    assert split.parts == {"test": 2, "train": 6, "val": 2}
    assert not cuts_dives(split)
    assert split.notices[-1].endswith("2 training images were set aside by dive.")
    assert with_validation_part(split, dataset) is split


def test_with_validation_part__at_random_where_dives_are_cut_or_few() -> None:
    few = [("a", "train")] * 8 + [("b", "test")] * 2
    dataset = make_dataset([(dive, (1,)) for dive, _ in few])
    for kind in ("dive", "random"):
        split = with_validation_part(plain_split(few, kind=kind), dataset, val_fraction=0.25)
        assert split.parts == {"test": 2, "train": 6, "val": 2}
        assert split.notices[-1].endswith("set aside at random.")
    with pytest.raises(SplitError, match="no part 'train'"):
        with_validation_part(plain_split(few[8:]), dataset)
    with pytest.raises(SplitError, match="leave none to validate on"):
        with_validation_part(plain_split(few[7:]), dataset)
