"""`inspect --deep` from files to a page, tables and a file that `review` opens."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from finding_nemo import read_dataset
from finding_nemo.cli import main
from finding_nemo.reviewing.open_review_session import open_review_session
from finding_nemo.workflows.inspect_labels import JSON, PAGE, REVIEW, TABLE


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["finding-nemo", *map(str, arguments)])
    with pytest.raises(SystemExit) as left:
        main.run()
    return int(left.value.code or 0)


def test_deep__writes_what_review_opens(
    reviewable: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    truth = reviewable / "truth.csv"
    files = [reviewable / f"fold{fold}.parquet" for fold in (0, 1)]
    folder = tmp_path / "labels"
    code = run(
        monkeypatch, "inspect", truth, "--no-open-images", "--deep", "--predictions", files[0],
        "--predictions", files[1], "--labels-out", folder,
    )  # fmt: skip
    assert code == 0
    out, err = capsys.readouterr()
    assert "are likely wrong; the list goes on to the" in out
    assert "1 annotated images have no embedding" in err
    page = (folder / PAGE).read_text(encoding="utf-8")
    assert "Labels that may be wrong" in page
    assert "no picture" in page
    assert (folder / TABLE).exists()
    told = json.loads((folder / JSON).read_text(encoding="utf-8"))
    dataset = read_dataset(truth)
    assert {label["image_id"] for label in told["wrong"]} <= set(dataset.by_id)
    session = open_review_session(folder / REVIEW, store=tmp_path / "reviews.sqlite")
    try:
        ids = session.collection.columns.image_ids
        assert ids[0] == told["wrong"][0]["image_id"]
        assert len(set(ids)) == len(ids)
        assert session.collection.metadata["n_images"] == len(ids)
    finally:
        session.close()


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [(["--deep"], "give --predictions FILE"), (["--labels-out", "x"], "are for --deep")],
)
def test_deep__says_what_it_needs(
    arguments: list[str],
    wanted: str,
    reviewable: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(monkeypatch, "inspect", reviewable / "truth.csv", *arguments) == 2
    assert wanted in " ".join(capsys.readouterr().err.replace("│", " ").split())
