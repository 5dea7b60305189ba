"""Predictions handed on from Python: the same bytes as the request behind the command writes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import finding_nemo as nemo
from exported_frames import row, write_predictions
from finding_nemo.core.errors import OutputExistsError, SettingsError
from finding_nemo.exporting.positions.frame_positions import read_position_sources
from finding_nemo.exporting.taxon_names import names_lookup
from finding_nemo.exporting.write_export import ExportRequest, write_export

_TIME = re.compile(r"\d{4}-\d\d-\d\dT[^\t\n]*")  # when it was written


@pytest.fixture
def predictions(tmp_path: Path) -> Path:
    rows = [row("a"), row("b", confidence="likely"), row("c", confidence="guess")]
    return write_predictions(tmp_path / "dive.parquet", rows)


def test_convert__takes_words_reviews_and_navigation(predictions: Path, tmp_path: Path) -> None:
    reviews, track = tmp_path / "reviews.csv", tmp_path / "track.csv"
    reviews.write_text("id,categories\nc,Crab of my own\n")
    track.write_text("file,latitude,longitude,depth_m\na.png,36.5,-122.5,410\n")
    out, expected = tmp_path / "archive", tmp_path / "expected"
    done = nemo.convert(
        str(predictions),
        to="darwin-core",
        out=str(out),
        words=("sure", "likely"),
        reviews=str(reviews),
        navigation=[str(track)],
    )
    # Worked by hand: a is sure, b is likely, c is named by a person.
    assert done.counts.n_labels == {"machine": 2, "person": 1}
    request = ExportRequest(
        kind="darwin-core",
        words=frozenset({"sure", "likely"}),
        reviews=reviews,
        positions=read_position_sources([track]),
        lookup=names_lookup(),
    )
    assert write_export(predictions, expected, request).notices == done.notices
    texts = [(folder / "event.txt").read_text() for folder in (out, expected)]
    assert "36.5" in texts[0]
    written, wanted = (_TIME.sub("", text) for text in texts)
    assert written == wanted


def test_convert__takes_words_as_the_command_writes_them(predictions: Path, tmp_path: Path) -> None:
    counts = []
    for number, words in enumerate(("sure", "sure,likely", ("sure", "likely", "guess"))):
        out = tmp_path / f"{number}.json"
        done = nemo.convert(predictions, to="coco", out=out, words=words)
        counts.append(done.counts.n_labels["machine"])
    assert counts == [1, 2, 3]
    with pytest.raises(OutputExistsError):
        nemo.convert(predictions, to="coco", out=out)
    nemo.convert(predictions, to="coco", out=out, overwrite=True)
    with pytest.raises(SettingsError, match="'certain' is no word of an answer"):
        nemo.convert(predictions, to="coco", out=tmp_path / "x.json", words=["certain"])
    with pytest.raises(SettingsError, match="darwin-cor"):
        nemo.convert(predictions, to="darwin-cor", out=tmp_path / "x")
