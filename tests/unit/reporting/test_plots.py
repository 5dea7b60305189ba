"""Figures that people get: made without pyplot, names as they are, and what is drawn."""

from __future__ import annotations

import io
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

import finding_nemo as nemo
from finding_nemo.core.errors import ArgumentError, TrainingError
from finding_nemo.evaluation.evaluation_results import Measured
from finding_nemo.evaluation.recipe_comparison import ComparisonRow
from finding_nemo.training.loop.epoch_log import write_log

_NAME = r"$\frac{5$ crab $x_1$"
_TABLE = nemo.CategoryTable(
    tuple(nemo.Category(n, f"{_NAME} {n}", "$group$") for n in range(1, 31))
)
_HISTORY = (
    nemo.EpochRow(1, 0.9, 0.8, 0.3, 1e-3, 1.0, 9.0),
    nemo.EpochRow(2, 0.5, 0.6, 0.4, 1e-3, 1.0, 9.0),
)


def texts(figure: Figure) -> list[str]:
    figure.draw_without_rendering()
    found = figure.findobj(Text)
    return [text.get_text() for text in found if isinstance(text, Text) and text.get_text()]


def drawn(figure: Figure) -> Image.Image:
    """Return the picture that a notebook shows, which mathematics would stop."""
    shown: Any = figure
    return Image.open(io.BytesIO(shown._repr_png_()))


@pytest.fixture(scope="module")
def dataset() -> nemo.Dataset:
    """Category n is in 30 - n of 30 images, the last in none."""
    records = [
        nemo.ImageRecord(
            f"{_NAME} {n}", Path(f"{n}.png"), tuple(range(1, 30 - n)), dive=f"D{n % 3}"
        )
        for n in range(30)
    ]
    return nemo.Dataset(Path("frames"), _TABLE, tuple(records))


def test_categories__are_bars_and_a_tail(dataset: nemo.Dataset) -> None:
    figure = nemo.plot_categories(dataset)
    bars, tail = figure.axes
    assert [bar.get_width() for bar in bars.patches][:3] == [29, 28, 27]  # type: ignore[attr-defined]
    assert np.asarray(tail.lines[0].get_ydata()).tolist() == list(range(29, 0, -1))
    found = texts(figure)
    assert f"{_NAME} 1" in found
    assert "9 categories are in fewer than 10 images,\n1 in none" in found
    assert drawn(figure).size[0] > 1000
    few = replace(
        dataset,
        categories=nemo.CategoryTable(_TABLE.categories[:2]),
        records=(nemo.ImageRecord("a", Path("a"), (2,)),),
    )
    (only,) = nemo.plot_categories(few).axes
    assert [bar.get_width() for bar in only.patches] == [1, 0]  # type: ignore[attr-defined]
    with pytest.raises(ArgumentError, match="no image holds a category"):
        nemo.plot_categories(replace(few, records=()))


def test_curves__are_of_runs_folders_and_comparisons(tmp_path: Path, small_bundle: Path) -> None:
    run = nemo.TrainedRun(tmp_path / "a", nemo.load_bundle(small_bundle), _HISTORY, "0")
    write_log(tmp_path, _HISTORY)
    comparison = nemo.Comparison(tmp_path, (), {_NAME: _HISTORY, "prior": ()})
    for runs in (run, tmp_path, str(tmp_path), {_NAME: run, "other": tmp_path}, comparison):
        figure = nemo.plot_curves(runs)
        drawn_lines = [
            np.asarray(line.get_ydata()).tolist() for axes in figure.axes for line in axes.lines
        ]
        assert [0.9, 0.5] in drawn_lines
        assert [0.3, 0.4] in drawn_lines
        assert {"training images", "validation images"} <= set(texts(figure))
    assert drawn(nemo.plot_curves(comparison)).size[1] > 300
    (tmp_path / "empty").mkdir()
    with pytest.raises(TrainingError, match="empty: no epoch has ended"):
        nemo.plot_curves(tmp_path / "empty")


def test_comparison__is_of_comparisons_rows_and_evaluations(dataset: nemo.Dataset) -> None:
    rows = (
        ComparisonRow(_NAME, "dive", map_at_20=Measured(0.5, 0.4, 0.6), prior_map_at_20=0.3),
        ComparisonRow("broken", "dive", failure="no"),
    )
    for results in (nemo.Comparison(Path("out"), rows), rows, list(rows)):
        figure = nemo.plot_comparison(results)
        found_texts = texts(figure)
        assert {_NAME, "0.500"} <= set(found_texts)
        assert "broken" not in found_texts
        assert figure.axes[0].lines[-1].get_xdata()[0] == 0.3  # type: ignore[index]
    random = [replace(rows[0], protocol="random"), rows[0]]
    assert {f"{_NAME}, random", f"{_NAME}, dive"} <= set(texts(nemo.plot_comparison(random)))
    found = nemo.evaluate(_predictions(dataset), dataset)
    figure = nemo.plot_comparison({"mine": found, _NAME: found})
    assert {"mine", _NAME} <= set(texts(figure))
    drawn(figure)
    with pytest.raises(ArgumentError, match="every recipe failed"):
        nemo.plot_comparison(rows[1:])


def _predictions(dataset: nemo.Dataset) -> list[nemo.Prediction]:
    rng = np.random.default_rng(2)
    return [
        nemo.Prediction(r.image_id, "", 4, 3, None, rng.random(30).astype(np.float32), 0.0)
        for r in dataset.records
    ]


def test_reliability__is_what_the_evaluation_holds(dataset: nemo.Dataset) -> None:
    found = nemo.evaluate(_predictions(dataset), dataset)
    assert found.uncertainty is not None
    figure = nemo.plot_reliability(found)
    line = figure.axes[0].lines[-1]
    wanted = [b.mean_probability for b in found.uncertainty.calibrated.bins]
    assert np.asarray(line.get_xdata()).tolist() == [value for value in wanted if value >= 1e-3]
    drawn(figure)
    with pytest.raises(ArgumentError, match="none of which could be read"):
        nemo.plot_reliability(replace(found, uncertainty=None))


def test_predictions__are_shown_with_their_images(small_bundle: Path, many_frames: Path) -> None:
    predictor = nemo.Predictor(small_bundle)
    paths = sorted((many_frames / "dive1").glob("*.png"))[5:9]  # the third is damaged
    categories = predictor.bundle.categories
    best = [
        row.top(1)[0][0] if row.probabilities is not None else None
        for row in predictor.predict(paths)
    ]
    records = [
        nemo.ImageRecord(path.stem, path, () if held is None else (held.category_id,))
        for path, held in zip(paths, best, strict=True)
    ]
    truth = nemo.Dataset(many_frames, categories, tuple(records))
    figure = nemo.plot_predictions(predictor.predict(truth), truth=truth, most=4, guesses=2)
    assert len(figure.axes) == 4
    bold = [
        t.get_text()
        for t in figure.findobj(Text)
        if isinstance(t, Text) and t.get_fontweight() == "bold"
    ]
    assert [name.split(",")[0] for name in bold] == [
        f"all: {category.name}" for category in best if category is not None
    ]
    assert any(text.startswith("failed: ") for text in texts(figure))
    assert [len(axes.images) for axes in figure.axes] == [1, 1, 0, 1]
    drawn(figure)
    # Images of memory are shown as they were given; only as many as wanted are predicted.
    arrays = [np.full((8, 9, 3), 40 * n, np.uint8) for n in range(5)]
    figure = nemo.plot_predictions(predictor.predict(arrays), images=arrays, most=2)
    assert [int(axes.images[0].get_array().max()) for axes in figure.axes] == [0, 40]  # type: ignore[union-attr]
    assert len(nemo.plot_predictions(next(predictor.predict(paths))).axes) == 1
    with pytest.raises(ArgumentError, match="got no prediction"):
        nemo.plot_predictions([])


def test_figures__touch_no_state_of_pyplot(dataset: nemo.Dataset, tmp_path: Path) -> None:
    before = "matplotlib.pyplot" in sys.modules
    nemo.plot_categories(dataset).savefig(tmp_path / "a.svg")
    assert (tmp_path / "a.svg").read_text(encoding="utf-8").startswith("<?xml")
    assert ("matplotlib.pyplot" in sys.modules) == before
