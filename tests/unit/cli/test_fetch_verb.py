"""`finding-nemo fetch`: wrong uses are refused before anything is asked; results are said."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from finding_nemo.cli import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    monkeypatch.chdir(tmp_path)
    images = [{"id": 1, "file_name": "a.png", "coco_url": "ftp://h.org/a.png"}]
    content = {"images": images, "categories": [{"id": 1, "name": "Crab"}]}
    (tmp_path / "coco.json").write_text(json.dumps(content))

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["finding-nemo", "fetch", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            main.run()
        found = capsys.readouterr()
        assert isinstance(stopped.value.code, int)
        return stopped.value.code, found.out, found.err

    return call


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--split", "s.csv"), "go together"),
        (("--min-depth", "800"), "--unseen"),
        (("--region", "1,2,3,4"), "--unseen"),
        (("--unseen", "--concepts", "names.txt"), "one of"),
        (("--unseen", "--dry-run"), "dry-run"),
        (("--unseen", "--region", "1,2"), "SOUTH,NORTH"),
        (("--unseen", "--since", "May"), "2019-05-31"),
        (("--limit", "0"), "limit"),
    ],
)
def test_wrong_use__is_refused_and_writes_nothing(
    run: Run, tmp_path: Path, options: tuple[str, ...], words: str
) -> None:
    code, _, told = run("coco.json", "--out", "images", *options)
    assert code != 0
    assert words in " ".join(told.replace("│", " ").split())
    assert not (tmp_path / "images").exists()


def test_image_that_cannot_be_asked_for__is_a_row(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("coco.json", "--out", "images")
    assert code == 0
    assert "1 missing" in out
    assert "no address that begins with http://" in " ".join(out.split())
    assert "0 of 1 images are here" in out
    assert "a.png,a,ftp://h.org/a.png" in (tmp_path / "images/missing.csv").read_text()


def test_inspect__says_how_to_fetch(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--help")[0] == 0
    monkeypatch.setattr(sys, "argv", ["finding-nemo", "inspect", "coco.json"])
    with pytest.raises(SystemExit):
        main.run()
    assert "`finding-nemo fetch coco.json --out DIR`" in " ".join(capsys.readouterr().err.split())


def test_httpx_that_is_not_there__is_said_with_how_to_get_it(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "httpx", None)
    code, _, told = run("coco.json", "--out", "images")
    assert code == 1
    assert "This downloads images, and httpx is not installed" in told
    assert "fetch" in told
    assert not (tmp_path / "images").exists()
