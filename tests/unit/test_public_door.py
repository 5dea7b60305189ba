"""The public names: each is there, shows itself in a few words, and says what it takes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import finding_nemo as nemo
from finding_nemo.core.errors import ArgumentError
from finding_nemo.core.records import Box
from finding_nemo.core.text.short_repr import ShortRepr
from finding_nemo.evaluation.recipe_comparison import ComparisonRow

_MOST_BYTES = 2048
# Classes that are made by people alone, or are no object to be looked at.
_NO_OBJECTS = {"Callback", "Category", "ConsoleReporter", "FindingNemoError"}


def test_names__lead_to_what_is_there() -> None:
    assert sorted(nemo.__all__) == dir(nemo)
    for name in nemo.__all__:
        assert getattr(nemo, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        nemo.nothing  # noqa: B018


def test_package__loads_nothing_until_it_is_used() -> None:
    code = "import sys, finding_nemo; print({'torch', 'numpy', 'pyarrow'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"


def test_without_torch__the_extra_is_named() -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import finding_nemo\n"
        "finding_nemo.read_dataset, finding_nemo.evaluate, finding_nemo.plot_categories\n"
        "try: finding_nemo.train\n"
        "except finding_nemo.FindingNemoError as error: print(type(error).__name__, error)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.startswith(
        "MissingExtraError finding_nemo.train needs torch, which is not installed. Install it"
    )


# --- what a notebook shows ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def dataset() -> nemo.Dataset:
    """A thousand images with 290 categories whose names are hostile and long."""
    categories = tuple(
        nemo.Category(n, f"<b>animal & {n}</b>" + '"é' * 90, f"group {n % 20}")
        for n in range(1, 291)
    )
    boxes = tuple(Box(1, n, 0, 1, 1) for n in range(300))
    records = tuple(
        nemo.ImageRecord(
            f"<i>frame {n}</i>" + "&" * 400,
            Path("p" * 300) / f"{n}.png",
            tuple(range(1, 2 + n % 200)),
            dive="D<" * 100 + str(n % 7),
            boxes=boxes,
        )
        for n in range(1000)
    )
    return nemo.Dataset(Path("<root>" * 60), nemo.CategoryTable(categories), records)


@pytest.fixture(scope="module")
def shown(dataset: nemo.Dataset, small_bundle: Path, many_frames: Path) -> dict[str, object]:
    """One object of each public class, and what public functions return."""
    predictor = nemo.Predictor(small_bundle)
    paths = sorted((many_frames / "dive1").glob("*.png"))[:8]
    frames = nemo.Dataset(
        many_frames,
        predictor.bundle.categories,
        tuple(nemo.ImageRecord(p.stem, p, (n + 1,), dive=f"D{n}") for n, p in enumerate(paths)),
    )
    rows = list(predictor.predict(frames))
    failed = replace(rows[0], failure="<p>" * 2000, probabilities=None, novelty=None)
    start = nemo.TrainingStart(
        folder=Path("run"), recipe="probe", settings={}, seed=0, n_train=1, n_val=1
    )
    epoch = nemo.EpochRow(1, 0.5, 0.5, 0.5, 1e-3, 1.0, 9.0)
    run = nemo.TrainedRun(Path("run" * 100), predictor.bundle, (epoch,) * 500, "0" * 64)
    row = ComparisonRow("<u>" + "r" * 60, "dive", failure="x" * 5000)
    rows_of_comparison = tuple(replace(row, recipe=f"{row.recipe} {n}") for n in range(99))
    return {
        "Dataset": dataset,
        "CategoryTable": dataset.categories,
        "ImageRecord": dataset.records[199],
        "Split": nemo.make_split(dataset, "random"),
        "Bundle": predictor.bundle,
        "Predictor": predictor,
        "PredictionStream": predictor.predict(frames),
        "Prediction": rows[0],
        "Prediction that failed": failed,
        "PredictionTable": predictor.predict(frames).to_table(),
        "Evaluation": nemo.evaluate(rows, frames),
        "TrainingStart": start,
        "EpochRow": epoch,
        "TrainedRun": run,
        "Comparison": nemo.Comparison(Path("out"), rows_of_comparison),
    }


def test_every_public_object__is_shown_in_2_kb(shown: dict[str, object]) -> None:
    classes = {name for name in nemo.__all__ if isinstance(getattr(nemo, name), type)}
    assert classes - _NO_OBJECTS <= set(shown)
    for name, thing in shown.items():
        text = repr(thing)
        assert text.isprintable(), name
        assert len(text.encode()) < _MOST_BYTES, name
        if isinstance(thing, ShortRepr):
            html = thing._repr_html_()
            assert len(html.encode()) <= _MOST_BYTES, name
            for markup in ("<b>", "<i>", "<p>", "<u>", "<root>"):
                assert markup not in html, name
        else:
            assert name == "EpochRow"


def test_short_repr__holds_what_matters(shown: dict[str, object]) -> None:
    assert repr(shown["PredictionStream"]).endswith("predicted_so_far=0)")
    assert "categories=290, supercategories=20, names=" in repr(shown["CategoryTable"])
    assert "images=8, failed=1, categories=30" in repr(shown["PredictionTable"])
    assert "=failed" in repr(shown["Comparison"])
    assert "best_guess=animal" in repr(shown["Prediction"])


# --- what each takes ------------------------------------------------------------------------------

_DATA = nemo.Dataset(
    Path("frames"),
    nemo.CategoryTable((nemo.Category(1, "crab", "crabs"),)),
    (nemo.ImageRecord("a", Path("a.png"), (1,)),),
)
_BAD: Any = 5
_TEXT: Any = "x"
_WRONG: dict[str, tuple[Callable[[], object], str]] = {
    "read_dataset": (lambda: nemo.read_dataset(_BAD), "takes the path of a data set: .* int 5"),
    "read_dataset images": (lambda: nemo.read_dataset("x", images=_BAD), "path of the image fold"),
    "read_split": (lambda: nemo.read_split(_BAD), "takes the path of a split file"),
    "write_split": (lambda: nemo.write_split(_TEXT, "y"), "takes a Split, .* got str 'x'"),
    "make_split": (lambda: nemo.make_split(_TEXT), r"takes a Dataset, as read_dataset\(\"folder\""),
    "split_by_dive": (lambda: nemo.split_by_dive(_TEXT), "takes a Dataset"),
    "train": (lambda: nemo.train(_TEXT, out="y"), "takes a Dataset, .* got str 'x'"),
    "train out": (lambda: nemo.train(_DATA, out=_BAD), r"train\(out=...\) takes the path"),
    "train recipe": (lambda: nemo.train(_DATA, out="y", recipe=_BAD), "takes the name of a recip"),
    "train split": (lambda: nemo.train(_DATA, out="y", split=_TEXT), "takes a Split"),
    "train settings": (lambda: nemo.train(_DATA, out="y", settings=_BAD), "takes a dictionary"),
    "load_bundle": (lambda: nemo.load_bundle(_BAD), "takes the path of a bundle or run folder"),
    "Predictor": (lambda: nemo.Predictor(None), "takes a Bundle, or the path .* got NoneType"),  # type: ignore[arg-type]
    "read_predictions": (lambda: nemo.read_predictions(_BAD), "takes the path of a predictions"),
    "compare": (lambda: nemo.compare(_TEXT, out="y"), "takes a Dataset"),
    "compare split": (lambda: nemo.compare(_DATA, out="y", split=_TEXT), "takes a Split"),
    "plot_curves": (lambda: nemo.plot_curves(_BAD), r"takes what train\(\) returned"),
    "plot_comparison": (lambda: nemo.plot_comparison(_BAD), r"takes what compare\(\) returned"),
    "plot_reliability": (lambda: nemo.plot_reliability(_TEXT), "takes an Evaluation"),
    "plot_categories": (lambda: nemo.plot_categories(_TEXT), "takes a Dataset"),
    "plot_predictions": (lambda: nemo.plot_predictions(_BAD), "takes a prediction, predictions"),
    "draw_dataset": (lambda: nemo.draw_dataset(_BAD), "takes the path of the folder to make"),
    "suggest": (lambda: nemo.suggest(_BAD), r"suggest\(\) takes the path of a predictions file"),
    "suggest reviews": (lambda: nemo.suggest("x", reviews=_BAD), "path of a table of reviews"),
    "suggest dataset": (lambda: nemo.suggest("x", dataset=_TEXT), "takes a Dataset"),
    "adapt": (lambda: nemo.adapt("x", reviews=_BAD, out="y"), r"adapt\(reviews=...\) takes the"),
    "adapt out": (lambda: nemo.adapt("x", reviews="r", out=_BAD), "predictions file to write"),
    "convert": (lambda: nemo.convert(_BAD, to="coco", out="y"), "path of a predictions file"),
    "convert to": (lambda: nemo.convert("x", to=_BAD, out="y"), "takes the name of a form"),
    "convert out": (lambda: nemo.convert("x", to="coco", out=_BAD), "file or folder to write"),
    "convert dataset": (lambda: _convert(dataset=_TEXT), "takes a Dataset"),
    "top": (lambda: _prediction().top(), "that a Predictor made"),
}


def _convert(**more: Any) -> object:
    return nemo.convert("x", to="coco", out="y.json", **more)


def _prediction() -> nemo.Prediction:
    return nemo.Prediction("a", "a.png", 3, 2, None, np.array([0.2], np.float32), 0.25)


@pytest.mark.parametrize("case", _WRONG)
def test_wrong_kind__is_told_with_what_is_taken(case: str) -> None:
    call, words = _WRONG[case]
    with pytest.raises(ArgumentError, match=words) as caught:
        call()
    assert isinstance(caught.value, TypeError)
    assert isinstance(caught.value, nemo.FindingNemoError)


def test_subset__is_in_the_order_given_and_complete() -> None:
    more = replace(_DATA, records=(*_DATA.records, nemo.ImageRecord("b", Path("b.png"), (1,))))
    assert [record.image_id for record in more.subset(["b", "a"]).records] == ["b", "a"]
    with pytest.raises(nemo.errors.DatasetError, match=r"1 of 2 images are not .* \(first: 'c'\)"):
        more.subset(["a", "c"])
