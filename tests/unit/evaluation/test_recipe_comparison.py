"""Folds into one row, rows into tables and words."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from finding_nemo.core.categories import Category, CategoryTable
from finding_nemo.core.records import Dataset, ImageRecord, Split, SplitRow
from finding_nemo.evaluation.evaluate_predictions import evaluate
from finding_nemo.evaluation.evaluation_results import Measured
from finding_nemo.evaluation.recipe_comparison import ComparisonRow, TrainedFold, combine_folds
from finding_nemo.metrics.ranking_scores import RankingScores
from finding_nemo.reporting.html.comparison_page import (
    HEADER,
    cells,
    explain,
    markdown_table,
    write_comparison,
)
from finding_nemo.results.schema import PredictionTable
from finding_nemo.training.loop.epoch_log import EpochRow

_TABLE = CategoryTable(tuple(Category(n, f"c{n}", "s") for n in (1, 2, 3)))


def dataset() -> Dataset:
    labels = [(1,), (1, 2), (2,), (3,), (1,), (3,)]
    return Dataset(
        Path("here"),
        _TABLE,
        tuple(
            ImageRecord(f"i{k}", Path(f"i{k}.png"), ids, dive=f"d{k // 2}")
            for k, ids in enumerate(labels)
        ),
    )


def fold(test_dive: int) -> TrainedFold:
    data = dataset()
    rows = tuple(
        SplitRow(r.image_id, str(r.dive), "test" if r.dive == f"d{test_dive}" else "train")
        for r in data.records
    )
    chosen = [r for r in data.records if r.dive == f"d{test_dive}"]
    scores = np.random.default_rng(test_dive).random((len(chosen), 3)).astype(np.float32)
    order = np.argsort(-scores, axis=1)
    table = PredictionTable(
        image_ids=tuple(r.image_id for r in chosen),
        paths=tuple(str(r.path) for r in chosen),
        widths=(None,) * len(chosen),
        heights=(None,) * len(chosen),
        failures=(None,) * len(chosen),
        ranked_ids=tuple(tuple(_TABLE.ids[c] for c in row) for row in order),
        ranked_probabilities=tuple(
            tuple(float(p) for p in s[row]) for s, row in zip(scores, order, strict=True)
        ),
        novelty=np.zeros(len(chosen)),
        vector=scores,
        category_ids=_TABLE.ids,
        metadata={},
    )
    found = evaluate(table, data, split=Split(rows), part="test")
    found = replace(found, rankings=RankingScores(own=0.1 * test_dive, shown=0.5))
    return TrainedFold(found, 3, 2, 0.5 + test_dive, 10.0, 1.0, train_map_at_20=0.8)


def test_combine__every_image_counts_once() -> None:
    folds = [fold(k) for k in range(3)]
    row = combine_folds("probe", "dive", folds)
    images = [i.average_precision for f in folds for i in f.evaluation.images]
    assert row.map_at_20.value == pytest.approx(np.mean(images))
    assert row.macro_ap == pytest.approx(np.mean([f.evaluation.model.macro_ap for f in folds]))
    assert row.lowest == min(f.evaluation.model.map_at_20.value for f in folds)
    assert (row.n_images, row.n_dives, row.epochs) == (6, 3, 3)
    assert row.training_loss == pytest.approx(1.5)
    assert (row.train_s, row.predict_s) == (30.0, 3.0)
    assert row.same_dive == 0.0
    # Two images a fold: the mean of 0, 0.1 and 0.2; what no fold knows is not known.
    assert row.rankings.own == pytest.approx(0.1)
    assert row.rankings.cells()[1:] == ("not known", "0.5000")
    assert row.train_map_at_20 == pytest.approx(0.8)


def rows() -> list[ComparisonRow]:
    def scored(recipe: str, protocol: str, value: float) -> ComparisonRow:
        return ComparisonRow(
            recipe,
            protocol,
            10,
            3,
            Measured(value, value - 0.1, value + 0.1),
            0,
            1,
            0.2,
            0.4,
            0.1,
            0.9,
            3,
            0.25,
            12.0,
            2.0,
        )

    known = RankingScores(own=0.88, calibrated=0.91, shown=0.9)
    return [
        replace(scored("probe", "random", 0.9), rankings=known, train_map_at_20=0.97),
        scored("probe", "dive", 0.5),
        ComparisonRow("resnet18", "dive", failure="a <b> | went wrong"),
    ]


def test_table__has_the_studys_columns_and_failures_as_rows() -> None:
    assert HEADER[2:4] == ("epochs", "MAP@20")
    text = markdown_table(rows())
    scores = "0.900 | 0.800 to 1.000 | 0.880 | 0.910 | 0.970 | 0.200 | 0.2500"
    assert f"| probe | random | 3 | {scores} | 12 | 2 |" in text
    unknown = "0.500 | 0.400 to 0.600 | not known | not known | not known | 0.200 | 0.2500"
    assert f"| probe | dive | 3 | {unknown} | 12 | 2 |" in text
    assert "| resnet18 | dive | failed | a <b> / went wrong |" in text
    assert len(cells(rows()[2])) == len(HEADER)


def test_words__say_what_of_the_random_score_is_memory() -> None:
    assert any("0.400 of its random score is memory" in sentence for sentence in explain(rows()))
    assert any("one by one from all dives" in sentence for sentence in explain(rows()))


_RANKED = (("", "_own"), ("", "_calibrated"), ("train_", ""))


def test_write__table_page_and_curves(tmp_path: Path) -> None:
    history = (
        EpochRow(1, 1.0, 1.1, 0.4, 1e-3, 1.0, 5.0),
        EpochRow(2, 0.8, 1.0, 0.5, 1e-3, 1, 5, train_map_at_20=0.7),
    )
    write_comparison(tmp_path, rows(), {"probe": history, "$x_1$": history[:1]}, dataset())
    with (tmp_path / "table.csv").open(encoding="utf-8") as file:
        read = list(csv.DictReader(file))
    assert [row["recipe"] for row in read] == ["probe", "probe", "resnet18"]
    assert float(read[0]["map_at_20"]) == 0.9
    assert [read[0][f"{name}map_at_20{of}"] for name, of in _RANKED] == ["0.88", "0.91", "0.97"]
    assert [read[1][f"{name}map_at_20{of}"] for name, of in _RANKED] == ["", "", ""]
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "a &lt;b&gt; | went wrong" in page
    # The figure of scores, and a panel for each recipe that has epochs.
    assert page.count("<svg") == 3
    assert "$x_1$" in page
    assert (tmp_path / "curves.png").stat().st_size > 1000
    assert "memory" in (tmp_path / "table.md").read_text(encoding="utf-8")
