"""`--json`: every verb has it, and stdout holds one JSON document and nothing else."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from finding_nemo.cli.console.words import print_result
from finding_nemo.cli.main import app
from finding_nemo.reporting.terminal.result_document import (
    ResultDocument,
    as_json,
    give_value,
    into_document,
)
from finding_nemo.reporting.terminal.tables import print_columns, print_line, print_table

_ROOT: Any = typer.main.get_command(app)
# They end when somebody stops them, and print no result.
_WITHOUT = {"serve", "review"}
_SHAPE = {"verb", "values", "tables", "lines"}


def _document(*words: str) -> Any:
    found = CliRunner().invoke(app, list(words))
    assert found.exit_code == 0, found.output
    return json.loads(found.stdout)


@pytest.mark.parametrize("verb", sorted(_ROOT.commands))
def test_json__is_an_option_of_every_verb_that_prints_results(verb: str) -> None:
    known = {name for parameter in _ROOT.commands[verb].params for name in parameter.opts}
    assert ("--json" in known) == (verb not in _WITHOUT)


def test_json__tables_and_lines_of_a_verb(tiny_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "split.csv"
    found = _document("split", str(tiny_folder), "--json", "--seed", "0", "--out", str(out))
    assert found.keys() == _SHAPE
    assert found["verb"] == "split"
    assert found["lines"][-1] == f"split {out}"
    (table,) = [each for each in found["tables"] if "part" in (each["columns"] or ())]
    images = {row["part"]: row["images"] for row in table["rows"]}
    assert sum(n for part, n in images.items() if part in ("train", "val", "test")) == 30


def test_json__figures_of_a_score(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_text("id,categories,osd\na,1 2,0\nb,2,1\n")
    found = _document("score", str(path), str(path), "--json")
    assert found["values"]["score"]["map_at_20"] == 1
    assert found["values"]["score"]["final"] == 1


def test_json__of_a_bad_file_is_whole_and_the_code_stays(tmp_path: Path) -> None:
    path = tmp_path / "split.csv"
    path.write_text("id,dive,part\na,1,\n")
    found = CliRunner().invoke(app, ["validate", str(path), "--json"])
    assert found.exit_code == 1
    (told,) = json.loads(found.stdout)["files"]
    assert (told["format"], told["good"], told["n_faults"]) == ("split", False, 1)
    assert told["faults"][0]["where"] == "line 2"


def test_document__takes_what_would_be_printed(capsys: pytest.CaptureFixture[str]) -> None:
    document = ResultDocument("some")
    with into_document(document):
        print_table(("name", "n", "share"), [("crab", "1,234", "0.50"), ("", "-3", "12 %")])
        print_columns([("a", "b")])
        print_line("one")
        print_result("two \x85")
        give_value("x", math.nan)
    assert capsys.readouterr().out == ""
    found = json.loads(document.text())
    assert found == {
        "verb": "some",
        "values": {"x": None},
        "tables": [
            {
                "title": None,
                "columns": ["name", "n", "share"],
                "rows": [
                    {"name": "crab", "n": 1234, "share": 0.5},
                    {"name": None, "n": -3, "share": "12 %"},
                ],
            },
            {"title": None, "columns": None, "rows": [["a", "b"]]},
        ],
        "lines": ["one", "two \x85"],
    }
    assert document.text().isascii()


@dataclass(frozen=True)
class _Some:
    path: Path
    numbers: tuple[float, ...]


def test_as_json__takes_what_verbs_hold() -> None:
    found = as_json({"a": _Some(Path("x/y"), (1.0, math.inf)), 2: np.arange(2), "c": np.float32(1)})
    assert found == {"a": {"path": "x/y", "numbers": [1.0, None]}, "2": [0, 1], "c": 1.0}
