"""A bundle of the schema before: it opens, predicts the same, and keeps its hash."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from finding_nemo.core.names.renamed_names import RENAMED_SETTINGS
from finding_nemo.models.bundle.bundle import bundle_hash, list_files, load_bundle, unlist_files
from finding_nemo.models.bundle.bundle_files import EXPORTS
from finding_nemo.models.bundle.manifest import SCHEMA_VERSION
from finding_nemo.prediction.predictor import Predictor

_OLD_SETTINGS = {old: number for number, old in enumerate(RENAMED_SETTINGS)}
_NEW_SETTINGS = {RENAMED_SETTINGS[old]: number for old, number in _OLD_SETTINGS.items()}


def rewritten(bundle: Path, folder: Path, **changes: Any) -> Path:
    """Return a copy of a bundle whose manifest has `changes`."""
    shutil.copytree(bundle, folder)
    path = folder / "bundle.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**content, **changes}, indent=2), encoding="utf-8")
    return folder


@pytest.fixture
def old(small_bundle: Path, tmp_path: Path) -> Path:
    member = {"recipe": "places", "share": 1.0, "hash": "0", "settings": _OLD_SETTINGS}
    return rewritten(
        small_bundle,
        tmp_path / "old",
        schema_version=1,
        recipe="places + nemo",
        settings={**_OLD_SETTINGS, "epochs": 3, "members": [member]},
    )


def test_old_bundle__is_read_by_the_names_of_now(old: Path) -> None:
    manifest = load_bundle(old).manifest
    assert manifest.schema_version == SCHEMA_VERSION
    assert manifest.recipe == "patches + nemo"
    assert manifest.settings == {
        **_NEW_SETTINGS,
        "epochs": 3,
        "members": [{"recipe": "patches", "share": 1.0, "hash": "0", "settings": _NEW_SETTINGS}],
    }


def test_old_bundle__predicts_the_same(old: Path, small_bundle: Path, tiny_folder: Path) -> None:
    found, wanted = (
        [row.probabilities for row in Predictor(path).predict([str(tiny_folder)])]
        for path in (old, small_bundle)
    )
    assert len(found) == 30
    np.testing.assert_array_equal(np.stack(found), np.stack(wanted))  # type: ignore[arg-type]


def test_old_bundle__keeps_its_hash_when_files_are_listed_anew(old: Path) -> None:
    before = bundle_hash(old)
    bundle = load_bundle(old)
    (old / EXPORTS).write_text('{"records": []}', encoding="utf-8")
    listed = list_files(bundle, EXPORTS)
    assert EXPORTS in load_bundle(old).manifest.files
    assert listed.manifest == load_bundle(old).manifest
    assert bundle_hash(old) == before
    unlist_files(listed, EXPORTS)
    assert EXPORTS not in load_bundle(old).manifest.files
    assert bundle_hash(old) == before
    assert json.loads((old / "bundle.json").read_text(encoding="utf-8"))["schema_version"] == 1


def test_new_bundle__states_its_schema(small_bundle: Path) -> None:
    content = json.loads((small_bundle / "bundle.json").read_text(encoding="utf-8"))
    assert content["schema_version"] == SCHEMA_VERSION == 2
