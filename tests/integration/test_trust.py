"""From training to report: novelty, calibration, names and sets travel the whole way."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from finding_nemo import evaluate, load_bundle, read_predictions
from finding_nemo.core.records import Dataset
from finding_nemo.core.reporter import Reporter
from finding_nemo.data.splits.category_holdouts import choose_holdouts
from finding_nemo.data.splits.splitters.by_dive import split_by_dive
from finding_nemo.models.bundle.bundle import Bundle
from finding_nemo.models.bundle.uncertainty_tensors import uncertainty_from_tensors
from finding_nemo.prediction.predictor import Predictor
from finding_nemo.prediction.run.chunked_run import Shard
from finding_nemo.prediction.run.predict_to_file import predict_to_file
from finding_nemo.prediction.sources.image_sources import ImageSelection, collect_images
from finding_nemo.reporting.html.evaluation_page import write_evaluation_page
from finding_nemo.results.content_hash import content_hash
from finding_nemo.results.merge_shards import merge_shards
from finding_nemo.results.submission import read_submission
from finding_nemo.training.train_recipe import train
from finding_nemo.workflows.novelty_benchmark import mean_by_score, run_novelty_benchmark

pytestmark = pytest.mark.slow

_SETTINGS = {"epochs": 2, "width_px": 64, "height_px": 64, "batch_size": 8, "pretrained": False}


@pytest.fixture(scope="module")
def bundle(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    out = tmp_path_factory.mktemp("trust") / "run"
    split = split_by_dive(dataset, fraction=0.2, val_fraction=0.3)
    return train(dataset, out=out, recipe="probe", split=split, settings=_SETTINGS).bundle


def test_readings__are_in_every_format(bundle: Bundle, dataset: Dataset, tmp_path: Path) -> None:
    inputs = collect_images([str(dataset.root)])
    tables = []
    for name in ("p.parquet", "p.jsonl"):
        path = tmp_path / name
        file_format = path.suffix[1:]
        predict_to_file(bundle, inputs, path, file_format=file_format)
        tables.append(read_predictions(path))
    first = tables[0].assessment
    assert first is not None
    assert first.score_names[-1] == "combined"
    assert ((first.novelty_percentile >= 0) & (first.novelty_percentile <= 1)).all()
    assert ((first.brightness > 0) & (first.brightness < 1)).all()
    for table in tables[1:]:
        assert table.assessment is not None
        np.testing.assert_allclose(table.assessment.scores, first.scores, rtol=1e-5)
        assert table.assessment.prediction_sets == first.prediction_sets
        assert table.assessment.labels == first.labels
        assert table.assessment.label_sources == first.label_sources


def test_frames_of_another_world__are_said_first_in_the_file_and_after_a_merge(
    bundle: Bundle, dataset: Dataset, tmp_path: Path
) -> None:
    rng = np.random.default_rng(5)
    for k in range(300):
        stripes = np.zeros((48, 64, 3), dtype=np.uint8)
        stripes[:, rng.integers(0, 3) :: 4] = 255
        Image.fromarray(stripes).save(tmp_path / f"{k}.png")
    told: list[str] = []
    images = ImageSelection((str(tmp_path),))
    far = tmp_path / "far.parquet"
    predict_to_file(bundle, images, far, reporter=Reporter(told.append))
    assert told[-1].startswith("WARNING: These frames look unlike those that the bundle")
    found = read_predictions(far).metadata["domain_check"]
    assert (found["verdict"], found["n_images"]) == ("foreign", 300)
    assert found["share_far_out"] > 0.5
    assert found["message"] in told[-1]
    shards = [tmp_path / f"s{k}.parquet" for k in (1, 2)]
    for number, path in enumerate(shards, start=1):
        predict_to_file(bundle, images, path, shard=Shard(number, 2))
    summary = merge_shards(shards, tmp_path / "m.parquet")
    assert summary.warning == found["message"]
    assert read_predictions(tmp_path / "m.parquet").metadata["domain_check"] == found
    assert summary.content_sha256 == content_hash(far)
    assert predict_to_file(bundle, collect_images([str(dataset.root)]), tmp_path / "n.parquet")
    near = read_predictions(tmp_path / "n.parquet").metadata["domain_check"]
    assert near["verdict"] != "foreign"


def test_stored_novelty__is_the_default_score_and_the_submission_uses_it(
    bundle: Bundle, dataset: Dataset, tmp_path: Path
) -> None:
    inputs = collect_images([str(dataset.root)])
    predict_to_file(bundle, inputs, tmp_path / "p.parquet")
    predict_to_file(bundle, inputs, tmp_path / "s.csv", file_format="submission")
    table = read_predictions(tmp_path / "p.parquet")
    assert table.assessment is not None
    column = table.assessment.score_names.index(table.metadata["novelty_score"])
    np.testing.assert_allclose(table.assessment.scores[:, column], table.novelty, rtol=1e-5)
    lines = read_submission(tmp_path / "s.csv")
    assert [line.osd for line in lines] == pytest.approx(table.novelty.tolist())


def test_evidence__stands_beside_each_guess(bundle: Bundle, dataset: Dataset) -> None:
    found = next(iter(Predictor(bundle).predict(collect_images([str(dataset.root)]))))
    assert found.assessment is not None
    entries = bundle.manifest.categories
    assert found.assessment.evidence.n_images.tolist() == [entry.n_images for entry in entries]
    known = [entry.validation_ap for entry in entries if entry.validation_ap is not None]
    assert known
    assert all(0 <= ap <= 1 for ap in known)


def test_evaluation__judges_all_of_it(bundle: Bundle, dataset: Dataset, tmp_path: Path) -> None:
    predict_to_file(bundle, collect_images([str(dataset.root)]), tmp_path / "p.parquet")
    found = evaluate(read_predictions(tmp_path / "p.parquet"), dataset)
    assert found.uncertainty is not None
    assert found.uncertainty.raw is not None
    assert found.uncertainty.sets is not None
    assert sum(answer.n_images for answer in found.uncertainty.answers) == len(found.images)
    assert {rollup.rule for rollup in found.uncertainty.rollups} == {"noisy-or", "max", "sum"}
    assert json.loads(found.to_json())["trust"]["calibrated"]["ece"] >= 0
    write_evaluation_page(found, dataset.categories, tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "Do probabilities mean what they say" in page
    assert "Which frames hold something new" in page


def test_bundle_without_it__still_predicts_and_says_so(bundle: Bundle, dataset: Dataset) -> None:
    older = Bundle(bundle.path, bundle.manifest)
    older.__dict__["novelty"] = {"validation_quantiles": np.zeros(101)}
    predictor = Predictor(older)
    assert predictor.postprocessor is not None
    assert [notice.split(":")[0] for notice in predictor.postprocessor.notices] == [
        "the network was trained from RANDOM weights (tf_efficientnet_lite0), nothing was "
        "pretrained",
        "novelty is one minus the largest probability",
        "probabilities are not calibrated",
        "nothing is named",
    ]
    found = next(iter(predictor.predict(collect_images([str(dataset.root)]))))
    assert found.probabilities is not None
    assert found.novelty == pytest.approx(1 - float(found.probabilities.max()), abs=1e-6)


def test_trust__survives_the_bundle(bundle: Bundle) -> None:
    uncertainty = uncertainty_from_tensors(load_bundle(bundle.path).novelty)
    assert uncertainty.validation is not None
    assert uncertainty.calibration is not None
    assert uncertainty.detector is not None
    assert uncertainty.detector.by_features is not None
    assert uncertainty.validation.logits.shape == uncertainty.validation.truth.shape


def test_bed__scores_every_hold_out_beside_the_floors(dataset: Dataset, tmp_path: Path) -> None:
    # Only one dive shows the last category.
    last = dataset.categories.ids[-1]
    dives = sorted({str(record.dive) for record in dataset.annotated})
    records = tuple(
        replace(r, category_ids=(last,) if r.dive == dives[0] else dataset.categories.ids[:2])
        for r in dataset.annotated
    )
    dataset = replace(dataset, records=records)
    holdouts = choose_holdouts(dataset, least_images=2)
    assert [holdout.category_ids for holdout in holdouts] == [(last,)]
    rows = run_novelty_benchmark(
        dataset,
        out=tmp_path / "bed",
        holdouts=holdouts,
        recipe="probe",
        settings=_SETTINGS,
        n_far=4,
        reporter=Reporter(),
    )
    table = {name: kind for name, kind, *_ in mean_by_score(rows)}
    assert table["vim"] == "default"
    assert table["mean brightness alone"] == "floor"
    assert 0 <= rows[0].far_auc["vim"] <= 1
    assert (tmp_path / "bed/novelty.csv").read_text(encoding="utf-8").count("\n") > 10
