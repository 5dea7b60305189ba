"""Two trainings as one bundle, from the command line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from finding_nemo.cli.main import app
from finding_nemo.core.records import Dataset, Split
from finding_nemo.data.images.decode import decode_image
from finding_nemo.data.images.resize import preprocess
from finding_nemo.data.splits.split_csv import write_split
from finding_nemo.models.bundle.bundle import bundle_hash, load_bundle
from finding_nemo.models.bundle.uncertainty_tensors import uncertainty_from_tensors
from finding_nemo.models.inference.onnxruntime_network import OnnxNetwork
from finding_nemo.prediction.predictor import Predictor
from finding_nemo.prediction.sources.image_sources import collect_images
from finding_nemo.training.train_recipe import train

pytestmark = pytest.mark.slow

_SMALL = {"backbone": "test_efficientnet", "width_px": 64, "height_px": 64, "pretrained": False,
          "epochs": 2}  # fmt: skip


@pytest.fixture(scope="module")
def runs(
    dataset: Dataset, split: Split, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("members")
    for recipe in ("probe", "patches"):
        train(dataset, out=folder / recipe, recipe=recipe, split=split, settings=_SMALL)
    return folder / "probe", folder / "patches"


def ensemble(*words: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["ensemble", *map(str, words)])
    return result.exit_code, result.output + str(result.exception or "")


def test_ensemble__says_the_mean_of_its_members(
    runs: tuple[Path, Path], dataset: Dataset, split: Split, tmp_path: Path
) -> None:
    out = tmp_path / "both"
    code, said = ensemble(*runs, "--share", "3", "--share", "1", "--out", out)
    assert code == 0, said
    assert "member probe, 75 %" in said
    assert "MAP@20" in said
    bundle, members = load_bundle(out), [load_bundle(run) for run in runs]
    assert bundle.manifest.recipe == "probe + patches"
    assert [member["share"] for member in bundle.manifest.settings["members"]] == [0.75, 0.25]
    spec = bundle.manifest.preprocessing
    assert spec is not None
    files = [dataset.by_id[image_id].path for image_id in split.ids_in("val")]
    images = np.stack([preprocess(decode_image(path).pixels, spec) for path in files])
    first, second = (OnnxNetwork(member.onnx_path).outputs(images) for member in members)
    said_together = OnnxNetwork(bundle.onnx_path).outputs(images)
    maps = [
        OnnxNetwork(each.onnx_path).forward(images, with_maps=True).patch_logits
        for each in (*members, bundle)
    ]
    assert maps[0] is not None
    assert maps[1] is not None
    assert maps[2] is not None
    np.testing.assert_allclose(maps[2], 0.75 * maps[0] + 0.25 * maps[1], atol=1e-4)
    np.testing.assert_allclose(said_together, 0.75 * first + 0.25 * second, atol=1e-4)
    uncertainty = uncertainty_from_tensors(bundle.novelty)
    assert uncertainty.validation is not None
    np.testing.assert_allclose(uncertainty.validation.logits, said_together, atol=1e-4)
    assert uncertainty.detector is not None
    assert len(bundle.weights) == sum(len(member.weights) for member in members)


def test_ensemble__predicts_like_any_bundle_and_can_be_made_again(
    runs: tuple[Path, Path], tiny_folder: Path, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        code, said = ensemble(*runs, "--out", tmp_path / name)
        assert code == 0, said
    hashes = {bundle_hash(tmp_path / name / "bundle") for name in ("one", "two")}
    assert len(hashes) == 1
    images = list(Predictor(tmp_path / "one").predict(collect_images([str(tiny_folder)])))
    assert len(images) == 30
    assert all(image.probabilities is not None for image in images)
    assert all(image.novelty is not None for image in images)
    code, said = ensemble(tmp_path / "one", runs[0], "--out", tmp_path / "three")
    assert code == 0, said


def test_ensemble__of_another_split_is_refused_and_writes_nothing(
    runs: tuple[Path, Path], split: Split, tmp_path: Path
) -> None:
    turned = Split((*split.rows[1:], split.rows[0]))
    write_split(turned, tmp_path / "other.csv")
    code, said = ensemble(*runs, "--split", tmp_path / "other.csv", "--out", tmp_path / "both")
    assert code == 1
    assert "another split" in said
    assert not (tmp_path / "both").exists()


def test_ensemble__keeps_what_is_there(runs: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    code, said = ensemble(*runs, "--out", tmp_path, "--overwrite")
    assert code == 1
    assert "did not make" in said
    assert (tmp_path / "mine.txt").read_text() == "mine"
    code, said = ensemble(runs[0], "--out", tmp_path / "alone")
    assert code == 1
    assert "two bundles or more" in said
    assert not (tmp_path / "alone").exists()


def test_ensemble__never_replaces_a_member(runs: tuple[Path, Path]) -> None:
    before = bundle_hash(runs[0] / "bundle")
    for out in (runs[0], runs[0].parent):
        code, said = ensemble(*runs, "--out", out, "--overwrite")
        assert code == 1
        assert "holds the member" in said
    assert bundle_hash(runs[0] / "bundle") == before


def test_ensemble__needs_the_data_set(runs: tuple[Path, Path], tmp_path: Path) -> None:
    code, said = ensemble(*runs, "--dataset", tmp_path / "gone", "--out", tmp_path / "both")
    assert code == 1
    assert "gone" in said
    assert not (tmp_path / "both").exists()


def test_dry_run__says_what_it_would_take_and_writes_nothing(
    runs: tuple[Path, Path], tmp_path: Path
) -> None:
    out = tmp_path / "both"
    code, said = ensemble(*runs, "--share", "3", "--share", "1", "--out", out, "--dry-run")
    assert code == 0, said
    assert "Dry run: nothing is written. This command would" in said
    assert f"join 2 bundles into {out}: probe 75 %, patches 25 %." in said
    assert "at 64 x 64 px." in said
    assert "measured just now on 16 of these images" in said
    for name in ("time ", "disk ", "memory "):
        assert sum(line.startswith(name) for line in said.splitlines()) == 1, said
    assert list(tmp_path.iterdir()) == []


def test_dry_run__refuses_what_the_real_one_refuses(
    runs: tuple[Path, Path], tmp_path: Path
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").touch()
    for words in (
        (runs[0], "--out", tmp_path / "alone"),
        (*runs, "--share", "3", "--out", tmp_path / "both"),
        (*runs, "--dataset", tmp_path / "gone", "--out", tmp_path / "both"),
        (*runs, "--out", runs[0], "--overwrite"),
        (*runs, "--out", tmp_path / "mine"),
        (*runs, "--out", tmp_path / "mine", "--overwrite"),
    ):
        found = ensemble(*words, "--dry-run")
        assert found == ensemble(*words)
        assert found[0] == 1
    assert [path.name for path in tmp_path.rglob("*")] == ["mine", "thesis.txt"]
