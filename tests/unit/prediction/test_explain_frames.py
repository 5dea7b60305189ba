"""Where guesses come from: the network's own maps, covering for others, and names of categories."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from finding_nemo.core.categories import Category, CategoryTable
from finding_nemo.core.errors import BundleError, SettingsError
from finding_nemo.models.bundle.bundle import load_bundle, write_bundle
from finding_nemo.prediction.covered_parts import GRID
from finding_nemo.prediction.explain_frames import (
    COVERING,
    EXACT,
    ExplainedGuess,
    Explainer,
    find_category,
)
from finding_nemo.prediction.predictor import Predictor
from finding_nemo.prediction.sources.image_sources import collect_images


@pytest.fixture(scope="module")
def two_frames(many_frames: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("explained")
    (folder / "a.png").write_bytes((many_frames / "dive0/001.png").read_bytes())
    (folder / "b.png").write_bytes(b"")
    return folder


def test_own_maps__are_those_of_predictions(bundle_with_maps: Path, two_frames: Path) -> None:
    explainer = Explainer(load_bundle(bundle_with_maps))
    assert explainer.way == EXACT
    first, failed = explainer.explain(collect_images([str(two_frames)]), n_guesses=5)
    predicted = next(iter(Predictor(bundle_with_maps, with_maps=True).predict(two_frames)))
    assert predicted.maps is not None
    assert predicted.probabilities is not None
    for guess, heat, (category, probability) in zip(
        first.guesses, predicted.maps, predicted.top(5), strict=True
    ):
        assert guess.name == getattr(category, "name", category)
        assert guess.probability == pytest.approx(probability)
        np.testing.assert_array_equal(guess.heat, heat)
    assert failed.prediction.failure
    assert failed.guesses == ()


def test_older_bundle__is_explained_by_covering(small_bundle: Path, two_frames: Path) -> None:
    explainer = Explainer(load_bundle(small_bundle))
    assert explainer.way == COVERING
    found = next(iter(explainer.explain(collect_images([str(two_frames)]), column=7)))
    assert [guess.name for guess in found.guesses] == ["animal 7"]
    assert found.guesses[0].heat.shape == (GRID, GRID)


def test_baseline__has_no_place_to_show(small_bundle: Path, tmp_path: Path) -> None:
    few = load_bundle(small_bundle).manifest.categories[:9]
    manifest = load_bundle(small_bundle).manifest.model_copy(
        update={"files": {}, "runner": "prior", "recipe": "frequency", "categories": few}
    )
    folder = tmp_path / "bundle"
    write_bundle(folder, manifest, weights={"prior": np.full(9, 0.1)}, novelty={}, network=None)
    with pytest.raises(BundleError, match="opens no image, so no place .* Name a bundle"):
        Explainer(load_bundle(folder))


def test_peak__by_hand() -> None:
    def guess(heat: list[list[int]]) -> ExplainedGuess:
        return ExplainedGuess(
            column=0, name="crab", supercategory="", probability=0.5, heat=np.array(heat, np.uint8)
        )

    assert guess([[0, 0, 0, 0], [0, 255, 0, 17]]).peak == (0.375, 0.75)
    assert guess([[0, 0]]).peak is None


def test_category__is_found_by_name_or_id() -> None:
    names = ((4, "Crab"), (9, "crab"), (11, "Sea star"), (12, "9"))
    table = CategoryTable(tuple(Category(number, name, "") for number, name in names))
    assert [find_category(table, text) for text in ("crab", "Crab", "sea STAR", "11")] == [
        1, 0, 2, 2,
    ]  # fmt: skip
    assert find_category(table, "9") == 3
    with pytest.raises(SettingsError, match="names 2 categories; give one of the ids 4, 9"):
        find_category(table, "CRAB")
    with pytest.raises(SettingsError, match="no category 'Sea sta'; .* Did you mean Sea star"):
        find_category(table, "Sea sta")
