"""What a notebook shows of the public objects: a few facts, under 2 kB, never markup."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

import finding_nemo
from finding_nemo.core.categories import Category, CategoryTable
from finding_nemo.core.provenance import package_version
from finding_nemo.core.records import Dataset, ImageRecord, Prediction, Split, SplitRow
from finding_nemo.core.text.short_repr import ShortRepr
from finding_nemo.models.bundle.bundle import load_bundle

_TABLE = CategoryTable(tuple(Category(n, f"category {n}", "all") for n in range(1, 291)))
_RECORDS = tuple(
    ImageRecord(f"i{n}", Path(f"i{n}.png"), (1,), dive=f"D{n % 7}") for n in range(20_000)
)


def _shown(thing: ShortRepr) -> str:
    for text in (repr(thing), thing._repr_html_()):
        assert len(text.encode()) < 2000
    return repr(thing)


def test_data_set__shows_its_numbers() -> None:
    dataset = Dataset(Path("frames"), _TABLE, _RECORDS)
    assert _shown(dataset) == (
        "Dataset(root=frames, images=20,000, annotated=20,000, categories=290, dives=7)"
    )
    assert "<td style='text-align:left'>20,000</td>" in dataset._repr_html_()


def test_split__shows_its_parts() -> None:
    rows = tuple(SplitRow(r.image_id, dive=r.dive or "", part="train") for r in _RECORDS)
    assert _shown(Split(rows, kind="dive", seed=3)) == "Split(kind=dive, seed=3, train=20,000)"


def test_prediction__shows_its_answer_or_its_failure() -> None:
    row = Prediction("a", "a.png", 3, 2, None, np.array([0.2, 0.7], np.float32), 0.25)
    assert _shown(row) == "Prediction(image_id=a, best_probability=0.700, novelty=0.25)"
    failed = replace(row, failure="is empty", probabilities=None, novelty=None)
    assert _shown(failed) == "Prediction(image_id=a, failure=is empty)"


def test_bundle__shows_what_it_is(small_bundle: Path) -> None:
    bundle = load_bundle(small_bundle)
    assert _shown(bundle).startswith(f"Bundle(path={bundle.path}, recipe=")


def test_hostile_words__are_no_markup_and_are_cut() -> None:
    class Odd(ShortRepr):
        def facts(self) -> Mapping[str, object]:
            return {"name": "<script>x</script>\x1b[2J" + "y" * 5000}

    assert "<script>" not in Odd()._repr_html_()
    assert "\x1b" not in _shown(Odd())
    assert _shown(Odd()).endswith("...)")


def test_version__is_that_of_the_distribution() -> None:
    assert finding_nemo.__version__ == package_version()
