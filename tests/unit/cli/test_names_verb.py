"""`finding-nemo names`: what it lists, what it writes, and what it says without a network."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from finding_nemo.cli import main
from finding_nemo.fetching.worms.worms_service import API_VARIABLE
from finding_nemo.marine.names_file import read_names

Run = Callable[..., tuple[int, str, str]]
_TAXA = (
    "taxonID\tacceptedNameUsageID\tscientificName\ttaxonRank\ttaxonomicStatus\n"
    "urn:lsid:marinespecies.org:taxname:4\turn:lsid:marinespecies.org:taxname:4\tMunida\tGenus\t"
    "accepted\n"
)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv(API_VARIABLE, "http://127.0.0.1:9")
    monkeypatch.setattr("time.sleep", lambda _: None)
    (tmp_path / "list.txt").write_text("Munida\nHalipteris californica\ntrash_etc\nMunida\n")
    (tmp_path / "taxon.txt").write_text(_TAXA)

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["finding-nemo", "names", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            main.run()
        found = capsys.readouterr()
        assert isinstance(stopped.value.code, int)
        return stopped.value.code, found.out, found.err

    return call


def test_list__shows_each_name_once_and_what_is_left_open(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("list.txt", "--out", "names.csv")
    assert code == 0
    assert "2 of 3 names are known." in out
    assert "Left open: trash_etc." in out
    assert "Balticina californica" in out
    assert [each.rank for each in read_names(tmp_path / "names.csv")] == ["genus", "species", ""]


def test_update__without_a_network_says_so_and_keeps_what_is_known(
    run: Run, tmp_path: Path
) -> None:
    code, out, _ = run("update", "list.txt")
    assert code == 0
    assert "Could not be asked: 2 (no connection" in out
    assert "no scientific names: 1." in out
    assert len(read_names(tmp_path / "list.txt.names.csv")) == 3


def test_update__from_an_export_is_found_again_beside_the_list(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("update", "list.txt", "--worms-export", "taxon.txt")
    assert code == 0
    assert read_names(tmp_path / "list.txt.names.csv")[0].aphia_id == 4
    code, out, _ = run("list.txt")
    assert "Munida" in out
    assert " 4 " in out
    code, _, err = run("update", "list.txt", "--worms-export", "taxon.txt")
    assert code != 0  # what a person may have changed is not replaced unasked
    assert "--overwrite" in err


def test_csv_with_names__and_a_data_set_are_read(run: Run, tmp_path: Path) -> None:
    (tmp_path / "key.csv").write_text("id,name,supercat\n1,Munida,Squat lobster\n")
    (tmp_path / "data.csv").write_text("path,categories\na.png,Munida|Psolus\n")
    assert "1 of 1 names" in run("key.csv")[1]
    assert "of 2 names" in run("data.csv")[1]


@pytest.mark.parametrize(
    "words",
    [("update",), ("a", "b"), ("list.txt", "--worms-export", "taxon.txt"), ("none.csv",),
     ("update", "list.txt", "--worms-export", "none.zip"), ("list.txt", "--out", "x.html")],
)  # fmt: skip
def test_wrong_use__is_refused(run: Run, tmp_path: Path, words: tuple[str, ...]) -> None:
    before = set(tmp_path.rglob("*"))
    code, _, err = run(*words)
    assert code != 0
    assert "bug" not in err
    assert set(tmp_path.rglob("*")) == before
