"""Cells of categories, dives and times as other programs write them, and what is said of them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from finding_nemo import read_dataset
from finding_nemo.core.errors import AnnotationError
from finding_nemo.core.records import Dataset
from finding_nemo.data.datasets.dives import dive_from_text, parse_capture_time, parse_frame_name
from finding_nemo.data.datasets.fields.label_cells import (
    MAX_CELL_CHARACTERS,
    parse_category_ids,
    take_apart,
)


def dataset_of(tmp_path: Path, *cells: str, key: str | None = None) -> Dataset:
    """Return a CSV data set with one row a cell, whose cells are quoted as a program would."""
    quoted = ['"' + cell.replace('"', '""') + '"' for cell in cells]
    rows = [f"{n}.jpg,{cell},D{n}\n" for n, cell in enumerate(quoted)]
    (tmp_path / "a.csv").write_text("path,categories,dive\n" + "".join(rows), encoding="utf-8")
    if key is not None:
        (tmp_path / "category_key.csv").write_text("id,name,supercat\n" + key, encoding="utf-8")
    return read_dataset(tmp_path / "a.csv")


def names_of(dataset: Dataset) -> list[list[str]]:
    name = dict(zip(dataset.categories.ids, dataset.categories.names, strict=True))
    return [[name[number] for number in record.category_ids or ()] for record in dataset.records]


@pytest.mark.parametrize(
    "cell",
    [
        "crab;fish",
        "crab|fish",
        "crab; fish;",
        "['crab', 'fish']",
        '["crab","fish"]',
        "[crab, fish]",
        "('crab', 'fish')",
        "{'crab', 'fish'}",
        "['crab' 'fish']",
        "'crab', 'fish'",
        "crab\tfish",
        "crab\nfish",
        "['crab', None, 'fish']",
        "[None, 'crab', fish]",
    ],
)
def test_names__are_told_apart_in_every_usual_form(tmp_path: Path, cell: str) -> None:
    dataset = dataset_of(tmp_path, cell, "fish")
    assert names_of(dataset) == [["crab", "fish"], ["fish"]]
    assert bool(dataset.notices) == ("None" in cell)


@pytest.mark.parametrize(
    "cell",
    [
        "10;20",
        "10|20",
        "10, 20",
        "10 20",
        "[10.0, 20.0]",
        "[10. 20.]",
        "(10,20)",
        "1.0e1;20",
        "['10', '20']",
        "10\t20",
    ],
)
def test_ids__keep_their_numbers_in_every_usual_form(tmp_path: Path, cell: str) -> None:
    dataset = dataset_of(tmp_path, cell, "2", "")
    assert dataset.categories.ids == (2, 10, 20)
    assert [record.category_ids for record in dataset.records] == [(10, 20), (2,), ()]
    assert dataset.notices == ()


@pytest.mark.parametrize("separator", [";", "\t"])
def test_ids__with_decimal_commas(tmp_path: Path, separator: str) -> None:
    path = tmp_path / "a.csv"
    rows = (("path", "categories"), ("a.jpg", "1,0"), ("b.jpg", "12,0"), ("c.jpg", ""))
    path.write_text("".join(f"{separator.join(row)}\n" for row in rows))
    assert [record.category_ids for record in read_dataset(path).records] == [(1,), (12,), ()]
    path.write_text(path.read_text().replace("12,0", "12,7"))
    assert [record.category_ids for record in read_dataset(path).records][1] == (7, 12)


@pytest.mark.parametrize("cell", ["array([1, 9])", "array([1, 9], dtype=int32)", "{1, 9}"])
def test_ids__of_other_constructors(tmp_path: Path, cell: str) -> None:
    dataset = dataset_of(tmp_path, cell, "set()", "[]", "()")
    assert [record.category_ids for record in dataset.records] == [(1, 9), (), (), ()]


def test_commas__within_parts_are_said_too(tmp_path: Path) -> None:
    dataset = dataset_of(tmp_path, "Smith, John;crab")
    assert names_of(dataset) == [["Smith, John", "crab"]]
    assert dataset.notices[0].startswith("1 cells hold commas, which were taken as parts of names")


def test_commas__part_names_and_it_is_said(tmp_path: Path) -> None:
    dataset = dataset_of(tmp_path, "crab, fish", "crab, fish", "star")
    assert names_of(dataset) == [["crab", "fish"], ["crab", "fish"], ["star"]]
    assert dataset.notices == (
        '2 cells were parted at commas into several categories; part names by ";" if a comma '
        "belongs to a name (first: 'crab, fish').",
    )


@pytest.mark.parametrize("other", ["crab;fish", "['crab', 'fish']"])
def test_commas__belong_to_a_name_where_the_column_parts_names_otherwise(
    tmp_path: Path, other: str
) -> None:
    dataset = dataset_of(tmp_path, other, "Smith, John")
    assert names_of(dataset) == [["crab", "fish"], ["Smith, John"]]
    assert "1 cells hold commas, which were taken as parts of names, since" in dataset.notices[0]
    assert "'Smith, John'" in dataset.notices[0]


def test_names__in_brackets_quotes_and_with_apostrophes_stay_names(tmp_path: Path) -> None:
    cells = ("(juvenile)", "[red] crab", "'t Zand", 'crab "A"', "d'Orbigny")
    assert names_of(dataset_of(tmp_path, *cells)) == [[cell] for cell in cells]


def test_table__decides_what_a_cell_is(tmp_path: Path) -> None:
    key = '1,"crab, fish",x\n2,fish,x\n3,crab,x\n7,none,x\n'
    dataset = dataset_of(
        tmp_path, "crab, fish", "fish, crab", "2;crab", "none", "nan", "['crab, fish']", key=key
    )
    found = [record.category_ids for record in dataset.records]
    assert found == [(1,), (2, 3), (2, 3), (7,), (), (1,)]
    assert dataset.notices == (
        "1 cells of the column categories say nothing, taken as no category (first: 'nan').",
    )


@pytest.mark.parametrize(
    ("cells", "key", "message"),
    [
        pytest.param(("whale",), "1,crab,x\n", "line 2: category 'whale' is not in", id="unknown"),
        pytest.param(("crab",), "1,crab,x\n2,crab,y\n", "name of 2 categories", id="two-ids"),
        pytest.param(("9",), "1,crab,x\n", "line 2: category id 9 is not in", id="id"),
        pytest.param(("['crab', 'fish]",), None, "line 2: .*quotes do not fit", id="quote"),
        pytest.param(("crab", "[1.0, 9"), None, r"line 3: .*list without its '\]'", id="cut"),
        pytest.param(("[[1, 2]]",), None, "line 2: .*a list in a list", id="nested"),
        pytest.param(('{"crab": 1}',), None, "line 2: .*quotes do not fit", id="object"),
        pytest.param(("1.5",), None, "not a whole number", id="half"),
        pytest.param(("1", "3000000000"), None, "line 3: .*32 bits", id="above-32-bits"),
        pytest.param(("-1",), None, "outside 0 to 2147483647", id="negative"),
        pytest.param(("nan",), None, "names no category", id="nothing"),
        pytest.param(("crab",), "4000000000,crab,x\n", "line 2: .*32 bits", id="key-above-32"),
        pytest.param(("crab",), "1,,x\n", "line 2: category 1 has no name", id="key-no-name"),
    ],
)
def test_cells__what_cannot_be_decided_is_refused(
    tmp_path: Path, cells: tuple[str, ...], key: str | None, message: str
) -> None:
    with pytest.raises(AnnotationError, match=message):
        dataset_of(tmp_path, *cells, key=key)


def test_numbers_among_names__are_names_and_it_is_said(tmp_path: Path) -> None:
    dataset = dataset_of(tmp_path, "crab", "12", "12")
    assert names_of(dataset) == [["crab"], ["12"], ["12"]]
    assert dataset.notices == (
        "2 cells are numbers in a column of names, taken as names (first: '12').",
    )


@pytest.mark.parametrize("word", ["nan", "NaN", "None", "null", "NA", "n/a", "-", "<NA>"])
def test_words_for_nothing__are_no_category_dive_or_time(tmp_path: Path, word: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        f"path,categories,dive,time\na.jpg,{word},{word},{word}\nb.jpg,crab,{word},2014-01-02\n"
    )
    dataset = read_dataset(path)
    assert dataset.categories.names == ("crab",)
    assert [(r.category_ids, r.dive) for r in dataset.records] == [((), None), ((1,), None)]
    assert dataset.notices == (
        f"1 cells of the column categories say nothing, taken as no category (first: {word!r}).",
        f"2 dives are a word for nothing, taken as not known (first: {word!r}).",
        f"1 times are a word for nothing, taken as not known (first: {word!r}).",
        "2 of 2 annotated images have no dive; give --dive-pattern or a dive column, or dives "
        "cannot be kept apart.",
    )


_NOON = datetime(2014, 1, 2, 10, 0, 0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2014-01-02T10:00:00Z", _NOON),
        ("2014-01-02 10:00:00", _NOON),
        ("2014-01-02 10:00:00.5", _NOON.replace(microsecond=500000)),
        ("20140102T100000Z", _NOON),
        ("20140102T100000", _NOON),
        ("20140102100000", _NOON),
        ("2014:01:02 10:00:00", _NOON),
        ("2014/01/02 10:00:00", _NOON),
        ("2014-01-02 10:00:00 UTC", _NOON),
        ("2014-01-02T11:00:00+01:00", _NOON),
        ("2014-01-02 10:00:00z", _NOON),
        ("2014-01-02", datetime(2014, 1, 2)),
        ("20140102", datetime(2014, 1, 2)),
    ],
)
def test_times__in_every_certain_form(text: str, expected: datetime) -> None:
    assert parse_capture_time(text) == (expected, expected.hour != 0)


@pytest.mark.parametrize(
    "text",
    [
        "02/01/2014",
        "1388656800",
        "1388656800000",
        "1388656800.5",
        "1412103101000",
        "41641.4167",
        "41641",
        "0000:00:00 00:00:00",
        "0001-01-01T00:00:00+05:00",
        "9999-12-31T23:59:59-08:00",
        "0001-01-01",
        "2014-13-01",
        "2014-01-02x10:00",
        "yesterday",
        "2" * 100_000,
        "2014",
    ],
)
def test_times__in_doubtful_forms_are_no_date_and_it_is_said(tmp_path: Path, text: str) -> None:
    assert parse_capture_time(text) == (None, False)
    path = tmp_path / "a.csv"
    path.write_text(f"path,categories,dive,time\na.jpg,crab,D,{text}\nb.jpg,crab,D,2014-01-02\n")
    dataset = read_dataset(path)
    assert [record.captured for record in dataset.records] == [None, datetime(2014, 1, 2)]
    assert len(dataset.notices) == 1
    assert dataset.notices[0].startswith("1 times are in no form that is read")
    assert f"(first: '{text[:40]}" in dataset.notices[0]


def test_long_cells__cost_their_length_and_have_a_bound() -> None:
    assert parse_category_ids("\t" * MAX_CELL_CHARACTERS) == []
    words = "1\t," * (MAX_CELL_CHARACTERS // 3)
    assert parse_category_ids(words) == [1] * (MAX_CELL_CHARACTERS // 3)
    assert take_apart("['a'" + ", 'a'" * 9000 + "]").parts == ("a",) * 9001
    with pytest.raises(AnnotationError, match="a cell of 100,001 characters is no list"):
        take_apart("x" * (MAX_CELL_CHARACTERS + 1))


class _Counting(str):
    """A text that counts how often one of its characters is looked at."""

    looks = 0

    def __getitem__(self, key: object) -> str:
        type(self).looks += 1
        return super().__getitem__(key)  # type: ignore[index] # passed on as it came

    def rsplit(self, *args: object, **kwargs: object) -> list[str]:
        return [self]

    def strip(self, *args: object) -> _Counting:
        return self


@pytest.mark.parametrize("text", ["1a" * 2000, "1" * 4000 + "a", "a" * 4000])
def test_parsers__look_at_each_character_a_few_times(text: str) -> None:
    counting = _Counting(text)
    _Counting.looks = 0
    parse_frame_name(counting)
    assert _Counting.looks <= 2 * len(text) + 10


def test_frame_names__as_before() -> None:
    found = [parse_frame_name(name) for name in ("a/vid_2_frame013.jpg", "x.png", "9" * 19)]
    assert found == [("vid_2_frame", 13), ("x", None), ("9" * 19, None)]


def test_dives__of_urls_that_the_standard_library_refuses() -> None:
    assert dive_from_text("http://[x/staging/ROV/images/7/a.png?x=/y#z").dive == "ROV 7"
    assert dive_from_text("http://host?q=/staging/ROV/images/7/a.png").dive is None
