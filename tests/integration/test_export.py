"""Exports: measured on frames that were not trained on, kept when good, refused when not."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from finding_nemo import read_dataset, read_predictions
from finding_nemo.cli.main import app
from finding_nemo.core.errors import BundleError, ExportError, SettingsError
from finding_nemo.core.names.inference_names import DtypeOption
from finding_nemo.core.records import Dataset, ImageRecord, Split
from finding_nemo.core.reporter import Reporter
from finding_nemo.data.splits.split_csv import read_split
from finding_nemo.models.bundle.bundle import bundle_hash, load_bundle
from finding_nemo.models.bundle.bundle_files import EXPORTS
from finding_nemo.models.bundle.export_records import read_export_records
from finding_nemo.models.inference.open_bundle_network import (
    InferenceOptions,
    open_bundle_network,
)
from finding_nemo.prediction.predictor import Predictor
from finding_nemo.training.train_recipe import train
from finding_nemo.workflows import export_bundle as exporting
from finding_nemo.workflows.export_bundle import export_bundle, over_dives

pytestmark = pytest.mark.slow

_SETTINGS = {"epochs": 2, "width_px": 32, "height_px": 32, "pretrained": False}


@pytest.fixture(scope="module")
def trained(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("export") / "run"
    train(read_dataset(tiny_folder), out=out, recipe="probe", settings=_SETTINGS)
    return out


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    return shutil.copytree(trained, tmp_path / "run")


def dataset_and_split(run: Path, tiny_folder: Path) -> tuple[Dataset, Split]:
    return read_dataset(tiny_folder), read_split(run / "split.csv")


def test_int8__is_measured_kept_and_then_used(run: Path, tiny_folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("openvino")
    before = bundle_hash(run / "bundle")
    arguments = ["export", str(run), "--to", "openvino", "--int8", "--dataset", str(tiny_folder)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    bundle = load_bundle(run)
    record = read_export_records(bundle.path).find("openvino", "int8")
    assert record is not None
    assert record.is_good_enough
    assert 0 < record.largest_probability_change <= record.allowed_probability_change
    assert record.n_calibration_dives >= 3
    assert bundle.int8_path.stat().st_size < bundle.onnx_path.stat().st_size / 2
    assert (bundle.path / "openvino/model.xml").is_file()
    assert bundle_hash(bundle.path) != before
    network = open_bundle_network(bundle)
    assert network.choice.dtype == "int8"
    assert f"on {record.n_images} frames when it was exported" in network.choice.reason
    out = tmp_path / "p.parquet"
    told = CliRunner().invoke(app, ["predict", str(run), str(tiny_folder), "--out", str(out)])
    assert told.exit_code == 0, told.output
    metadata = read_predictions(out).metadata["network"]
    assert (metadata["runtime"], metadata["dtype"]) == ("openvino", "int8")
    near, exact = (
        vectors(bundle.path, "int8", tiny_folder),
        vectors(bundle.path, "float32", tiny_folder),
    )
    assert 0 < np.abs(near - exact).max() < record.allowed_probability_change


def vectors(bundle: Path, dtype: DtypeOption, folder: Path) -> np.ndarray:
    predictor = Predictor(bundle, network=InferenceOptions(dtype))
    return np.stack([row.probabilities for row in predictor.predict([folder])])  # type: ignore[misc]


def test_worse_than_the_bar__is_refused_and_not_used(
    run: Path, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "ALLOWED_PROBABILITY_CHANGE", 1e-9)
    bundle = load_bundle(run)
    data, split = dataset_and_split(run, tiny_folder)
    with pytest.raises(ExportError, match="Refused: .*int8 on onnxruntime"):
        export_bundle(bundle, data, split, to="onnx", int8=True, reporter=Reporter())
    assert not bundle.int8_path.exists()
    assert not list(bundle.path.glob(".*"))
    assert open_bundle_network(bundle).choice.dtype == "float32"
    with pytest.raises(SettingsError, match=r"holds no model\.int8\.onnx"):
        open_bundle_network(bundle, InferenceOptions("int8"))


def test_never_exported__predicts_in_float32_and_says_how_to_go_faster(run: Path) -> None:
    choice = open_bundle_network(load_bundle(run)).choice
    assert choice.dtype == "float32"
    assert "precision that it was trained in" in choice.reason


def test_damaged_records__are_a_clear_message(run: Path) -> None:
    (run / "bundle" / EXPORTS).write_text("{", encoding="utf-8")
    with pytest.raises(BundleError, match="Export the bundle again"):
        open_bundle_network(load_bundle(run))


def test_no_data_set__is_wrong_usage_and_says_what_to_give(run: Path) -> None:
    (run / "split.csv").unlink()
    result = CliRunner().invoke(app, ["export", str(run), "--to", "onnx"])
    assert result.exit_code == 2
    assert "--split" in result.output


def test_over_dives__takes_one_of_each_before_a_second_of_any() -> None:
    records = [
        ImageRecord(image_id=f"{dive}{k}", path=Path("x.png"), category_ids=(), dive=dive)
        for dive, n in (("a", 5), ("b", 1), ("c", 2))
        for k in range(n)
    ]
    chosen = [record.image_id for record in over_dives(records, 6)]
    assert chosen == ["a2", "b0", "c1", "a1", "c0", "a4"]
    assert len(over_dives(records, 100)) == 8
