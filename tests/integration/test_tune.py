"""A search of settings: on inner folds alone, with a budget, and going on where it stopped."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from finding_nemo.core.config import read_toml
from finding_nemo.core.errors import OutputExistsError, TrainingError
from finding_nemo.core.records import Dataset, Split
from finding_nemo.core.reporter import Reporter
from finding_nemo.metrics.ranking_scores import RankingScores
from finding_nemo.training.recipes.registry import find_recipe, recipe_settings
from finding_nemo.training.recipes.search_space import Space, search_space
from finding_nemo.workflows import tune_settings as tuning

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folds(dataset: Dataset, split: Split) -> Split:
    return tuning.inner_folds(dataset, split, None, n_folds=2, seed=0)


@pytest.fixture
def space() -> Space:
    return search_space(find_recipe("basic-nn"), ["learning_rate=1e-4..1e-1:log"])


def searched(dataset: Dataset, folds: Split, out: Path, space: Space, **more: Any) -> Any:
    wanted = {
        "recipe": "basic-nn",
        "settings": {"width_px": 16, "height_px": 16, "epochs": 1},
        "trials": 3,
        "reporter": Reporter(),
        **more,
    }
    return tuning.tune(dataset, out=out, folds=folds, space=space, **wanted)


def pretended(monkeypatch: pytest.MonkeyPatch, score: Any) -> list[dict[str, Any]]:
    """Let `score(settings, fold)` stand for a training; return what was asked for."""
    asked: list[dict[str, Any]] = []

    def fold_score(job: Any, settings: Mapping[str, Any], fold: int) -> tuple[RankingScores, int]:
        asked.append({**settings, "fold": fold})
        shown = float(score(settings, fold))
        return RankingScores(own=shown - 0.1, shown=shown), 10 * (fold + 1)

    monkeypatch.setattr(tuning, "_fold_score", fold_score)
    return asked


def test_test_dives__are_in_no_inner_fold(dataset: Dataset, split: Split, folds: Split) -> None:
    of_test = {row.dive for row in split.rows if row.part == "test"}
    assert of_test
    assert not of_test & {row.dive for row in folds.rows}
    assert len(folds.rows) == len(split.rows) - len(split.ids_in("test"))


def test_search__trains_judges_and_writes_what_train_takes(
    dataset: Dataset, folds: Split, space: Space, tmp_path: Path
) -> None:
    heard: list[str] = []
    found = searched(
        dataset, folds, tmp_path / "s", space, trials=2, reporter=Reporter(heard.append)
    )
    assert [trial.state for trial in found] == ["done", "done"]
    assert {bool(trial.settings) for trial in found} == {True, False}
    assert all(0 < trial.map_at_20 <= 1 for trial in found)
    best = read_toml(tmp_path / "s" / "best.toml")
    assert best == {"width_px": 16, "height_px": 16, "epochs": 1, **found[0].settings}
    recipe_settings(find_recipe("basic-nn"), best)
    assert len(heard) == 2
    assert not (tmp_path / "s" / "trial").exists()


def test_score__is_the_mean_over_images(
    dataset: Dataset, folds: Split, space: Space, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = pretended(monkeypatch, lambda settings, fold: 0.2 + 0.3 * fold)
    found = searched(dataset, folds, tmp_path / "s", space)
    # Ten images at 0.2 and twenty at 0.5.
    assert [trial.map_at_20 for trial in found] == pytest.approx([0.4] * 3)
    assert "learning_rate" not in asked[0]
    assert all(1e-4 <= row["learning_rate"] <= 1e-1 for row in asked[2:])
    assert all(row["epochs"] == 1 for row in asked)
    both = {"backbone": "basic", "normalise": True, "device": None}
    toml = tuning._toml("basic-nn", found[0], both.items())
    assert toml.splitlines()[1:] == [
        'backbone = "basic"', "normalise = true", "# add --set device=null"
    ]  # fmt: skip
    with (tmp_path / "s" / "trials.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["n_folds"] for row in rows] == ["2"] * 3
    assert [float(row["map_at_20_own"]) for row in rows] == pytest.approx([0.3] * 3)
    assert found[0].rankings.cells() == ("0.3000", "not known", "0.4000")


def test_stopped_search__goes_on_with_other_numbers(
    dataset: Dataset, folds: Split, space: Space, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stops(settings: Mapping[str, Any], fold: int) -> float:
        if len(asked) == 4:
            raise KeyboardInterrupt
        return 0.5

    asked = pretended(monkeypatch, stops)
    with pytest.raises(TrainingError, match="the same command goes on"):
        searched(dataset, folds, tmp_path / "s", space, trials=4)
    found = searched(dataset, folds, tmp_path / "s", space, trials=4)
    assert [trial.state for trial in found] == ["done"] * 4
    assert len({str(trial.settings) for trial in found}) == 4
    assert len(searched(dataset, folds, tmp_path / "s", space, trials=4)) == 4
    other = tuning.inner_folds(dataset, None, None, n_folds=3, seed=1)
    with pytest.raises(OutputExistsError, match="holds another search"):
        searched(dataset, other, tmp_path / "s", space)
    with pytest.raises(OutputExistsError, match="holds another search"):
        searched(dataset, folds, tmp_path / "s", space, recipe="resnet18")


def test_stopped_before_the_first_trial_ended__begins_with_the_recipe_again(
    dataset: Dataset, folds: Split, space: Space, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stops(settings: Mapping[str, Any], fold: int) -> float:
        if len(asked) == 1:
            raise KeyboardInterrupt
        return 0.5

    asked = pretended(monkeypatch, stops)
    with pytest.raises(TrainingError, match="the same command goes on"):
        searched(dataset, folds, tmp_path / "s", space)
    found = searched(dataset, folds, tmp_path / "s", space)
    both = tuning.best_and_own(found)
    assert both is not None
    assert both[1].settings == {}


def test_failed_and_poor_trials__are_told_and_last(
    dataset: Dataset, folds: Split, space: Space, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def score(settings: Mapping[str, Any], fold: int) -> float:
        if len(asked) == 3:
            raise TrainingError("The loss is nan")
        return 0.1 if len(asked) > 13 else 0.5 + 0.001 * len(asked)

    asked = pretended(monkeypatch, score)
    heard: list[str] = []
    found = searched(
        dataset, folds, tmp_path / "s", space, trials=9, reporter=Reporter(heard.append)
    )
    assert [trial.state for trial in found if trial.state != "done"][-1:] == ["failed"]
    assert "given up" in {trial.state for trial in found}
    assert found[0].state == "done"
    assert any(", failed, " in line and "The loss is nan" in line for line in heard)
