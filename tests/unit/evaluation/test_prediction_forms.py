"""Predictions in memory are judged as those in a file, to the last bit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from finding_nemo import Predictor, evaluate, read_predictions
from finding_nemo.core.categories import CategoryTable
from finding_nemo.core.errors import ArgumentError, PredictionsError, SettingsError
from finding_nemo.core.records import Dataset, ImageRecord, Prediction, Split, SplitRow
from finding_nemo.models.bundle.bundle import load_bundle
from finding_nemo.prediction.run.predict_to_file import predict_to_file
from finding_nemo.prediction.sources.image_sources import ImageSelection


@pytest.fixture(scope="module")
def predictor(small_bundle: Path) -> Predictor:
    """A small network."""
    return Predictor(small_bundle)


@pytest.fixture(scope="module")
def frames(many_frames: Path, predictor: Predictor) -> Dataset:
    """Forty frames with what might be in them; one is damaged, one holds nothing."""
    paths = sorted((many_frames / "dive0").glob("*.png"))[70:110]
    records = [
        ImageRecord(
            path.stem, path, tuple(sorted({n % 29 + 1, n % 7 + 1})) if n else (), dive=f"D{n % 5}"
        )
        for n, path in enumerate(paths)
    ]
    return Dataset(many_frames, predictor.bundle.categories, tuple(records))


@pytest.fixture(scope="module")
def split(frames: Dataset) -> Split:
    """The dives D0 to D3 for training, D4 to be judged."""
    rows = [
        SplitRow(r.image_id, r.dive or "", "test" if r.dive == "D4" else "train")
        for r in frames.records
    ]
    return Split(tuple(rows), kind="dive")


@pytest.mark.parametrize("with_split", [False, True])
def test_stream_list_table_and_file__give_the_same_figures(
    frames: Dataset, split: Split, predictor: Predictor, tmp_path: Path, with_split: bool
) -> None:
    named: dict[str, Any] = {"split": split, "part": "test"} if with_split else {}
    names = ImageSelection(tuple(str(record.path) for record in frames.records))
    path = tmp_path / "p.parquet"
    predict_to_file(load_bundle(predictor.bundle.path), names, path)
    wanted = evaluate(read_predictions(path), frames, **named).to_json()
    assert '"n_failed": 1' in wanted or with_split
    stream = predictor.predict(frames)
    forms: dict[str, Any] = {
        "path": path,
        "text": str(path),
        "stream": stream,
        "list": list(predictor.predict(frames)),
        "generator": (row for row in predictor.predict(frames)),
        "table": predictor.predict(frames).to_table(),
    }
    for name, form in forms.items():
        assert evaluate(form, frames, **named).to_json() == wanted, name


def test_predictions_of_nobody__have_the_data_sets_columns(frames: Dataset) -> None:
    rng = np.random.default_rng(0)
    rows = [
        Prediction(r.image_id, "", 4, 3, None, rng.random(30).astype(np.float32), 0.0)
        for r in frames.records
    ]
    truth = frames.truth([frames.by_id[row.image_id] for row in rows])
    found = evaluate(rows, frames)
    ranks = [
        np.argsort(-row.probabilities, kind="stable")
        for row in rows
        if row.probabilities is not None
    ]
    # The slow way: precision at each hit of the first 20, over the hits that there could be.
    slow = []
    for held, rank in zip(truth, ranks, strict=True):
        hits = [held[column] for column in rank[:20]]
        at_hits = [sum(hits[: k + 1]) / (k + 1) for k in range(20) if hits[k]]
        if held.any():
            slow.append(sum(at_hits) / min(held.sum(), 20))
    assert found.model.map_at_20.value == pytest.approx(np.mean(slow))


def test_predictions__of_two_bundles_or_none_are_refused(
    frames: Dataset, predictor: Predictor
) -> None:
    rows = list(predictor.predict(frames.subset(["100", "101", "102"])))
    with pytest.raises(PredictionsError, match="the list is empty"):
        evaluate([], frames)
    with pytest.raises(PredictionsError, match=r"names an image twice \('101'\)"):
        evaluate([*rows, rows[1]], frames)
    fewer = CategoryTable(frames.categories.categories[:9])
    strange = replace(rows[1], probabilities=np.ones(9, np.float32), origin=None)
    other = replace(frames, categories=fewer, records=())
    assert len(other.categories) == 9
    with pytest.raises(PredictionsError, match="are of different categories: '101' has other col"):
        evaluate([rows[0], strange], frames)


@pytest.mark.parametrize(
    ("form", "got"),
    [(None, "NoneType"), (3.5, "float 3.5"), ([1], "int 1"), ({"a": 1}, "dict"), (b"x", "bytes")],
)
def test_other_forms__are_refused_with_those_that_are_taken(
    frames: Dataset, form: Any, got: str
) -> None:
    with pytest.raises(ArgumentError, match=f"evaluate.. takes a stream of pred.* got {got}"):
        evaluate(form, frames)


def test_other_arguments__are_checked(frames: Dataset, split: Split) -> None:
    bad: Any = "folder"
    with pytest.raises(ArgumentError, match=r"evaluate\(dataset=...\) takes a Dataset.*str 'fol"):
        evaluate([], bad)
    with pytest.raises(ArgumentError, match=r"evaluate\(split=...\) takes a Split"):
        evaluate([], frames, split=bad, part="test")
    with pytest.raises(SettingsError, match="go together: give the part to judge"):
        evaluate([], frames, split=split)
    with pytest.raises(SettingsError, match="go together: give the split"):
        evaluate([], frames, part="test")
