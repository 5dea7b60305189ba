"""From a data set to the curve of reviews: folds trained, predicted and reviewed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from finding_nemo.cli.main import app

pytestmark = pytest.mark.slow

_SMALL = (
    "backbone=test_efficientnet",
    "width_px=64",
    "height_px=64",
    "pretrained=false",
    "epochs=1",
)


def _coloured_dives(folder: Path) -> Path:
    """Write four dives of 22 small frames; each half of a dive has the colour of its animal."""
    folder.mkdir()
    rng = np.random.default_rng(3)
    colours = {"crab": (220, 60, 40), "fish": (40, 200, 90), "squid": (60, 80, 220)}
    lines = ["path,categories,dive"]
    for dive in range(4):
        kinds = rng.permutation(list(colours))
        for number in range(22):
            kind = str(kinds[number // 11])
            pixels = rng.integers(0, 50, (48, 64, 3), dtype=np.uint8)
            pixels[10:34, 10:40] = colours[kind]
            name = f"d{dive}-{kinds[number // 11]}_{number:02d}.png"
            Image.fromarray(pixels).save(folder / name)
            lines.append(f"{name},{kind},dive {dive}")
    (folder / "frames.csv").write_text("\n".join(lines) + "\n")
    return folder / "frames.csv"


def test_curve__of_a_data_set_trains_each_fold(tmp_path: Path) -> None:
    folder = _coloured_dives(tmp_path / "set")
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
