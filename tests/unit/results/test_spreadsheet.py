"""The table for people."""

from __future__ import annotations

import csv
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from finding_nemo.core.assessment import Answer
from finding_nemo.core.errors import PredictionsError, SettingsError
from finding_nemo.core.records import Prediction
from finding_nemo.results.columns import to_table
from finding_nemo.results.reading.readers import read_predictions
from finding_nemo.results.schema import Columns, SpreadsheetLayout
from finding_nemo.results.spreadsheet import (
    probability_in_words,
    spreadsheet_columns,
    spreadsheet_row,
)
from finding_nemo.results.writers import write_tables

IDS, NAMES = (36, 17, 4), ("crab", "=eel", 'café, "the" shrimp')
ODD = (
    "a b.png",
    'quo"te.png',
    "com,ma;semi.png",
    "new\nline.png",
    "re\rturn.png",
    "=cmd|' /C calc'!A0.png",
    "+1.png",
    "-1.png",
    "@sum.png",
    "\ttab.png",
    "ünï 海.png",
    "'apostrophe.png",
    " blank.png",
    "007.png",
    "1e5",
)


def predictions() -> list[Prediction]:
    answer = Answer(
        text="=eel", level="category", confidence="sure", probability=0.96, why="So it is."
    )
    rows = np.array([[0.034, 0.96, 0.5]] * len(ODD), dtype=np.float32)
    made = [
        Prediction(
            f"id-{n}", name, 64, 48, None, row, 0.5, answer=answer, dive="D 1", captured=captured
        )
        for n, (name, row, captured) in enumerate(
            zip(ODD, rows, [datetime(2014, 7, 14, 9, 5)] * len(ODD), strict=True)
        )
    ]
    broken = Prediction("bad", "bad.png", None, None, "-is empty", None, None)
    return [*made, broken]


def written(path: Path, layout: SpreadsheetLayout) -> Path:
    columns = Columns(len(IDS), category_names=NAMES)
    write_tables(
        [to_table(predictions(), IDS, columns)],
        path,
        schema=columns.schema(),
        metadata=lambda: {"categories": []},
        fallback_ids=IDS,
        layout=layout,
    )
    return path


def test_columns__are_those_that_people_want() -> None:
    assert ",".join(spreadsheet_columns(SpreadsheetLayout(guesses=2))) == (
        "image,dive,time,depth,answer,confidence,why,guess1,probability1,guess2,probability2,"
        "unusual_percent,look_first,failure,width,height"
    )
    assert spreadsheet_columns(SpreadsheetLayout(1, with_ids=True)) == (
        *("id", "image", "dive", "time", "depth", "answer", "confidence", "why"),
        *("guess1", "guess1_id", "probability1"),
        *("unusual_percent", "look_first", "failure", "width", "height"),
    )


def row(**changes: Any) -> list[object]:
    values = {
        "image_id": "i",
        "path": "",
        "dive": None,
        "captured": None,
        "answer": "crab",
        "confidence": "guess",
        "why": "w",
        "categories": [36],
        "names": None,
        "probabilities": [1 / 3],
        "unusualness": 0.996,
        "look_first": 2,
        "failure": None,
        "width": 8,
        "height": 6,
    }
    return spreadsheet_row({**values, **changes}, SpreadsheetLayout(guesses=2))


def test_row__has_one_value_a_cell() -> None:
    assert row() == [
        *("i", None, None, None, "crab", "guess", "w"),
        *("36", "0.33", None, None),
        *(100, 2, None, 8, 6),
    ]
    assert row(time_s=12.5, captured=datetime(2014, 7, 14))[2] == "12.5"
    assert row(time_s=0.0)[2] == "0"
    assert row(captured=datetime(2014, 7, 14))[2] == "2014-07-14"
    assert row(captured=datetime(2014, 7, 14, 10, 2, 3))[2] == "2014-07-14T10:02:03"
    assert row(unusualness=None)[11] is None


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.87432, "0.87"), (1.0, "1.00"), (0.1, "0.10"), (0.0999, "0.100"), (0.0341, "0.034")],
)
def test_probability__has_the_digits_that_mean_something(value: float, words: str) -> None:
    assert probability_in_words(value) == words
    assert abs(float(words) - value) < 0.005


def test_file__is_read_alike_by_two_other_readers(tmp_path: Path) -> None:
    path = written(tmp_path / "p.csv", SpreadsheetLayout(guesses=3, with_ids=True))
    assert path.read_bytes().startswith(b"\xef\xbb\xbfid,image,")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    assert frame.columns.tolist() == list(rows[0])
    assert len(rows) == len(frame) == len(ODD) + 1
    for name, first, second in zip(ODD, rows, frame.to_dict("records"), strict=False):
        shown = first["image"]
        assert shown.removeprefix("'") == name or shown == name
        assert shown[0] not in "=+-@\t "
        # pandas takes a lone carriage return inside quotes as it stands, too.
        assert second == first
        assert first["guess1"] == "'=eel"
        assert (first["guess3"], first["guess3_id"]) == ("crab", "36")
        assert first["guess2"] == NAMES[2]
        assert (first["probability1"], first["probability3"]) == ("0.96", "0.034")
        assert (first["dive"], first["time"]) == ("D 1", "2014-07-14T09:05:00")
    assert (rows[-1]["answer"], rows[-1]["failure"]) == ("", "'-is empty")


def test_file__is_refused_where_something_is_to_be_computed(tmp_path: Path) -> None:
    path = written(tmp_path / "p.csv", SpreadsheetLayout())
    with pytest.raises(PredictionsError, match=r"table for people.*\.parquet or \.jsonl"):
        read_predictions(path)
    path.write_text(path.read_text(encoding="utf-8-sig").replace(",", ";"))  # saved by Excel
    with pytest.raises(PredictionsError, match="table for people"):
        read_predictions(path)


def test_layout__has_one_to_twenty_guesses() -> None:
    for guesses in (0, 21):
        with pytest.raises(SettingsError, match="1 to 20 guesses"):
            SpreadsheetLayout(guesses)


def test_rows__of_an_earlier_version_are_refused(tmp_path: Path) -> None:
    schema = pa.schema([("image_id", pa.string())])
    with pytest.raises(PredictionsError, match="an earlier version made them"):
        write_tables([], tmp_path / "p.csv", schema=schema, metadata=lambda: {}, fallback_ids=IDS)
    assert not list(tmp_path.iterdir())
