"""A task whose related categories are no negatives of each other, on request."""

from __future__ import annotations

from typing import Any, cast

import pytest
import torch

from finding_nemo.core.errors import SettingsError
from finding_nemo.core.reporter import Reporter
from finding_nemo.training.optimization.losses import summed_bce_loss
from finding_nemo.training.recipes.registry import RECIPES, find_recipe, recipe_settings
from finding_nemo.training.recipes.settings import ProbeSettings
from finding_nemo.training.tasks.ancestors import with_ancestors
from finding_nemo.training.tasks.training_task import TrainingTask

NAMES = ("Munididae", "Munida", "Gastropoda")
NOT_READ = cast(Any, None)


def task_of(**changes: object) -> TrainingTask:
    settings = recipe_settings(find_recipe("probe"), changes)
    assert isinstance(settings, ProbeSettings)
    return TrainingTask(
        settings=settings,
        network=NOT_READ,
        deployed=NOT_READ,
        activation="sigmoid",
        loss=summed_bce_loss,
        preprocessing=NOT_READ,
        prepare=NOT_READ,
        train_inputs=NOT_READ,
        val_inputs=NOT_READ,
        examples=NOT_READ,
        weights_origin=NOT_READ,
    )


def test_a_task__is_as_it_was_unless_asked() -> None:
    told: list[str] = []
    task = task_of()
    assert with_ancestors(task, NAMES, Reporter(told.append)) is task
    assert told == []


def test_a_task__leaves_relatives_out_and_says_so() -> None:
    told: list[str] = []
    task = with_ancestors(task_of(ancestors="ignored"), NAMES, Reporter(told.append))
    assert told == [
        "ancestors: categories of which one stands above the other in the tree of names are no "
        "negatives of each other (pairs: 1)."
    ]
    outputs, truth = torch.tensor([[5.0, 1.0, -1.0]]), torch.tensor([[0.0, 1.0, 0.0]])
    assert task.loss(outputs, truth) == summed_bce_loss(outputs[:, 1:], truth[:, 1:])
    assert "ancestors" not in task.unused


def test_a_task__without_related_categories_says_that_nothing_is_ignored() -> None:
    told: list[str] = []
    task = with_ancestors(task_of(ancestors="ignored"), ("a", "b"), Reporter(told.append))
    assert "none of the 2 categories is known to stand above another" in told[0]
    assert task.loss is summed_bce_loss
    assert task.unused == {"ancestors"}


def test_the_setting__is_of_every_network_and_takes_two_words() -> None:
    for name, recipe in RECIPES.items():
        assert ("ancestors" in type(recipe.settings).model_fields) == recipe.has_network, name
    with pytest.raises(SettingsError, match="ancestors"):
        recipe_settings(find_recipe("nemo"), {"ancestors": "positive"})
