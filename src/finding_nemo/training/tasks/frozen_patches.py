"""Heads on the places of a frozen network, made ready for the one loop."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from finding_nemo.core.records import ImageRecord
from finding_nemo.core.reporter import Tell
from finding_nemo.models.networks.backbones import freeze
from finding_nemo.models.networks.frozen_patch_network import (
    FrozenPlaceHeads,
    FrozenPlaceNetwork,
    PlaceFeatures,
    spread_of,
)
from finding_nemo.models.networks.patch_heads import Judgement, PlaceHeads
from finding_nemo.models.onnx_export.export_onnx import export_onnx
from finding_nemo.training.examples.cached_inputs import ReadyInputs, Tick, ready_features
from finding_nemo.training.examples.partition import Parts
from finding_nemo.training.examples.patch_examples import PlaceExamples
from finding_nemo.training.loop.trainer import TrainingExamples
from finding_nemo.training.optimization.layer_decay import boxes_in_words, boxes_teach
from finding_nemo.training.optimization.losses import Objective, image_and_place_loss
from finding_nemo.training.recipes.registry import PlacesSettings
from finding_nemo.training.tasks.backbone_spec import choose_sight
from finding_nemo.training.tasks.training_task import (
    Ready,
    as_tensor,
    examples,
    prior_of,
    validation_inputs,
)

# Half the bytes on disk; features of a network are known to three digits at best.
_STORED = np.float16
# Twice as many at most: enough for a spread, and 0.4 GB of 15 x 11 places.
_FRAMES_FOR_SPREAD = 256


def set_up_places(settings: PlacesSettings, parts: Parts, *, notify: Tell, tick: Tick) -> Ready:
    """Return heads on the features of each place, computed once and kept on disk."""
    sight = choose_sight(settings, parts, notify)
    backbone: Any = freeze(sight.backbone)
    row_shape = (math.prod(sight.grid), backbone.num_features)
    notify(f"features of places: {_on_disk(row_shape, parts)}.")
    features = PlaceFeatures(backbone)
    exported = export_onnx(features, sight.preprocessing, output="places")

    def ready(records: Sequence[ImageRecord]) -> ReadyInputs:
        return ready_features(
            records, sight.preprocessing, exported, row_shape=row_shape, dtype=_STORED, tick=tick
        )

    train = ready(parts.train)
    heads = _heads(settings, train, parts, told_judgement(settings, notify))
    return Ready(
        trained=heads,
        whole=FrozenPlaceNetwork(features, heads),
        preprocessing=sight.preprocessing,
        prepare=as_tensor,
        objective=Objective(
            image_and_place_loss(len(parts.dataset.categories), settings.place_weight), "sigmoid"
        ),
        train=train,
        val=validation_inputs(train, parts, ready),
        training=_training(train, parts, sight.grid, notify),
        unused=frozenset(() if boxes_teach(parts.train) else {"place_weight"}),
    )


def told_judgement(settings: PlacesSettings, notify: Tell) -> Judgement:
    """Return how prediction weighs the heads, as set, and say so."""
    said = Judgement(settings.whole_share, settings.strongest_places)
    places = f"its {said.strongest_places} clearest" if said.strongest_places else "all its"
    notify(
        f"prediction: {said.whole_share} of what the whole frame says, beside {places} places: "
        "the recipe's."
    )
    return said


def _on_disk(row_shape: tuple[int, int], parts: Parts) -> str:
    n_images = len(parts.train) + len(parts.val)
    size = n_images * math.prod(row_shape) * np.dtype(_STORED).itemsize
    return f"those of {n_images} images are computed once and take {size / 1e9:.1f} GB on disk"


def _heads(
    settings: PlacesSettings, train: ReadyInputs, parts: Parts, judgement: Judgement
) -> FrozenPlaceHeads:
    step = max(len(train.rows) // _FRAMES_FOR_SPREAD, 1)
    frames = train.rows.take(np.arange(0, len(train.rows), step)).astype(np.float32)
    n_features = frames.shape[2]
    heads = PlaceHeads(prior_of(train, parts), n_features=n_features, judgement=judgement)
    return FrozenPlaceHeads(heads, spread_of(frames), dropout=settings.dropout)


def _training(
    train: ReadyInputs, parts: Parts, grid: tuple[int, int], notify: Tell
) -> TrainingExamples:
    boxed = boxes_in_words(parts.train)
    if not boxes_teach(parts.train):
        notify(f"places learn from whole frames: {boxed}.")
        return examples(train, parts)
    notify(f"places learn from boxes: {boxed}.")
    return PlaceExamples(train.records, train.rows, parts.dataset.categories, grid)
