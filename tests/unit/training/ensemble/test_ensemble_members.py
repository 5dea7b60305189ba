"""Which bundles may be averaged: every reason against it, in one message."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from finding_nemo.core.errors import BundleError, SettingsError, SplitError
from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.core.records import Split, SplitRow
from finding_nemo.data.splits.split_csv import split_text
from finding_nemo.models.bundle.bundle import Bundle, load_bundle
from finding_nemo.training.ensemble.ensemble_members import check_members, shares_of

SPLIT = Split((SplitRow("a", "1", "train"), SplitRow("b", "2", "val")))


def altered(folder: Path, **changes: Any) -> Bundle:
    bundle = load_bundle(folder)
    digest = hashlib.sha256(split_text(SPLIT).encode()).hexdigest()
    story = bundle.manifest.split.model_copy(update={"sha256": digest})
    return Bundle(folder, bundle.manifest.model_copy(update={"split": story, **changes}))


def test_shares__alike_or_as_asked(small_bundle: Path) -> None:
    pair = [load_bundle(small_bundle)] * 2
    assert shares_of(pair, None) == [0.5, 0.5]
    assert shares_of(pair, [3.0, 1.0]) == [0.75, 0.25]


@pytest.mark.parametrize("shares", [[1.0], [1.0, 0.0], [1.0, -2.0], [float("inf"), 1.0]])
def test_shares__that_do_not_fit(small_bundle: Path, shares: list[float]) -> None:
    with pytest.raises(SettingsError, match="wanted 2 numbers above 0"):
        shares_of([load_bundle(small_bundle)] * 2, shares)


def test_one_bundle__is_no_ensemble(small_bundle: Path) -> None:
    with pytest.raises(SettingsError, match="two bundles or more; got 1"):
        shares_of([load_bundle(small_bundle)], None)


def test_bundles_that_fit__pass(small_bundle: Path) -> None:
    other_mean = Preprocessing(width_px=32, height_px=32, mean=(0.5, 0.5, 0.5))
    check_members([altered(small_bundle), altered(small_bundle, preprocessing=other_mean)], SPLIT)


def test_bundles_that_do_not__are_told_every_reason(small_bundle: Path) -> None:
    first = altered(small_bundle)
    wrong = altered(
        small_bundle,
        preprocessing=Preprocessing(width_px=48, height_px=32).model_copy(
            update={"resize": "letterbox"}
        ),
        categories=first.manifest.categories[1:],
        activation="clip",
        split=first.manifest.split.model_copy(update={"sha256": "another"}),
    )
    unseeing = altered(small_bundle, runner="prior")
    with pytest.raises(BundleError) as caught:
        check_members([first, wrong, unseeing], SPLIT)
    message = str(caught.value)
    for words in (
        "48 x 32 px",
        "32 x 32",
        "other categories",
        "no logits",
        "another split",
        "opens no image",
        "by letterbox and",
    ):
        assert words in message


def test_a_split_without_validation_images__is_refused(small_bundle: Path) -> None:
    with pytest.raises(SplitError, match="no images in part 'val'"):
        check_members([altered(small_bundle)] * 2, Split(SPLIT.rows[:1]))
