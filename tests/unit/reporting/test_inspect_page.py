"""The inspect page of every form of data set: what is not known is said."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finding_nemo.core.categories import Category, CategoryTable
from finding_nemo.core.records import Box, Dataset, ImageRecord, Split, SplitRow
from finding_nemo.data.quality.file_check import FileCheck, FileFault, NearPair
from finding_nemo.evaluation.dataset.dataset_statistics import explore
from finding_nemo.evaluation.dataset.inspect_dataset import Inspection, inspect_dataset
from finding_nemo.reporting.html.inspect_page import write_inspect_page
from finding_nemo.reporting.terminal.inspection_text import print_inspection

_FIRST = datetime(1, 1, 1)
_ABSENCES = (
    "No image holds a category.",
    "No image is annotated.",
    "No image has a date.",
    "No annotated image is of a known dive.",
    "No boxes with a size, in frames of a known size.",
    "No image has a recorded size.",
    "No image holds two categories.",
    "No split was given",
    "No image was opened.",
    "would say nothing",
)


def dataset_of(*records: ImageRecord, n_categories: int = 3) -> Dataset:
    table = CategoryTable(
        tuple(Category(n, f"animal {n}", f"group {n % 2}") for n in range(1, n_categories + 1))
    )
    return Dataset(Path("nowhere"), table, records)


def page_of(folder: Path, found: Inspection) -> str:
    write_inspect_page(found, folder / "page.html", name="it", overwrite=True)
    return (folder / "page.html").read_text(encoding="utf-8")


def bare(n: int, ids: tuple[int, ...] | None = (1,)) -> ImageRecord:
    return ImageRecord(f"i{n}", Path(f"nowhere/{n}.jpg"), ids)


def test_page_of_bare_rows__says_what_is_not_known(tmp_path: Path) -> None:
    page = page_of(tmp_path, inspect_dataset(dataset_of(bare(0), bare(1))))
    for absence in _ABSENCES:
        known = absence in ("No image holds a category.", "No image is annotated.")
        assert (absence in page) is not known, absence


def test_page_of_nothing_annotated__says_so(tmp_path: Path) -> None:
    page = page_of(tmp_path, inspect_dataset(dataset_of(bare(0, None), bare(1, None))))
    assert page.count("No image holds a category.") == 2
    assert "No image is annotated." in page


def test_page_of_images_without_any_category__has_no_baselines(tmp_path: Path) -> None:
    found = inspect_dataset(dataset_of(*(bare(n, ()) for n in range(40))))
    assert found.protocols == ()
    assert "Fewer than 20 images hold a category" in page_of(tmp_path, found)


def test_baselines__of_few_labels_among_many_images_have_a_score(tmp_path: Path) -> None:
    labelled = [bare(n) for n in range(20)]
    found = inspect_dataset(dataset_of(*labelled, *(bare(n, ()) for n in range(20, 900))))
    assert found.protocols[0].prior.map_at_20 == 1.0
    page_of(tmp_path, found)


def test_page_of_everything__lacks_nothing(tmp_path: Path) -> None:
    records = [
        ImageRecord(
            f"i{n}",
            Path("nowhere"),
            (1, 2),
            width=64,
            height=48,
            dive=f"d{n % 6}",
            captured=datetime(2020, 1, 1) + timedelta(seconds=n),
            time_known=True,
            boxes=(Box(1, 0, 0, 9, 9),),
        )
        for n in range(30)
    ]
    split = Split(tuple(SplitRow(f"i{n}", "d", "test" if n % 2 else "train") for n in range(30)))
    pair = NearPair(records[0], records[1], 3)
    check = FileCheck(30, (), (), (), (), (pair,), 2, 9)
    page = page_of(tmp_path, inspect_dataset(dataset_of(*records), split=split, check=check))
    assert not [absence for absence in _ABSENCES if absence in page]
    assert "9 frames have a look-alike in their own dive, 2 in another" in page


@pytest.mark.parametrize(
    ("years", "spans"),
    [
        ((2015,), ["2015-05"]),
        ((2012, 2014), ["2012-05", "2014-05"]),
        ((1980, 2014), ["1980", "2014"]),
        ((1899, 1995), ["1890 on", "1990 on"]),
        ((1, 9999), ["0000 on", "9900 on"]),
    ],
)
def test_dates__are_counted_in_spans_that_fit(years: tuple[int, ...], spans: list[str]) -> None:
    records = [
        ImageRecord(str(year), Path("x"), (1,), captured=datetime(year, 5, 1)) for year in years
    ]
    assert list(explore(dataset_of(*records)).over_time) == spans


def test_files_of_no_use__are_counted_by_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    faults = [FileFault(f"i{n}", f"folder/{n}.jpg", "is empty (0 bytes)") for n in range(300)]
    faults[7] = FileFault("i7", "folder/7.jpg", "is truncated")
    check = FileCheck(300, (), tuple(faults), (), (), (), 0, 0)
    found = inspect_dataset(dataset_of(*(bare(n) for n in range(300))), check=check)
    print_inspection(found)
    printed = capsys.readouterr().out
    assert "300 unreadable" in printed
    assert "no file could be used" in printed
    assert "299 x is empty (0 bytes): folder/0.jpg" in printed
    assert "1 x is truncated: folder/7.jpg" in printed
    page = page_of(tmp_path, found)
    assert "No file could be used, so nothing is known of look-alikes." in page
    assert re.search(r"<td>is empty \(0 bytes\)</td><td class=\"n\">299</td>", page)
    assert "The first 200 of 300." in page


def test_equal_files__are_shown_by_three_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records = tuple(bare(n) for n in range(20_000))
    check = FileCheck(20_000, (), (), (), (records,), (), 0, 0, is_near_complete=False)
    found = inspect_dataset(dataset_of(records[0]), check=check)
    print_inspection(found)
    printed = capsys.readouterr().out
    assert "equal: i0, i1, i2 and 19,997 more" in printed
    assert "at least 0 frames with a look-alike in another dive" in printed
    page = page_of(tmp_path, found)
    assert "<td>i0</td><td>equal to i1, i2, i3 and 19,996 more</td>" in page


_RECORD = st.builds(
    lambda ids, dive, captured, time_known, size, boxes, origin: {
        "category_ids": ids,
        "dive": dive,
        "captured": captured,
        "time_known": time_known and captured is not None,
        "width": size[0],
        "height": size[1],
        "boxes": boxes,
        "origin": origin,
    },
    ids=st.none() | st.lists(st.integers(1, 3), unique=True, max_size=3).map(tuple),
    dive=st.sampled_from([None, "d1", "d2", "d3", "d4", "d5", "d6"]),
    captured=st.none()
    | st.just(datetime(2014, 1, 2, 10))
    | st.integers(0, 3_650_000).map(lambda days: _FIRST + timedelta(days=days)),
    time_known=st.booleans(),
    size=st.sampled_from([(None, None), (64, None), (64, 48), (0, 0), (10**9, 1)]),
    boxes=st.lists(
        st.builds(
            Box,
            st.just(1),
            st.just(0.0),
            st.just(0.0),
            st.sampled_from([0.0, 0.001, 9.0, 1e9, float("nan"), float("inf"), -3.0]),
            st.just(9.0),
        ),
        max_size=2,
    ).map(tuple),
    origin=st.sampled_from(["train", "eval"]),
)


@settings(derandomize=True, deadline=None, max_examples=6)
@given(
    fields=st.lists(_RECORD, min_size=1, max_size=5),
    repeats=st.sampled_from([1, 1, 12]),
    with_split=st.booleans(),
    check=st.sampled_from([None, "usable", "none usable"]),
)
def test_any_data_set__has_a_page_and_a_table(
    tmp_path_factory: pytest.TempPathFactory,
    fields: list[dict[str, object]],
    repeats: int,
    with_split: bool,
    check: str | None,
) -> None:
    records = [
        ImageRecord(image_id=f"i{n}", path=Path(f"nowhere/{n}"), **values)  # type: ignore[arg-type]
        for n, values in enumerate(fields * repeats)
    ]
    rows = [
        SplitRow(r.image_id, r.dive_or_own, "test" if n % 3 else "train")
        for n, r in enumerate(records)
    ]
    faults = [FileFault(r.image_id, str(r.path), "is empty") for r in records]
    checks = {
        "usable": FileCheck(len(records), (), (), (), (tuple(records),), (), 0, 0),
        "none usable": FileCheck(len(records), (), tuple(faults), (), (), (), 0, 0),
    }
    found = inspect_dataset(
        dataset_of(*records),
        split=Split(tuple(rows)) if with_split else None,
        check=checks[check] if check else None,
    )
    print_inspection(found)
    page = page_of(tmp_path_factory.mktemp("page"), found)
    assert "nan" not in re.sub(r"<svg.*?</svg>", "", page, flags=re.DOTALL)


def test_many_categories__are_a_page_of_their_most_frequent(tmp_path: Path) -> None:
    records = [bare(n, (n + 1,)) for n in range(290)]
    page = page_of(tmp_path, inspect_dataset(dataset_of(*records, n_categories=290)))
    assert page.count("<td>animal ") == 290
