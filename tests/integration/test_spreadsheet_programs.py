"""The table for people, opened by the program that people have."""

from __future__ import annotations

import csv
import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from finding_nemo.models.bundle.bundle import load_bundle
from finding_nemo.prediction.run.predict_to_file import predict_to_file
from finding_nemo.prediction.sources.image_sources import ImageSelection
from finding_nemo.results.schema import SpreadsheetLayout

_ODD = (
    "=cmd|calc!A0.png",
    "=1+1.png",
    "+2.png",
    "-3.png",
    "@sum.png",
    "a b.png",
    'quo"te.png',
    "com,ma;semi.png",
    "new\nline.png",
    "ünï 海.png",
    "'apostrophe.png",
    "0012.png",
    "1e5.png",
    "2014-07-14.png",
    "$x$_<b>.png",
)


@pytest.fixture(scope="module")
def table(small_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty files of odd names, some of them damaged, as a table."""
    folder = tmp_path_factory.mktemp("odd")
    (folder / "frames").mkdir()
    for number in range(60):
        name = _ODD[number] if number < len(_ODD) else f"frame {number}.png"
        path = folder / "frames" / name
        Image.new("RGB", (40, 30), (4 * number, 90, 200 - 3 * number)).save(path, "PNG")
        if number % 10 == 9:
            path.write_bytes(path.read_bytes()[: 10 * (number // 10)])
    images = ImageSelection((str(folder / "frames"),), dive_pattern="(?P<dive>frames)/")
    layout = SpreadsheetLayout(guesses=3, with_ids=True)
    predict_to_file(load_bundle(small_bundle), images, folder / "p.csv", layout=layout)
    return folder / "p.csv"


def _rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def test_table__has_a_row_a_file_and_names_the_damaged(table: Path) -> None:
    header, *rows = _rows(table)
    assert len(rows) == 60
    cells = [dict(zip(header, row, strict=True)) for row in rows]
    failed = [row for row in cells if row["failure"]]
    assert len(failed) == 6
    for row in cells:
        assert bool(row["answer"]) is not bool(row["failure"])
        assert row["dive"] == "frames"
        assert bool(row["guess3"]) is bool(row["answer"])
    assert {Path(row["image"]).name for row in cells} >= set(_ODD)
    header, *categories = _rows(table.with_name("p.categories.csv"))
    assert header == ["id", "name", "supercategory"]
    assert len(categories) == 30


def test_table__comes_out_of_libreoffice_as_it_went_in(table: Path, tmp_path: Path) -> None:
    program = shutil.which("soffice")
    if program is None:
        pytest.skip(
            "no soffice on the PATH (LibreOffice Calc, for instance libreoffice-calc-nogui)"
        )
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    # Separator comma, quotes, UTF-8, from line 1, all cells as a person's double click reads them.
    reading = "--infilter=CSV:44,34,76,1"
    for source, kind, filters in (
        (table, "xlsx", [reading]),
        (tmp_path / "p.xlsx", "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false", []),
    ):
        command = [program, profile, "--headless", *filters, "--convert-to", kind]
        subprocess.run(
            [*command, "--outdir", str(tmp_path), str(source)],
            check=True,
            capture_output=True,
            timeout=300,
        )
    expected, found = _rows(table), _rows(tmp_path / "p.csv")
    assert len(found) == len(expected) == 61
    for before, after in zip(expected, found, strict=True):
        for name, first, second in zip(expected[0], before, after, strict=True):
            # A spreadsheet takes "0012" for 12 and "1e5" for a hundred thousand, like any program
            # of its kind; the names of files beside them are text.
            if first != second and name != "id":
                assert float(second) == pytest.approx(float(first)), name
