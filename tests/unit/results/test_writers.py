"""Predictions written and read back, whatever the format."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from finding_nemo.core.errors import (
    NoSpaceError,
    OutputExistsError,
    PredictionsError,
    SettingsError,
)
from finding_nemo.core.records import Prediction
from finding_nemo.results.prediction_formats import FORMATS, SUFFIXES, PredictionFormat
from finding_nemo.results.reading.readers import read_predictions
from finding_nemo.results.writers import write_predictions

_IDS = tuple(range(1, 31))
_METADATA = {
    "schema_version": 1,
    "categories": [{"category_id": number, "n_images": 2} for number in _IDS],
}


def predictions(count: int = 3) -> list[Prediction]:
    rng = np.random.default_rng(0)
    rows = rng.random((count, len(_IDS)), dtype=np.float32)
    made = [
        Prediction(f"i{n}", f"f/i{n}.png", 720, 368, None, row, 0.25) for n, row in enumerate(rows)
    ]
    made[1] = Prediction("i1", "f/i1.png", None, None, "is empty (0 bytes)", None, None)
    return made


def write(path: Path, **options: Any) -> int:
    return write_predictions(
        predictions(), path, category_ids=_IDS, metadata=lambda: _METADATA, **options
    )


@pytest.mark.parametrize("file_format", FORMATS.values(), ids=FORMATS)
def test_format__of_the_table_is_written_and_read_under_each_suffix(
    tmp_path: Path, file_format: PredictionFormat
) -> None:
    for suffix in file_format.suffixes:
        path = tmp_path / f"p{suffix}"
        assert write(path, file_format=file_format.name) == 3
        if file_format.reader is not None and file_format.reads_back:
            assert read_predictions(path).image_ids == ("i0", "i1", "i2")
        if file_format.by_suffix:
            assert SUFFIXES[suffix] == file_format.name


_READABLE = [n for n, known in FORMATS.items() if known.reader is not None and known.reads_back]


@pytest.mark.parametrize("file_format", _READABLE)
def test_read__gives_back_what_was_written(tmp_path: Path, file_format: str) -> None:
    path = tmp_path / f"p{FORMATS[file_format].suffixes[0]}"
    assert write(path, file_format=file_format) == 3
    table = read_predictions(path)
    assert table.image_ids == ("i0", "i1", "i2")
    assert table.paths == ("f/i0.png", "f/i1.png", "f/i2.png")
    assert (table.widths, table.heights) == ((720, None, 720), (368, None, 368))
    assert table.failures == (None, "is empty (0 bytes)", None)
    assert [len(ids) for ids in table.ranked_ids] == [20, 0, 20]
    assert table.novelty[0] == 0.25
    assert np.isnan(table.novelty[1])
    assert table.metadata["categories"][0] == {"category_id": 1, "n_images": 2}


@pytest.mark.parametrize("file_format", [n for n in _READABLE if FORMATS[n].keeps_lists])
def test_vector__is_kept_exactly_and_nan_on_failure(tmp_path: Path, file_format: str) -> None:
    path = tmp_path / f"p{FORMATS[file_format].suffixes[0]}"
    write(path, file_format=file_format)
    table = read_predictions(path)
    assert table.vector is not None
    expected = predictions()[2].probabilities
    assert expected is not None
    assert (table.vector[2] == expected).all()
    assert np.isnan(table.vector[1]).all()
    turned = table.probabilities_in(_IDS[::-1])
    assert (turned[2] == expected[::-1]).all()


def test_vector__left_out_the_twenty_best_are_known_and_the_rest_is_zero(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    write(path, with_vector=False)
    table = read_predictions(path)
    assert table.vector is None
    row = table.probabilities_in(_IDS)[0]
    expected = predictions()[0].probabilities
    assert expected is not None
    best = np.argsort(-expected, kind="stable")[:20]
    np.testing.assert_allclose(row[best], expected[best])
    assert np.count_nonzero(row) == 20


def test_ranking__is_best_first_with_its_probabilities(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    write(path)
    table = read_predictions(path)
    values = list(table.ranked_probabilities[0])
    assert values == sorted(values, reverse=True)
    assert table.vector is not None
    assert table.ranked_ids[0][0] == int(np.argmax(table.vector[0])) + 1


def test_parquet__carries_its_story_in_the_files_metadata(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    write(path)
    metadata = json.loads(pq.read_metadata(path).metadata[b"finding_nemo"])
    assert metadata["schema_version"] == 1


def test_submission__has_twenty_guesses_even_for_an_image_that_failed(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    write(path, file_format="submission", fallback_ids=_IDS[::-1])
    header, first, failed, _ = path.read_text().splitlines()
    assert header == "id,categories,osd"
    assert len(first.split(",")[1].split()) == 20
    assert failed == "i1," + " ".join(str(n) for n in range(30, 10, -1)) + ",0.5"


def test_write__refuses_to_replace_unless_told(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    write(path)
    with pytest.raises(OutputExistsError, match="--overwrite"):
        write(path)
    assert write(path, overwrite=True) == 3


def test_write__refuses_an_unknown_format(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="'xml'; known: parquet, csv"):
        write(tmp_path / "p.xml", file_format="xml")


def test_write__leaves_no_half_file_when_the_images_end_in_an_error(tmp_path: Path) -> None:
    def failing() -> Iterator[Prediction]:
        yield predictions()[0]
        raise OSError(28, "No space left on device")

    path = tmp_path / "p.parquet"
    with pytest.raises(NoSpaceError, match="No space left on the disk while writing"):
        write_predictions(failing(), path, category_ids=_IDS, metadata=lambda: _METADATA)
    assert list(tmp_path.iterdir()) == []


def test_read__says_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(PredictionsError, match="does not exist"):
        read_predictions(tmp_path / "p.parquet")
    (tmp_path / "p.xml").touch()
    with pytest.raises(PredictionsError, match=r"suffix '\.xml'"):
        read_predictions(tmp_path / "p.xml")
    (tmp_path / "p.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(PredictionsError, match="cannot be read as predictions"):
        read_predictions(tmp_path / "p.parquet")
    (tmp_path / "p.csv").write_text("image_id\nx\n")
    with pytest.raises(PredictionsError, match="line 1: column path, width.* is missing"):
        read_predictions(tmp_path / "p.csv")


def test_read__refuses_another_schema_version_and_repeated_images(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    old = {**_METADATA, "schema_version": 0}
    write_predictions(predictions(), path, category_ids=_IDS, metadata=lambda: old)
    with pytest.raises(PredictionsError, match="schema version 0; this program reads 1"):
        read_predictions(path)
    twice = predictions() + predictions()
    write_predictions(twice, path, category_ids=_IDS, metadata=lambda: _METADATA, overwrite=True)
    with pytest.raises(PredictionsError, match="names an image twice"):
        read_predictions(path)


def test_probabilities__of_another_category_table_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    write(path)
    with pytest.raises(PredictionsError, match="category id 30 .*does not have"):
        read_predictions(path).probabilities_in(_IDS[:-1])
