"""From odd files to every form: what is written can be read again, or one clear error says why.

`FINDING_NEMO_FUZZ=2000` tries 2,000 sets of files, each in every form.
"""

from __future__ import annotations

import csv
import io
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from export_readers import READERS
from exported_frames import ODD_TEXTS, row, write_predictions
from finding_nemo.core.errors import FindingNemoError, PredictionsError
from finding_nemo.exporting.about_dataset import ABOUT_KEYS
from finding_nemo.exporting.export_kinds import EXPORT_KINDS
from finding_nemo.exporting.positions.frame_positions import read_position_sources
from finding_nemo.exporting.write_export import ExportRequest, write_export
from finding_nemo.uncertainty.answers import CONFIDENCES

_N = int(os.environ.get("FINDING_NEMO_FUZZ", "4"))
_TEXTS = ODD_TEXTS.filter(lambda text: "\x00" not in text)
_NUMBERS = st.one_of(
    st.floats(0, 1),
    st.sampled_from([float("nan"), float("inf"), -float("inf"), -1.0, 1e300, -0.0, 0.0]),
)
_SIZES = st.none() | st.sampled_from([-5, 0, 1, 640, 2**31 - 1])
_TIMES = st.none() | st.datetimes(datetime(1800, 1, 1), datetime(2199, 12, 31)).map(
    lambda moment: moment.replace(microsecond=0)
)
_CELLS = st.one_of(
    _TEXTS,
    st.sampled_from(["", "nan", "-inf", "1e400", "-36.5", "36.5", "181", "-900", "900", "1,5"]),
)
_COLUMNS = ("file", "latitude", "longitude", "depth_m", "gps_altitude", "taken_at")


@st.composite
def odd_rows(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Return up to four rows of a predictions file, some of images that could not be read."""
    rows = []
    for image_id in draw(st.lists(_TEXTS, max_size=4, unique=True)):
        path = draw(_TEXTS)
        if draw(st.integers(0, 4)) == 0:
            rows.append({"image_id": image_id, "path": path, "failure": draw(_TEXTS)})
            continue
        rows.append(
            row(
                image_id,
                draw(_TEXTS | st.sampled_from(["", "Gastropod", "=HYPERLINK(1)"])),
                path=path,
                width=draw(_SIZES),
                height=draw(_SIZES),
                novelty=draw(st.none() | _NUMBERS),
                probabilities=draw(st.lists(_NUMBERS, min_size=3, max_size=3)),
                answer_level=draw(st.sampled_from(["category", "supercategory"])),
                answer_probability=draw(st.none() | _NUMBERS),
                confidence=draw(st.sampled_from([*CONFIDENCES, ""])),
                present=draw(st.none() | st.just([3, 7])),
                dive=draw(st.none() | _TEXTS),
                captured=draw(_TIMES),
                time_s=draw(st.none() | _NUMBERS),
            )
        )
    return rows


def table_text(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a CSV file's text."""
    text = io.StringIO()
    csv.writer(text).writerows([columns, *rows])
    return text.getvalue()


@st.composite
def odd_files(draw: st.DrawFn) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Return rows, and the texts of the files beside them by name; each may be missing."""
    rows, files = draw(odd_rows()), dict[str, str]()
    names = [str(each["path"]) for each in rows] or ["a.png"]
    if draw(st.booleans()):
        cells = [st.sampled_from(names) | _CELLS, *[_CELLS] * (len(_COLUMNS) - 1)]
        entries = draw(st.lists(st.tuples(*cells), max_size=3))
        files["nav.csv"] = table_text(_COLUMNS, entries)
    if draw(st.booleans()):
        ids = st.sampled_from([str(each["image_id"]) for each in rows] or ["a"])
        review = st.tuples(ids | _TEXTS, _CELLS, st.sampled_from(["yes", "no", "?"]), _TEXTS)
        entries = draw(st.lists(review, max_size=3))
        files["reviews.csv"] = table_text(("id", "categories", "complete", "reviewer"), entries)
    if draw(st.booleans()):
        known = st.sampled_from([key for key in ABOUT_KEYS if key != "email"])
        about = draw(st.dictionaries(known, _TEXTS, max_size=4))
        files["about.toml"] = "".join(f"{key} = {json.dumps(about[key])}\n" for key in about)
    return rows, files


def exported(kind: str, folder: Path, predictions: Path, files: Mapping[str, str]) -> Path | None:
    """Return what was written, `None` where one error says why it was not."""
    out = folder / f"{kind}{EXPORT_KINDS[kind].suffix}"
    paths = {name: folder / name for name in files}
    try:
        navigation = [paths["nav.csv"]] if "nav.csv" in paths else []
        request = ExportRequest(
            kind=kind,
            also_named=True,
            reviews=paths.get("reviews.csv"),
            about=paths.get("about.toml"),
            positions=read_position_sources(navigation),
        )
        write_export(predictions, out, request)
    except FindingNemoError:
        assert not out.exists()
        return None
    return out


@settings(
    max_examples=_N,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(odd_files())
def test_odd_files__are_handed_on_or_refused(
    given: tuple[list[dict[str, Any]], dict[str, str]],
) -> None:
    rows, files = given
    n_readable = sum("failure" not in each for each in rows)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, text in files.items():
            (folder / file).write_bytes(text.encode("utf-8", "replace"))
        predictions = write_predictions(folder / "dive.parquet", rows)
        for kind, (reader, _, _, has_all) in READERS.items():
            out = exported(kind, folder, predictions, files)
            if out is not None:
                found = reader(out)
                if kind == "submission":
                    assert [each for each, _ in found] == [each["image_id"] for each in rows]
                elif has_all:
                    assert len(found) == n_readable


@pytest.mark.parametrize("kind", ["fiftyone", "ifdo", "ifdo-2.1.0"])
def test_two_frames_of_one_file__are_refused_where_one_would_be_lost(
    tmp_path: Path, kind: str
) -> None:
    rows = [row("a", path="/data/a.png"), row("b", path="/data/a.png")]
    predictions = write_predictions(tmp_path / "dive.parquet", rows)
    out = tmp_path / f"out{EXPORT_KINDS[kind].suffix}"
    with pytest.raises(PredictionsError, match="Two frames are the file"):
        write_export(predictions, out, ExportRequest(kind=kind))
    assert not out.exists()


@pytest.mark.parametrize("text", ["nobody", "a b@c", "a@b@c"])
def test_email__that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    predictions = write_predictions(tmp_path / "dive.parquet", [row("a")])
    (tmp_path / "about.toml").write_text(f'email = "{text}"\n')
    request = ExportRequest(kind="camtrap-dp", about=tmp_path / "about.toml")
    with pytest.raises(FindingNemoError, match="is no address; write one such as"):
        write_export(predictions, tmp_path / "out", request)
