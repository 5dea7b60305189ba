"""Which validation dives a bundle's own numbers are chosen on, and that the bundle keeps them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from finding_nemo.core.categories import Category, CategoryTable
from finding_nemo.core.records import Dataset, ImageRecord, Split, SplitRow
from finding_nemo.core.reporter import Reporter
from finding_nemo.models.bundle.adaptation_numbers import adaptation_numbers
from finding_nemo.models.bundle.bundle import bundle_hash, load_bundle
from finding_nemo.training.loop.trained_run import TrainedRun
from finding_nemo.workflows.reviews.fit_bundle_adaptation import (
    MOST_FRAMES,
    fit_bundle_adaptation,
    validation_dives,
)

_TABLE = CategoryTable(tuple(Category(k + 1, f"animal {k}", "all") for k in range(30)))


def drawn(dives: dict[str, int], path: Callable[[int], Path] = lambda _: Path("x")) -> Dataset:
    rng = np.random.default_rng(1)
    records: list[ImageRecord] = []
    for dive, count in dives.items():
        for k in range(count):
            held = tuple(sorted({int(n) + 1 for n in rng.integers(0, 4, 2)}))
            records.append(
                ImageRecord(f"{dive}-{k}", path(len(records)), held, dive=dive, frame_number=k)
            )
    return Dataset(Path(), _TABLE, tuple(records))


def split_of(dataset: Dataset, parts: dict[str, str]) -> Split:
    rows = (SplitRow(r.image_id, r.dive or "", parts[r.dive or ""]) for r in dataset.records)
    return Split(tuple(rows), kind="dive")


def test_validation_dives__by_hand() -> None:
    dataset = drawn({"B": 25, "A": 80, "small": 19, "train": 40, "mixed": 30, "test": 30})
    parts = {"train": "train", "test": "test"}
    split = split_of(
        dataset, {d: parts.get(d, "val") for d in ("A", "B", "small", "mixed")} | parts
    )
    rows = tuple(replace(r, part="train") if r.image_id == "mixed-3" else r for r in split.rows)
    found = validation_dives(dataset, replace(split, rows=rows))
    assert [(frames[0].dive, len(frames)) for frames in found] == [("A", MOST_FRAMES), ("B", 25)]
    assert [frame.frame_number for frame in found[0]] == list(range(MOST_FRAMES))


@pytest.fixture
def run(small_bundle: Path, tmp_path: Path) -> TrainedRun:
    bundle = Path(shutil.copytree(small_bundle, tmp_path / "run/bundle"))
    return TrainedRun(bundle.parent, load_bundle(bundle), (), bundle_hash(bundle))


def test_bundle__gets_numbers_of_its_own(
    run: TrainedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("finding_nemo.adaptation.shrunk_settings._DRAWS", 0)
    rng = np.random.default_rng(3)
    for number in range(110):
        pixels = rng.integers(0, 255, (16, 16, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    dives = {f"D{k}": 20 for k in range(5)} | {"other": 10}
    dataset = drawn(dives, lambda number: tmp_path / f"{number}.png")
    split = split_of(dataset, {dive: "val" for dive in dives})
    told: list[str] = []
    found = fit_bundle_adaptation(run, dataset, split, Reporter(told.append))
    assert adaptation_numbers(load_bundle(found.bundle.path)) is not None
    assert found.bundle_hash == bundle_hash(found.bundle.path) != run.bundle_hash
    assert [line for line in told if "5 validation dives, which weigh 7 %" in line]
    # Once is enough: a training that has ended is left as it is.
    assert fit_bundle_adaptation(found, dataset, split, Reporter()) is found


def test_too_few_dives__leave_the_bundle_as_it_is(run: TrainedRun) -> None:
    dataset = drawn({"A": 30, "B": 30})
    told: list[str] = []
    split = split_of(dataset, {"A": "val", "B": "val"})
    assert fit_bundle_adaptation(run, dataset, split, Reporter(told.append)) is run
    assert [line for line in told if "2 dives of at least 20 frames; 5 are needed" in line]
    assert adaptation_numbers(run.bundle) is None
