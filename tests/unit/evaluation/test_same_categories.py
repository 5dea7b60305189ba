"""Truth and predictions whose tables number the same names otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from finding_nemo.core.categories import Category, CategoryTable
from finding_nemo.core.errors import PredictionsError
from finding_nemo.core.records import Box, Dataset, ImageRecord, Prediction
from finding_nemo.evaluation.dataset.same_categories import match_categories
from finding_nemo.evaluation.evaluate_predictions import evaluate
from finding_nemo.results.reading.readers import read_predictions
from finding_nemo.results.schema import PredictionTable
from finding_nemo.results.writers import write_predictions

BUNDLE = ("crab", "eel", "ray")


@pytest.fixture
def table(tmp_path: Path) -> PredictionTable:
    """One frame, crab before eel before ray, whose ids are 1, 2 and 3."""
    path = tmp_path / "p.parquet"
    scores = np.array((0.9, 0.2, 0.1), dtype=np.float32)
    frame = Prediction(
        image_id="a",
        path="a.png",
        width=64,
        height=48,
        failure=None,
        probabilities=scores,
        novelty=0.1,
    )
    entries = [
        {"category_id": number, "name": name, "supercategory": "Animal", "n_images": 5}
        for number, name in enumerate(BUNDLE, start=1)
    ]
    write_predictions(
        iter([frame]),
        path,
        category_ids=(1, 2, 3),
        metadata=lambda: {"schema_version": 1, "categories": entries},
        fallback_ids=[1, 2, 3],
    )
    return read_predictions(path)


def data(names: Sequence[str], held: tuple[int, ...], ids: Sequence[int] = ()) -> Dataset:
    numbered = zip(ids or range(1, len(names) + 1), names, strict=True)
    categories = CategoryTable(tuple(Category(n, name, "none") for n, name in numbered))
    boxes = tuple(Box(n, 0, 0, 4, 4) for n in held)
    record = ImageRecord("a", Path("a.png"), held, dive="d", boxes=boxes)
    return Dataset(Path("frames"), categories, (record,))


def test_same_tables__stay_as_they_are(table: PredictionTable) -> None:
    dataset = data(BUNDLE, (1,))
    found, said = match_categories(table, dataset)
    assert found is dataset
    assert said == ()


def test_moved_names__decide(table: PredictionTable) -> None:
    # In the data set 1 is a coral, so that eel is 3 and crab 2.
    dataset = data(("coral", "crab", "eel"), (1, 2))
    found, said = match_categories(table, dataset)
    assert found.categories.ids == (1, 2, 3, 4)
    assert found.categories.names == (*BUNDLE, "coral")
    assert found.records[0].category_ids == (1, 4)
    assert {box.category_id for box in found.records[0].boxes} == {1, 4}
    assert "numbers 2 categories otherwise" in said[0]
    assert "'crab', 2 and 1" in said[0]
    assert "cannot name: 1 (first: 'coral')" in said[1]
    assert match_categories(table, found) == (found, ())


def test_score__is_that_of_the_same_names(table: PredictionTable) -> None:
    # Crab stands first: AP 1. By ids it would be eel, second of three: AP 1/2.
    found = evaluate(table, data(("coral", "crab", "eel"), (2,)))
    assert found.model.map_at_20.value == 1.0
    assert any("matched by their names" in notice for notice in found.notices)


def test_shorter_table__is_filled_up(table: PredictionTable) -> None:
    found, said = match_categories(table, data(("crab", "eel"), (2,)))
    assert found.categories.names == BUNDLE
    assert found.records[0].category_ids == (2,)
    assert "does not list: 1 (first: 'ray')" in said[0]
    assert evaluate(table, found).model.map_at_20.value == 0.5


def test_other_names_of_the_same_ids__are_said(table: PredictionTable) -> None:
    dataset = data(("Krabbe", "eel", "ray"), (1,))
    found, said = match_categories(table, dataset)
    assert found is dataset
    assert "1 (first: 1, 'Krabbe' and 'crab')" in said[0]


def test_nothing_in_common__is_refused_with_what_to_do(table: PredictionTable) -> None:
    with pytest.raises(PredictionsError, match=r"Put the table .* as category_key\.csv"):
        evaluate(table, data(("Krabbe",), (7,), ids=(7,)))


@pytest.mark.parametrize("entries", [[], [{"category_id": 1}], [{"category_id": 1, "name": 3}]])
def test_predictions_without_names__change_nothing(
    table: PredictionTable, entries: list[dict[str, Any]]
) -> None:
    nameless = replace(table, metadata={**table.metadata, "categories": entries})
    dataset = data(("coral", "crab"), (2,))
    assert match_categories(nameless, dataset) == (dataset, ())
