"""A bundle written and read, and every way in which it can be broken."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from finding_nemo.core.errors import BundleError
from finding_nemo.models.bundle.bundle import Bundle, bundle_hash, load_bundle, write_bundle
from finding_nemo.models.bundle.manifest import (
    BundleManifest,
    CategoryEvidence,
    PartCounts,
    SplitSummary,
    ValidationSummary,
)
from finding_nemo.models.bundle.model_card import model_card


def manifest(**changes: object) -> BundleManifest:
    values: dict[str, object] = {
        "recipe": "prior",
        "runner": "prior",
        "activation": "clip",
        "settings": {},
        "categories": (
            CategoryEvidence(
                category_id=4, name="crab", supercategory="Crustacea", n_images=3, n_dives=2
            ),
        ),
        "preprocessing": None,
        "split": SplitSummary(
            kind="dive", seed=0, parts={"train": PartCounts(n_images=12, n_dives=4)}, sha256="0"
        ),
        "validation": None,
        "provenance": {"started": "now"},
    }
    return BundleManifest.build({**values, **changes}, source="the test")


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    tensors = {"frequency": np.array([0.25])}
    return write_bundle(
        tmp_path / "run/bundle", manifest(), weights=tensors, novelty={"q": np.arange(3.0)}
    )


def test_read__gives_back_what_was_written(bundle: Bundle, tmp_path: Path) -> None:
    for path in (tmp_path / "run", bundle.path):
        found = load_bundle(path)
        assert found.manifest == bundle.manifest
        assert found.categories.ids == (4,)
        assert found.weights["frequency"].tolist() == [0.25]
        assert found.novelty["q"].tolist() == [0, 1, 2]
        assert found.prior.tolist() == [3 / 12]
    assert "# prior" in (bundle.path / "MODEL_CARD.md").read_text(encoding="utf-8")


def test_card__counts_one_dive_in_the_singular() -> None:
    validation = ValidationSummary(
        n_images=1, n_dives=1, map_at_20=0.5, map_at_20_ci=(0.5, 0.5), prior_map_at_20=0.25
    )
    counts = SplitSummary(
        kind="dive", seed=0, parts={"val": PartCounts(n_images=1, n_dives=1)}, sha256="0"
    )
    card = model_card(manifest(validation=validation, split=counts))
    assert "* val: 1 image of 1 dive\n" in card
    assert "MAP@20 0.500 on 1 validation image of 1 dive (" in card


def test_hash__covers_what_predicts_and_not_the_clock(bundle: Bundle, tmp_path: Path) -> None:
    tensors = {"frequency": np.array([0.25])}
    novelty = {"q": np.arange(3.0)}
    later = write_bundle(
        tmp_path / "b", manifest(provenance={"started": "later"}), weights=tensors, novelty=novelty
    )
    assert bundle_hash(later.path) == bundle_hash(bundle.path)
    other = write_bundle(
        tmp_path / "c", manifest(), weights={"frequency": np.array([0.26])}, novelty=novelty
    )
    assert bundle_hash(other.path) != bundle_hash(bundle.path)


def test_probabilities__sigmoid_without_overflow_and_clip(bundle: Bundle) -> None:
    logits = np.array([[-200.0, 0.0, np.log(3.0), 200.0]], dtype=np.float32)
    network = Bundle(bundle.path, manifest(activation="sigmoid"))
    np.testing.assert_allclose(network.to_probabilities(logits), [[0, 0.5, 0.75, 1]], atol=1e-6)
    np.testing.assert_array_equal(bundle.to_probabilities(logits)[0, [0, 1, 3]], [0, 0, 1])


def test_broken__says_what_and_what_to_do(bundle: Bundle, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="holds no bundle"):
        load_bundle(tmp_path / "nothing")
    path = bundle.path / "bundle.json"
    text = path.read_text(encoding="utf-8")
    (bundle.path / "novelty.safetensors").rename(tmp_path / "kept")
    with pytest.raises(BundleError, match=r"lacks novelty\.safetensors"):
        load_bundle(bundle.path)
    (tmp_path / "kept").rename(bundle.path / "novelty.safetensors")
    path.write_text(text[:-9], encoding="utf-8")
    with pytest.raises(BundleError, match="is not JSON"):
        load_bundle(bundle.path)
    content = json.loads(text)
    path.write_text(json.dumps({**content, "schema_version": 99}), encoding="utf-8")
    with pytest.raises(BundleError, match="has schema version 99; this program reads 1"):
        load_bundle(bundle.path)
    path.write_text(json.dumps({**content, "runner": "horse"}), encoding="utf-8")
    with pytest.raises(BundleError, match="runner"):
        load_bundle(bundle.path)
    path.write_text(text, encoding="utf-8")
    (bundle.path / "weights.safetensors").write_bytes(b"short")
    with pytest.raises(BundleError, match="cannot be read"):
        _ = load_bundle(bundle.path).weights
    path.write_text(json.dumps({**content, "runner": "network"}), encoding="utf-8")
    with pytest.raises(BundleError, match=r"lacks model\.onnx"):
        load_bundle(bundle.path)
