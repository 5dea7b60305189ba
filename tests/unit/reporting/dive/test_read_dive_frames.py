"""Predictions files of today and of before into the frames of the page."""

from __future__ import annotations

import math
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from finding_nemo.core.errors import PredictionsError
from finding_nemo.reporting.dive.dive_frames import Guess, MapGrid
from finding_nemo.reporting.dive.read_dive_frames import read_dive_frames
from finding_nemo.reporting.html.dive_page import write_dive_page


@pytest.mark.parametrize("suffix", ["parquet", "jsonl"])
def test_file_of_before__has_answers_words_and_ranks(
    dive_files: Any, tmp_path: Path, suffix: str
) -> None:
    row = dive_files.row
    rows = [
        row(0, present=[1, 2], path="x/framegrabs/Tow/images/0007/a.png"),
        row(1, probabilities=[0.5, 0.2, 0.1]),
        row(2, probabilities=[0.4, 0.2, 0.1], unusualness=0.99),
        row(3, failure="is empty"),
    ]
    found = read_dive_frames(dive_files.write(tmp_path / f"d.{suffix}", rows))
    texts = [name.text for name in found.names]
    assert texts == ["crab", "eel", "squid"]
    assert [frame.answer for frame in found.frames] == [0, 0, 0, None]
    assert [frame.confidence for frame in found.frames] == [0, 1, 2, None]
    assert found.words == ("sure", "likely", "guess")
    assert not found.has_own_words
    probabilities = [frame.answer_probability for frame in found.frames]
    assert probabilities == pytest.approx([0.8, 0.5, 0.4, math.nan], nan_ok=True)
    assert found.frames[0].also_named == (1,)
    assert [frame.dive for frame in found.frames] == ["Tow 0007", "", "", ""]
    assert found.frames[0].look_first == 1
    assert [frame.look_first for frame in found.frames[1:]] == [0, 1, 0]
    assert found.frames[1].guesses[0] == Guess(0, 0.5)
    assert found.frames[3].failure == "is empty"
    assert (found.names[2].n_images, found.names[2].n_dives) == (2, 1)


@pytest.mark.parametrize("suffix", ["parquet", "jsonl"])
def test_newer_columns__are_used_where_they_are(
    dive_files: Any, tmp_path: Path, suffix: str
) -> None:
    late, early = datetime(2015, 5, 7, 9), datetime(2015, 5, 7, 8)
    times = [late, early] if suffix == "parquet" else [f"{late:%FT%T}Z", f"{early:%FT%T}"]
    told = {
        "answer": "Fish",
        "answer_probability": 0.75,
        "confidence": "certain",
        "why": "Only the group.",
        "dive": "D1",
    }
    rows = [
        dive_files.row(0, **told, captured=times[0], look_first=None, maps=[9] * 12),
        dive_files.row(1, **told, captured=times[1], look_first=4, maps=[7] * 5),
    ]
    path = dive_files.write(
        tmp_path / f"d.{suffix}", rows, maps={"rows": 2, "columns": 3, "guesses": 2}
    )
    found = read_dive_frames(path)
    first, second = found.frames
    assert [first.image_id, second.image_id] == ["f1", "f0"]
    assert (first.captured, second.captured) == (early, late)
    assert found.names[first.answer or 0].text == "Fish"
    assert first.answer_probability == 0.75
    assert (found.words[-1], first.confidence) == ("certain", 3)
    assert (first.why, first.dive, first.look_first) == ("Only the group.", "D1", 4)
    assert found.map_grid == MapGrid(2, 3, 2)
    assert (first.maps, second.maps) == (None, bytes([9] * 12))
    assert found.notices == ("1 heat maps are left out: they have another size.",)


def test_names__come_from_the_rows_where_no_table_has_them(dive_files: Any, tmp_path: Path) -> None:
    rows = [
        dive_files.row(0, names=["Crab sp.", "Eel sp.", "Squid sp."]),
        dive_files.row(1, categories=[9, 1], probabilities=[0.9, 0.1]),
    ]
    found = read_dive_frames(dive_files.write(tmp_path / "d.parquet", rows, categories=[]))
    texts = [name.text for name in found.names]
    assert texts == ["Crab sp.", "Eel sp.", "Squid sp.", "category 9"]
    guesses = found.frames[1].guesses
    assert [guess.name for guess in guesses] == [3, 0]
    assert [guess.probability for guess in guesses] == pytest.approx([0.9, 0.1])


def test_dive__is_named_by_the_pattern_or_the_video(dive_files: Any, tmp_path: Path) -> None:
    rows = [
        dive_files.row(0, path="tow3/a.png", dive="other"),
        dive_files.row(1, path="b.png", dive="other"),
        dive_files.row(2, path="films/night.mp4", time_s=4.5),
    ]
    path = dive_files.write(tmp_path / "d.parquet", rows)
    found = read_dive_frames(path, dive_pattern=r"(?P<dive>tow\d)/")
    assert [frame.dive for frame in found.frames] == ["tow3", "other", "night.mp4"]


def test_no_row__is_refused(dive_files: Any, tmp_path: Path) -> None:
    path = dive_files.write(tmp_path / "d.jsonl", [])
    with pytest.raises(PredictionsError, match="holds no frame"):
        read_dive_frames(path)


_ODD: tuple[object, ...] = (
    *(None, "", "x", 3, -1, True, 1e300, [], [1], ["a"], {"a": 1}, "0001-01-01", "2015-05-07"),
    *("9999-12-31T23:59:59+00:00", [300], [0, 255], "2015-05-07T08:00:00+02:00"),
)


def test_columns_of_other_types__count_as_none(dive_files: Any, tmp_path: Path) -> None:
    names = ("answer", "confidence", "why", "dive", "captured", "look_first", "names", "maps")
    odd = {"training": {"n_dives": "many"}, "maps": {"rows": "2"}, "domain_check": [1], "ended": 3}
    taken: list[dict[str, Any]] = []
    refusals: list[str] = []
    for n, name in enumerate(names):
        for place, value in enumerate(_ODD):
            time_s = 1e300 if place % 2 else -5.0
            row = dive_files.row(n * 100 + place, **{name: value}, time_s=time_s)
            try:
                read_dive_frames(dive_files.write(tmp_path / "d.jsonl", [row], **odd))
                taken.append(row)
            except PredictionsError as error:  # of the reader's own columns
                refusals.append(str(error))
    assert len(taken) + len(refusals) == len(names) * len(_ODD)
    assert all("line 1" in refusal for refusal in refusals)
    found = read_dive_frames(dive_files.write(tmp_path / "d.jsonl", taken, **odd))
    assert len(found.frames) == len(taken)
    assert found.map_grid is None
    captured = {frame.captured for frame in found.frames}
    assert captured <= {None, datetime(2015, 5, 7), datetime(2015, 5, 7, 6)}
    write_dive_page(found, tmp_path / "p.html", title="odd")


def test_nanoseconds_and_shares_that_are_none__are_read(dive_files: Any, tmp_path: Path) -> None:
    path = dive_files.write(tmp_path / "d.parquet", [dive_files.row(0, unusualness=math.inf)])
    table = pq.read_table(path).append_column(
        "captured", pa.array([1431_000_000_123_456_789], pa.timestamp("ns", "UTC"))
    )
    with pq.ParquetWriter(path, table.schema) as writer:
        writer.write_table(table)
    (frame,) = read_dive_frames(path).frames
    assert frame.captured == datetime(2015, 5, 7, 12, 0, 0, 123456)
    assert math.isnan(frame.novelty_percentile)


def test_folders_without_a_dive__are_said_to_stand_together(
    dive_files: Any, tmp_path: Path
) -> None:
    rows = [dive_files.row(n, path=f"in/{folder}/{n}.png") for n, folder in enumerate("aab")]
    path = dive_files.write(tmp_path / "d.parquet", rows)
    (said,) = read_dive_frames(path).notices
    assert said.startswith("3 frames of 2 folders name no dive")
    # The pattern that it gives is one that works.
    pattern = said.split("'")[1]
    found = read_dive_frames(path, dive_pattern=pattern)
    assert [frame.dive for frame in found.frames] == ["a", "a", "b"]
    assert found.notices == ()
    one = dive_files.write(tmp_path / "one.parquet", rows[:2])
    assert read_dive_frames(one).notices == ()
