"""`train --reviews`: reviewed frames are learned from, with and without a data set."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from finding_nemo import Predictor
from finding_nemo.cli.app import app
from finding_nemo.cli.options.bundle_dataset import read_dataset_of, split_of
from finding_nemo.data.splits.split_csv import check_split


def run(*words: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, [*map(str, words)])
    return result.exit_code, result.output + str(result.exception or "")


def bundle_of(folder: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((folder / "bundle/bundle.json").read_text())
    return read


@pytest.fixture(scope="module")
def reviews(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reviewed")
    lines = ["id,categories,complete,image,dive"]
    for number in range(12):
        shutil.copy(tiny_folder / f"images/train/f{number}.png", folder / f"r{number}.png")
        lines.append(f"r{number},animal 5; squid,yes,r{number}.png,New {number // 3}")
    lines.append("f3,squid,yes,,")
    (folder / "reviews.csv").write_text("\n".join(lines) + "\n")
    return folder / "reviews.csv"


def test_reviewed_frames__are_trained_on(tiny_folder: Path, reviews: Path, tmp_path: Path) -> None:
    code, said = run("train", tiny_folder, "--recipe", "prior", "--out", tmp_path / "plain")
    assert code == 0, said
    asked = ("--reviews", reviews, "--out", tmp_path / "more")
    code, said = run("train", tiny_folder, "--recipe", "prior", *asked)
    assert code == 0, said
    plain, more = bundle_of(tmp_path / "plain"), bundle_of(tmp_path / "more")
    assert [c["name"] for c in more["categories"]][-1] == "squid"
    counts = {c["name"]: (c["n_images"], c["n_dives"]) for c in more["categories"]}
    assert counts["squid"] in {(12, 4), (13, 5)}  # with f3, where its dive is trained on
    parts, before = more["split"]["parts"], plain["split"]["parts"]
    assert parts["train"]["n_images"] == before["train"]["n_images"] + 12
    assert parts["val"] == before["val"]
    assert more["provenance"]["reviews"].endswith("reviews.csv")
    assert "12 reviewed frames are added" in " ".join(said.split())


def test_network__learns_a_category_that_only_reviews_name(
    tiny_folder: Path, reviews: Path, tmp_path: Path
) -> None:
    small = [f"--set={key}" for key in ("epochs=2", "width_px=64", "height_px=64")]
    out = tmp_path / "probe"
    code, said = run("train", tiny_folder, "--reviews", reviews, "--out", out, *small)
    assert code == 0, said
    predictor = Predictor(out)
    # What the bundle was trained on is found again, with the reviews.
    found = read_dataset_of(predictor.bundle)
    assert found.categories.names == predictor.bundle.categories.names
    assert check_split(split_of(predictor.bundle, None), found) == ()
    frame = next(iter(predictor.predict(reviews.parent / "r0.png")))
    assert "squid" in [category.name for category, _ in frame.top(3)]


def test_reviews_alone__are_trained_on(reviews: Path, tmp_path: Path) -> None:
    out = tmp_path / "own"
    code, said = run("train", "--reviews", reviews, "--recipe", "prior", "--out", out)
    assert code == 0, said
    assert [c["name"] for c in bundle_of(out)["categories"]] == ["animal 5", "squid"]


def test_nothing_to_train_on__is_refused(reviews: Path, tiny_folder: Path, tmp_path: Path) -> None:
    code, said = run("train", "--out", tmp_path / "a")
    assert code == 2
    assert "Name a data set, or the reviews" in " ".join(said.split())
    code, said = run("train", tiny_folder, "--review-images", tmp_path, "--out", tmp_path / "a")
    assert code == 2
    assert "goes with --reviews" in " ".join(said.split())
