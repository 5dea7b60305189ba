"""The sentence for a competition, and where weights came from in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from finding_nemo.cli.app import app
from finding_nemo.core.errors import SettingsError
from finding_nemo.models.bundle.bundle import load_bundle
from finding_nemo.models.bundle.declaration import declaration
from finding_nemo.models.weights_origin import (
    METADATA_KEY,
    WeightsOrigin,
    distinct_origins,
    origins_in_words,
    origins_of_metadata,
    random_weights,
)

_HASH = "0123456789abcdef" * 4
_WHEEL = WeightsOrigin(
    backbone="tf_efficientnet_lite2",
    kind="pretrained",
    source="the Python package weights",
    sha256=_HASH,
    license="apache-2.0",
)


def sentence(small_bundle: Path, **changes: Any) -> str:
    return declaration(load_bundle(small_bundle).manifest.model_copy(update=changes))


def test_sentence__names_models_hashes_licenses_and_data(small_bundle: Path) -> None:
    found = sentence(
        small_bundle, weights_origins=(_WHEEL,), provenance={"dataset": "../fathomnet"}
    )
    assert found == (
        "Pretrained models and additional data used: tf_efficientnet_lite2, pretrained weights "
        f"from the Python package weights (license apache-2.0, SHA-256 {_HASH}); trained on "
        "fathomnet, no additional data."
    )


def test_sentence__says_what_is_random_unknown_or_reviewed(small_bundle: Path) -> None:
    data = {"dataset": "/a/b/frames.csv", "reviews": "../r/reviews.csv"}
    two = (random_weights("resnet18"), WeightsOrigin(backbone="mine", kind="registered"))
    found = sentence(small_bundle, weights_origins=two, provenance=data)
    assert "no pretrained model (resnet18 from RANDOM weights); mine, a network of" in found
    assert found.endswith(
        "trained on frames.csv, and on additional frames reviewed by people (reviews.csv)."
    )
    none = sentence(small_bundle, weights_origins=(), provenance={})
    assert "no pretrained model, since it has no network; trained on a data set that is" in none
    old = sentence(small_bundle, weights_origins=None, settings={"backbone": "resnet18"})
    assert "is not recorded (its backbone is resnet18), since an earlier version" in old


def test_verb__prints_it(small_bundle: Path) -> None:
    result = CliRunner().invoke(app, ["declare", str(small_bundle)])
    assert result.exit_code == 0
    assert result.output.startswith("Pretrained models and additional data used: ")


def test_words__of_each_kind() -> None:
    assert origins_in_words(None) == "Where its backbone's weights came from is not recorded."
    assert origins_in_words(()) == "No network: nothing was pretrained."
    assert origins_in_words((_WHEEL, random_weights("resnet18"))) == (
        "Before the training: tf_efficientnet_lite2: pretrained weights from the Python package "
        "weights (license apache-2.0, SHA-256 0123456789ab...); resnet18: RANDOM weights; nothing "
        "was pretrained."
    )


def test_metadata__of_a_stranger_is_passed_over() -> None:
    assert origins_of_metadata({METADATA_KEY: [_WHEEL.model_dump()]}) == (_WHEEL,)
    for odd in (None, "text", [1], [{"backbone": "a\x1bb", "kind": "random"}], [{"kind": "x"}]):
        assert origins_of_metadata({METADATA_KEY: odd}) is None
    assert origins_of_metadata({}) is None


def test_origin__holds_no_control_characters_and_no_other_hash() -> None:
    with pytest.raises(SettingsError, match="control characters"):
        WeightsOrigin.build({"backbone": "a\x1bb", "kind": "random"})
    with pytest.raises(SettingsError, match="sha256"):
        WeightsOrigin.build({"backbone": "a", "kind": "pretrained", "sha256": "12"})


def test_ensemble__has_each_origin_once_or_none_known() -> None:
    random = random_weights("resnet18")
    assert distinct_origins([(_WHEEL,), (random, _WHEEL)]) == (_WHEEL, random)
    assert distinct_origins([(_WHEEL,), None]) is None
