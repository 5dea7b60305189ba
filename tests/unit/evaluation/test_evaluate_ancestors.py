"""A guess above or below a true category is passed over: by hand, and by a slow version."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from finding_nemo.core.categories import Category, CategoryTable
from finding_nemo.core.records import Dataset, ImageRecord, Prediction
from finding_nemo.evaluation.evaluate_predictions import evaluate
from finding_nemo.evaluation.evaluate_rankings import relatives_of_true
from finding_nemo.evaluation.evaluation_results import Evaluation
from finding_nemo.metrics.ranking import average_precision_at_k
from finding_nemo.reporting.html.evaluation_page import write_evaluation_page
from finding_nemo.reporting.terminal.evaluation_text import print_evaluation

NAMES = ("Decapoda", "Munididae", "Munida", "Gastropoda")
TABLE = CategoryTable(tuple(Category(n + 1, name, "none") for n, name in enumerate(NAMES)))
# What is in each frame, and the scores of the four names.
FRAMES = {
    "above": ((3,), (0.9, 0.8, 0.6, 0.7)),
    "below": ((2,), (0.1, 0.5, 0.9, 0.6)),
    "apart": ((4,), (0.9, 0.2, 0.3, 0.8)),
    "empty": ((), (0.9, 0.2, 0.3, 0.8)),
}


def evaluated(
    table: CategoryTable = TABLE, *, failed: str = "", ignore_ancestors: bool = False
) -> Evaluation:
    records = [ImageRecord(n, Path(f"{n}.png"), ids, dive=n) for n, (ids, _) in FRAMES.items()]
    predictions = [
        Prediction(
            image_id=name,
            path=f"{name}.png",
            width=None if name == failed else 8,
            height=None if name == failed else 8,
            failure="is truncated" if name == failed else None,
            probabilities=None if name == failed else np.array(scores, dtype=np.float32),
            novelty=None if name == failed else 0.5,
        )
        for name, (_, scores) in FRAMES.items()
    ]
    return evaluate(
        predictions, Dataset(Path("f"), table, tuple(records)), ignore_ancestors=ignore_ancestors
    )


def test_map__passes_relatives_of_true_categories_over() -> None:
    found = evaluated(ignore_ancestors=True)
    # above: third of Decapoda, Munididae, Gastropoda, Munida is last, 1/4; without the two that
    # stand above it, 1/2. below: third of Munida, Gastropoda, Munididae, 1/3; without Munida 1/2.
    # apart: second after Decapoda, which is no relative of Gastropoda, 1/2 both times.
    assert found.model.map_at_20.value == pytest.approx((1 / 4 + 1 / 3 + 1 / 2) / 3)
    assert found.ancestors is not None
    assert found.ancestors.map_at_20.value == pytest.approx((1 / 2 + 1 / 2 + 1 / 2) / 3)
    # Decapoda above Munididae and Munida, Munididae above Munida; of the two frames with them.
    assert (found.ancestors.n_pairs, found.ancestors.n_images) == (3, 2)
    # Frequency ranks Munididae, Munida, Gastropoda, then Decapoda: 1/2, 1, 1/3; with relatives
    # passed over 1, 1, 1/3.
    assert found.prior.map_at_20.value == pytest.approx((1 / 2 + 1 + 1 / 3) / 3)
    assert found.ancestors.prior == pytest.approx((1 + 1 + 1 / 3) / 3)


def test_map__of_a_frame_that_could_not_be_read_is_zero() -> None:
    found = evaluated(ignore_ancestors=True, failed="above")
    assert found.ancestors is not None
    assert found.ancestors.map_at_20.value == pytest.approx((0 + 1 / 2 + 1 / 2) / 3)


def test_the_score__is_left_out_unless_asked_for_and_shown_where_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    usual, found = evaluated(), evaluated(ignore_ancestors=True)
    assert usual.ancestors is None
    assert json.loads(usual.to_json())["map_at_20_ancestors_ignored"] is None
    assert json.loads(found.to_json())["map_at_20_ancestors_ignored"]["n_pairs"] == 3
    assert usual.model == found.model
    print_evaluation(found)
    write_evaluation_page(found, TABLE, tmp_path / "page.html")
    page = " ".join((tmp_path / "page.html").read_text(encoding="utf-8").split())
    for words in (" ".join(capsys.readouterr().out.split()), page):
        assert "MAP@20 0.5000" in words
        assert "passed over (3 such pairs, in 2 images)" in words


def test_the_score__says_where_no_category_stands_above_another() -> None:
    table = CategoryTable(tuple(Category(n, f"thing {n}", "none") for n in range(1, 5)))
    found = evaluated(table, ignore_ancestors=True)
    assert found.ancestors is not None
    assert found.ancestors.map_at_20.value == found.model.map_at_20.value
    assert found.ancestors.in_words().startswith("no category stands above another")


def slow_precision(truth: set[int], ranked: list[int], passed_over: set[int], k: int) -> float:
    left = [guess for guess in ranked if guess in truth or guess not in passed_over][:k]
    total = 0.0
    for rank, guess in enumerate(left, start=1):
        if guess in truth:
            total += sum(g in truth for g in left[:rank]) / rank
    return total / min(len(truth), k)


def test_precision__agrees_with_a_slow_version_on_500_cases_with_ties() -> None:
    rng = np.random.default_rng(0)
    for _ in range(500):
        n, k = int(rng.integers(2, 30)), int(rng.integers(1, 25))
        scores = rng.integers(0, 6, size=(1, n)) / 5.0
        truth = rng.random((1, n)) < 0.2
        truth[0, rng.integers(n)] = True
        passed_over = rng.random((1, n)) < 0.4
        ranked = sorted(range(n), key=lambda column: (-scores[0, column], column))
        slow = slow_precision(
            set(np.flatnonzero(truth[0]).tolist()),
            ranked,
            set(np.flatnonzero(passed_over[0]).tolist()),
            k,
        )
        found = average_precision_at_k(truth, scores, k=k, passed_over=passed_over)
        assert found[0] == pytest.approx(slow, abs=1e-12)


def test_relatives__are_those_of_any_true_category_but_never_true_themselves() -> None:
    rng = np.random.default_rng(1)
    related = rng.random((9, 9)) < 0.2
    related |= related.T
    truth = rng.random((40, 9)) < 0.3
    slow = [
        [not row[i] and any(row[j] and related[j, i] for j in range(9)) for i in range(9)]
        for row in truth
    ]
    assert relatives_of_true(truth, related).tolist() == slow
