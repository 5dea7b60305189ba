"""From a data set to the curve of reviews: folds trained, predicted and reviewed."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from finding_nemo.cli.main import app
from finding_nemo.synthetic.write_dataset import draw_dataset

pytestmark = pytest.mark.slow

_SMALL = (
    "backbone=test_efficientnet",
    "width_px=64",
    "height_px=64",
    "pretrained=false",
    "epochs=1",
)


def test_curve__of_a_data_set_trains_each_fold(tmp_path: Path) -> None:
    folder = draw_dataset(tmp_path / "set", dives=6, images=200, seed=2)
    changes = [word for change in _SMALL for word in ("--set", change)]
    out = tmp_path / "curve"
    words = ["adaptation-curve", str(folder), "--folds", "2", "--out", str(out), *changes]
    found = CliRunner().invoke(app, words)
    assert found.exit_code == 0, found.output
    assert (out / "runs/fold1/predictions.parquet").is_file()
    assert (out / "curve.png").is_file()
    lines = (out / "curve.csv").read_text().splitlines()
    assert lines[0] == "way,frames,map_at_20,macro_ap,n_images,n_dives"
    assert any(line.startswith("suggested frames,2,") for line in lines)


def test_curve__of_small_dives_is_refused_before_any_training(
    tiny_folder: Path, tmp_path: Path
) -> None:
    words = ["adaptation-curve", str(tiny_folder), "--out", str(tmp_path / "curve")]
    found = CliRunner().invoke(app, words)
    assert found.exit_code != 0
    assert "two dives of at least 20 labelled frames" in str(found.exception)
    assert not (tmp_path / "curve/runs").exists()
