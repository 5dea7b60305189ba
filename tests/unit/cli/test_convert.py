"""`convert` from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from exported_frames import row, write_predictions
from finding_nemo.cli.main import app


@pytest.fixture
def predictions(tmp_path: Path) -> Path:
    rows = [row("a"), row("b", confidence="guess")]
    return write_predictions(tmp_path / "dive.parquet", rows)


def run(*words: object) -> Result:
    return CliRunner().invoke(app, ["convert", *map(str, words)], terminal_width=200)


def test_convert__says_what_was_handed_on_and_what_is_missing(
    predictions: Path, tmp_path: Path
) -> None:
    navigation = tmp_path / "nav.csv"
    navigation.write_text("file,lat,lon,depth\na.png,36,-122,900\n")
    out = tmp_path / "archive"
    found = run(predictions, "--to", "darwin-core", "--navigation", navigation, "--out", out)
    assert found.exit_code == 0, found.output
    assert "2 frames, 1 label of the model, 0 of people" in found.output
    assert "note: 1 of 2 frames have no known position." in found.output
    assert "note: 1 answers are not sure enough and are left out." in found.output
    # The shipped table of names knows the crab.
    occurrence = (out / "occurrence.txt").read_text().splitlines()[1].split("\t")
    assert "species" in occurrence
    assert "36" in (out / "event.txt").read_text()


def test_submission__of_frames_that_could_not_be_read_says_so(tmp_path: Path) -> None:
    rows = [row(name, failure="cut off", categories=None) for name in ("a", "b")]
    path = write_predictions(tmp_path / "dive.parquet", rows)
    found = run(path, "--to", "submission", "--out", tmp_path / "s.csv")
    assert found.exit_code == 0, found.output
    assert len((tmp_path / "s.csv").read_text().splitlines()) == 1 + 2
    assert "2 rows of 3 names each; all for images that could not be read" in found.output
    assert "0 frames" not in found.output


def test_convert__refuses_what_it_cannot_write(predictions: Path, tmp_path: Path) -> None:
    found = run(predictions, "--to", "nothing", "--out", tmp_path / "o")
    assert found.exit_code == 2
    assert "darwin-core" in found.output
    wrong = run(predictions, "--to", "coco", "--out", tmp_path / "o.csv")
    assert wrong.exit_code != 0
    existing = run(predictions, "--to", "submission", "--out", predictions)
    assert existing.exit_code != 0
