"""The log of a training: what is written is read, and so is that of an earlier version."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from finding_nemo.training.loop.epoch_log import EpochRow, read_log, write_log

OLD = {
    "epoch": 1,
    "training_loss": 0.5,
    "validation_loss": 0.6,
    "map_at_20": 0.7,
    "learning_rate": 0.001,
    "seconds": 2.0,
    "images_per_s": 9.0,
}


def test_log__of_an_earlier_version_is_read(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text(json.dumps(OLD) + "\n")
    (row,) = read_log(tmp_path)
    assert row.map_at_20 == 0.7
    assert row.train_map_at_20 is None
    assert row.map_at_20_shown is None


def test_log__keeps_all_and_leaves_empty_what_is_not_known(tmp_path: Path) -> None:
    rows = (
        EpochRow(1, 0.5, 0.6, 0.7, 1e-3, 2.0, 9.0),
        EpochRow(2, 0.4, 0.6, 0.7, 1e-3, 2.0, 9.0, 0.9, 0.71, 0.72),
    )
    write_log(tmp_path, rows)
    assert read_log(tmp_path) == rows
    with (tmp_path / "log.csv").open(encoding="utf-8") as file:
        first, second = csv.DictReader(file)
    assert first["train_map_at_20"] == ""
    assert second["train_map_at_20"] == "0.9"
    assert (second["map_at_20_calibrated"], second["map_at_20_shown"]) == ("0.71", "0.72")
