"""What is known of the real data, found again: whole annotation files and real frames."""

from __future__ import annotations

from pathlib import Path

import pytest

from finding_nemo import read_dataset, read_predictions
from finding_nemo.data.datasets.subsample import sample_images
from finding_nemo.data.splits.make_split import make_split
from finding_nemo.evaluation.dataset.inspect_dataset import inspect_dataset
from finding_nemo.evaluation.evaluate_predictions import evaluate
from finding_nemo.prediction.run.predict_to_file import predict_to_file
from finding_nemo.prediction.sources.image_sources import collect_images
from finding_nemo.training.train_recipe import train

pytestmark = [pytest.mark.real, pytest.mark.slow]


def test_fathomnet__counts_and_baselines_are_those_known(fathomnet_folder: Path) -> None:
    dataset = read_dataset(fathomnet_folder)
    found = inspect_dataset(dataset)
    known = found.exploration
    assert [(o.n_images, o.n_dives) for o in known.origins] == [(5950, 503), (10744, 413)]
    assert (known.n_shared_dives, known.n_boxes) == (124, 23704)
    assert sum(category.n_images == 0 for category in known.categories) == 157
    assert len(known.categories) == 290
    random, by_dive = found.protocols
    assert 0.47 < random.prior.lowest < random.prior.map_at_20 < random.prior.highest < 0.52
    assert 0.71 < random.time_copy.map_at_20 < 0.73
    assert 0.43 < random.within_10_s < 0.47
    assert 0.96 < random.same_dive < 0.98
    assert by_dive.same_dive == 0
    assert by_dive.time_copy.map_at_20 < random.time_copy.map_at_20 - 0.15
    assert by_dive.prior.by_dive < random.prior.by_dive - 0.03
    assert by_dive.prior.interval_width > 1.3 * random.prior.interval_width


def test_trashcan__probe_beats_class_frequency_on_dives_never_seen(
    trashcan_folder: Path, tmp_path: Path
) -> None:
    dataset = sample_images(read_dataset(trashcan_folder), 400)
    split = make_split(dataset, "dive")
    run = train(dataset, out=tmp_path / "run", split=split, settings={"epochs": 10})
    test = set(split.ids_in("test"))
    inputs = [i for i in collect_images([str(trashcan_folder)]) if i.image_id in test]
    predict_to_file(run.bundle, inputs, tmp_path / "p.parquet")
    found = evaluate(read_predictions(tmp_path / "p.parquet"), dataset, split=split, part="test")
    assert found.n_failed == 0
    assert found.model.map_at_20.value > found.prior.map_at_20.value + 0.03
    assert found.leakage is not None
    assert found.leakage.same_dive == 0
