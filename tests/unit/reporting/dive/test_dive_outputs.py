"""The page and what lies beside it: all or nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from finding_nemo.core.errors import OutputError, OutputExistsError
from finding_nemo.reporting.dive import dive_outputs
from finding_nemo.reporting.dive.dive_outputs import DiveOutputs, whole_outputs, write_table


def write_all(page: Path, text: str, *, overwrite: bool = False) -> None:
    with whole_outputs(DiveOutputs.of(page), overwrite=overwrite) as new:
        (new.folder / "frames.js").write_text(text)
        for part in (new.page, *new.tables):
            part.write_text(text)


def held(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text() for path in files}


_TABLES = {"d.counts.csv", "d.effort.csv", "d.shares.csv", "d.accumulation.csv"}
_PARTS = _TABLES | {"d.html", "d_files/.finding-nemo-output", "d_files/frames.js"}


def test_parts__are_named_after_the_page_and_replaced_only_when_asked(tmp_path: Path) -> None:
    page = tmp_path / "new/d.html"
    write_all(page, "one")
    assert held(page.parent).keys() == _PARTS
    with pytest.raises(OutputExistsError):
        write_all(page, "two")
    write_all(page, "two", overwrite=True)
    assert held(page.parent).keys() == _PARTS
    assert held(page.parent)["d.html"] == held(page.parent)["d_files/frames.js"] == "two"


def test_a_failure__leaves_what_was_there(tmp_path: Path) -> None:
    page = tmp_path / "d.html"
    write_all(page, "one")
    before = held(tmp_path)

    def stopped() -> None:
        with whole_outputs(DiveOutputs.of(page), overwrite=True) as new:
            new.page.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert held(tmp_path) == before


def test_a_failure_while_parts_are_moved__moves_the_old_ones_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "d.html"
    write_all(page, "one")
    before = held(tmp_path)

    def failing(partial: Path, path: Path) -> None:
        if path.name == "d.html":
            raise PermissionError(13, "no", str(path))
        os.replace(partial, path)

    monkeypatch.setattr(dive_outputs, "rename_durably", failing)
    with pytest.raises(OutputError, match=r"d\.html"):
        write_all(page, "two", overwrite=True)
    assert held(tmp_path) == before


def test_a_folder_of_others__is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "d_files").mkdir()
    (tmp_path / "d_files/mine.txt").write_text("mine")
    with pytest.raises(OutputExistsError, match="did not make"):
        write_all(tmp_path / "d.html", "one", overwrite=True)
    assert held(tmp_path) == {"d_files/mine.txt": "mine"}


def test_tables__open_in_a_spreadsheet_without_running(tmp_path: Path) -> None:
    write_table(tmp_path / "t.csv", [("name", "frames"), ("=HYPERLINK(1)", 3), ("Ä, b", 4)])
    content = (tmp_path / "t.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.decode("utf-8-sig") == 'name,frames\n\'=HYPERLINK(1),3\n"Ä, b",4\n'
