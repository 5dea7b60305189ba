"""Numbers of the adaptation in a bundle: hashed, verified, absent from older ones."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from finding_nemo import Predictor
from finding_nemo.core.errors import BundleError
from finding_nemo.models.bundle.adaptation_numbers import (
    adaptation_numbers,
    write_adaptation_numbers,
)
from finding_nemo.models.bundle.bundle import bundle_hash, load_bundle

_NUMBERS = {"kernel": {"dive": 0.2}, "quality": {"weights": [1, 2]}}


@pytest.fixture
def bundle(small_bundle: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(small_bundle, tmp_path / "bundle"))


def test_numbers__are_read_as_written_and_hashed(bundle: Path) -> None:
    before = bundle_hash(bundle)
    assert adaptation_numbers(load_bundle(bundle)) is None
    written = write_adaptation_numbers(load_bundle(bundle), _NUMBERS)
    assert adaptation_numbers(written) == adaptation_numbers(load_bundle(bundle)) == _NUMBERS
    assert bundle_hash(bundle) != before
    assert "adaptation.json" in load_bundle(bundle).manifest.files
    again = write_adaptation_numbers(written, {})
    assert adaptation_numbers(again) == {}


def test_predictions__bring_them(bundle: Path, small_bundle: Path, many_frames: Path) -> None:
    write_adaptation_numbers(load_bundle(bundle), _NUMBERS)
    told = Predictor(bundle).origin.metadata
    assert told["adaptation_settings"] == _NUMBERS
    assert "adaptation_settings" not in Predictor(small_bundle).origin.metadata


def test_changed_numbers__are_refused(bundle: Path) -> None:
    write_adaptation_numbers(load_bundle(bundle), _NUMBERS)
    (bundle / "adaptation.json").write_text("{}")
    with pytest.raises(BundleError, match="adaptation.json cannot be read: it was damaged"):
        load_bundle(bundle)


@pytest.mark.parametrize("text", ["[1]", "{", "\xff"])
def test_other_content__is_refused(bundle: Path, text: str) -> None:
    loaded = load_bundle(bundle)
    (bundle / "adaptation.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(BundleError, match="Train or copy the bundle again"):
        adaptation_numbers(loaded)
