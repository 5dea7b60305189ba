"""MAP@20 by three rankings, worked by hand from one file."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from finding_nemo.core.categories import Category, CategoryTable
from finding_nemo.core.records import Dataset, ImageRecord, Prediction
from finding_nemo.evaluation.evaluate_predictions import evaluate
from finding_nemo.evaluation.evaluate_rankings import own_logits
from finding_nemo.metrics.ranking import average_precision_of_ranking
from finding_nemo.metrics.ranking_scores import RankingScores
from finding_nemo.reporting.terminal.evaluation_text import print_evaluation
from finding_nemo.results.reading.readers import read_predictions
from finding_nemo.results.writers import write_predictions
from finding_nemo.uncertainty.calibration import LogitCalibration
from finding_nemo.uncertainty.logistic import sigmoid

TABLE = CategoryTable(tuple(Category(n, f"c{n}", "s") for n in (1, 2, 3)))
# The third category was never trained on: slope 0.
CALIBRATION = LogitCalibration(np.array([-2.0, 1.0, -3.0]), np.array([0.5, 0.5, 0.0]))
LOGITS = np.array([[3.0, -1.0, 9.0], [-1.0, 0.0, 9.0]])
RANKED_BY = np.array([[0.1, 0.2, 0.3], [0.3, 0.2, 0.1]], dtype=np.float32)


@pytest.fixture
def dataset() -> Dataset:
    """Category 1 in the first frame, 2 in the second, and one that cannot be read."""
    held = {"a": (1,), "b": (2,), "bad": (1,)}
    records = [ImageRecord(n, Path(f"{n}.png"), ids, dive=n) for n, ids in held.items()]
    return Dataset(Path("frames"), TABLE, tuple(records))


def rankings(
    folder: Path,
    dataset: Dataset,
    *,
    name: str = "p.parquet",
    with_vector: bool = True,
    **told: Any,
) -> RankingScores:
    said = CALIBRATION(LOGITS).astype(np.float32)
    rows = [
        Prediction(n, f"{n}.png", 64, 48, None, p, 0.5, ranking_scores=scores)
        for n, p, scores in zip("ab", said, RANKED_BY, strict=True)
    ]
    rows.append(Prediction("bad", "bad.png", None, None, "is empty", None, None))
    categories = [{"category_id": n, "n_images": 1, "n_dives": 1} for n in TABLE.ids]
    metadata = {"schema_version": 1, "categories": categories, "ranking": {"weight": 0.15}, **told}
    write_predictions(
        rows,
        folder / name,
        category_ids=TABLE.ids,
        metadata=lambda: metadata,
        with_vector=with_vector,
        overwrite=True,
    )
    return evaluate(read_predictions(folder / name), dataset).rankings


def told() -> dict[str, Any]:
    return {"offset": CALIBRATION.offset.tolist(), "slope": CALIBRATION.slope.tolist()}


def test_three_rankings__by_hand(tmp_path: Path, dataset: Dataset) -> None:
    found = rankings(tmp_path, dataset, calibration=told())
    # Own: a 1 2 3 (the unseen last), b 2 1 3: both first; the unreadable frame counts 0.
    assert found.own == pytest.approx((1 + 1 + 0) / 3)
    # Calibrated logits a (-0.5, 0.5, -3), b (-2.5, 1, -3): 1 is second, 2 first.
    assert found.calibrated == pytest.approx((1 / 2 + 1 + 0) / 3)
    # Shown: a 3 2 1, b 1 2 3.
    assert found.shown == pytest.approx((1 / 3 + 1 / 2 + 0) / 3)


def test_three_rankings__equal_a_slow_version(tmp_path: Path, dataset: Dataset) -> None:
    found = rankings(tmp_path, dataset, calibration=told())
    by_probability = CALIBRATION(LOGITS)
    for name, scores in (
        ("own", np.where([True, True, False], LOGITS, -math.inf)),
        ("calibrated", by_probability),
        ("shown", RANKED_BY),
    ):
        ranked = [
            sorted(TABLE.ids, key=lambda n, row=row: -row[n - 1])  # type: ignore[misc]
            for row in scores
        ]
        slow = sum(
            average_precision_of_ranking(ids, guesses)
            for ids, guesses in zip(((1,), (2,)), ranked, strict=True)
        )
        assert getattr(found, name) == pytest.approx(slow / 3), name


def test_not_known__where_the_file_does_not_let_one(
    tmp_path: Path, dataset: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = f"{(1 / 3 + 1 / 2) / 3:.4f}"
    # The 20 best alone; and a file that names no calibration, as those of baselines.
    for found in (
        rankings(tmp_path, dataset, name="p.jsonl", with_vector=False, calibration=told()),
        rankings(tmp_path, dataset),
    ):
        assert found.cells() == ("not known", "not known", shown)
    # A network whose bundle had nothing to calibrate on: its probabilities are its own.
    plain = rankings(tmp_path, dataset, calibration=None)
    assert plain.cells() == (f"{(1 / 2 + 1) / 3:.4f}", "not known", shown)
    print_evaluation(evaluate(read_predictions(tmp_path / "p.jsonl"), dataset))
    assert "MAP@20 not known by the network's own ranking, " in capsys.readouterr().out


def test_json__has_all_three(tmp_path: Path, dataset: Dataset) -> None:
    rankings(tmp_path, dataset, calibration=told())
    found = evaluate(read_predictions(tmp_path / "p.parquet"), dataset)
    assert '"map_at_20_by_ranking": {\n    "own": 0.66' in found.to_json()
    # The headline is what is shown.
    assert found.model.map_at_20.value == found.rankings.shown


def test_own_logits__are_worked_back() -> None:
    found = own_logits(CALIBRATION(LOGITS), CALIBRATION)
    np.testing.assert_allclose(found[:, :2], LOGITS[:, :2])
    assert (found[:, 2] == -math.inf).all()
    np.testing.assert_allclose(CALIBRATION.undo(CALIBRATION(LOGITS))[:, 2], sigmoid(np.array(-3.0)))
