"""`finding-nemo validate`: what it took a file for, all faults, schemas, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from finding_nemo.cli.main import app
from finding_nemo.cli.prediction_verbs.validate import _NAMES
from finding_nemo.validating.recognize_format import FILE_FORMATS


def test_names__are_those_of_the_table() -> None:
    assert tuple(FILE_FORMATS) == _NAMES


def test_validate__says_what_it_took_a_file_for_and_lists_all_faults(tmp_path: Path) -> None:
    path = tmp_path / "split.csv"
    path.write_text("id,dive,part\na,1,train\na,1,\n,1,val\n")
    good = tmp_path / "reviews.csv"
    good.write_text("id,categories\na,crab\n")
    found = CliRunner().invoke(app, ["validate", str(path), str(good)])
    assert found.exit_code == 1
    assert found.stdout.splitlines() == [
        f"{path}: 2 faults (split: its columns are id, dive, part, 1 rows)",
        "  line 3: id 'a' is there already.",
        "  line 4: id and part must not be empty.",
        f"{good}: good (reviews: its columns are id, categories, 1 rows)",
    ]


def test_validate__is_silent_about_more_than_was_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "split.csv"
    path.write_text("id,dive,part\n" + "a,1,train\n" * 9)
    found = CliRunner().invoke(app, ["validate", str(path), "--most", "2"])
    assert found.stdout.splitlines()[-1] == "  and 6 more; --most 8 lists them all"


@pytest.mark.parametrize("name", _NAMES)
def test_schema__is_printed_for_every_format(name: str) -> None:
    found = CliRunner().invoke(app, ["validate", "--schema", name])
    assert found.exit_code == 0
    assert json.loads(found.stdout)["title"] == f"finding-nemo {name}"


@pytest.mark.parametrize("words", [[], ["x.csv", "--schema", "split"]])
def test_validate__takes_files_or_a_schema(words: list[str]) -> None:
    assert CliRunner().invoke(app, ["validate", *words]).exit_code == 2
