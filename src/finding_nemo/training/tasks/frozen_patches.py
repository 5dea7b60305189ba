"""Heads on the patches of a frozen network."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np

from finding_nemo.core.records import ImageRecord
from finding_nemo.models.networks.backbones import freeze
from finding_nemo.models.networks.frozen_patch_network import (
    FrozenPatchHeads,
    FrozenPatchNetwork,
    PatchFeatures,
    spread_of,
)
from finding_nemo.models.networks.patch_heads import PatchHeads, PoolingConfig
from finding_nemo.models.onnx_export.export_onnx import export_onnx
from finding_nemo.training.auto.box_supervision import boxes_in_words, has_box_supervision
from finding_nemo.training.auto.epoch_budget import FROZEN_BUDGET, EpochBudget, choose_epochs
from finding_nemo.training.examples.cached_inputs import CachedInputs, cache_features
from finding_nemo.training.examples.examples import TrainingExamples
from finding_nemo.training.examples.partition import Partition
from finding_nemo.training.examples.patch_examples import PatchExamples
from finding_nemo.training.loop.run_context import RunContext
from finding_nemo.training.optimization.losses import image_and_patch_loss
from finding_nemo.training.recipes.settings import PatchesSettings
from finding_nemo.training.tasks.backbone_spec import choose_backbone_spec
from finding_nemo.training.tasks.training_task import (
    TrainingTask,
    as_tensor,
    cache_validation,
    prior_of,
    with_truth,
)

SomeSettings = TypeVar("SomeSettings", bound=PatchesSettings)

# Half the bytes on disk; features of a network are known to three digits at best.
_STORED = np.float16
# Twice as many at most: enough for a spread.
_FRAMES_FOR_SPREAD = 256


def build_frozen_patch_task(
    settings: PatchesSettings, partition: Partition, context: RunContext
) -> TrainingTask:
    """Return heads on the features of each patch, computed once and kept on disk."""
    settings = with_epochs(settings, partition, FROZEN_BUDGET, context)
    spec = choose_backbone_spec(settings, partition, context)
    backbone: Any = freeze(spec.backbone)
    row_shape = (math.prod(spec.grid), backbone.num_features)
    context.reporter.message(f"features of patches: {_on_disk(row_shape, partition)}.")
    features = PatchFeatures(backbone)
    exported = export_onnx(features, spec.preprocessing, output="patches")

    def cache(records: Sequence[ImageRecord]) -> CachedInputs:
        with context.reporter.progress("reading images") as progress:
            return cache_features(
                records,
                spec.preprocessing,
                exported,
                row_shape=row_shape,
                dtype=_STORED,
                progress=progress,
            )

    train = cache(partition.train)
    heads = _heads(settings, train, partition, announced_pooling(settings, context))
    return TrainingTask(
        settings=settings,
        network=heads,
        deployed=FrozenPatchNetwork(features, heads, grid=spec.grid),
        activation="sigmoid",
        loss=image_and_patch_loss(len(partition.dataset.categories), settings.patch_loss_weight),
        preprocessing=spec.preprocessing,
        weights_origin=spec.origin,
        prepare=as_tensor,
        train_inputs=train,
        val_inputs=cache_validation(train, partition, cache),
        examples=_examples(train, partition, spec.grid, context),
        unused=spec.unread
        | frozenset(() if has_box_supervision(partition.train) else {"patch_loss_weight"}),
    )


def with_epochs(
    settings: SomeSettings, partition: Partition, budget: EpochBudget, context: RunContext
) -> SomeSettings:
    """Return settings whose `epochs` are above 0: as set, or as many as the budget has, and say."""
    if settings.epochs:
        return settings
    chosen = choose_epochs(settings.epochs, len(partition.train), budget)
    return settings.model_copy(update={"epochs": context.announce("epochs", chosen)})


def announced_pooling(settings: PatchesSettings, context: RunContext) -> PoolingConfig:
    """Return how prediction weighs the heads, as set, and say so."""
    pooling = PoolingConfig(settings.global_weight, settings.top_k_patches)
    patches = f"its {pooling.top_k_patches} clearest" if pooling.top_k_patches else "all its"
    context.reporter.message(
        f"prediction: {pooling.global_weight} of what the whole frame says, beside {patches} "
        "patches: the recipe's."
    )
    return pooling


def _on_disk(row_shape: tuple[int, int], partition: Partition) -> str:
    n_images = len(partition.train) + len(partition.val)
    size = n_images * math.prod(row_shape) * np.dtype(_STORED).itemsize
    return f"those of {n_images} images are computed once and take {size / 1e9:.1f} GB on disk"


def _heads(
    settings: PatchesSettings, train: CachedInputs, partition: Partition, pooling: PoolingConfig
) -> FrozenPatchHeads:
    step = max(len(train.rows) // _FRAMES_FOR_SPREAD, 1)
    rows = range(0, len(train.rows), step)
    spread = spread_of(train.rows.take(np.array([row]))[0] for row in rows)
    n_features = len(spread.mean)
    heads = PatchHeads(prior_of(train, partition), n_features=n_features, pooling=pooling)
    return FrozenPatchHeads(heads, spread, dropout=settings.dropout)


def _examples(
    train: CachedInputs, partition: Partition, grid: tuple[int, int], context: RunContext
) -> TrainingExamples:
    boxed = boxes_in_words(partition.train)
    if not has_box_supervision(partition.train):
        context.reporter.message(f"patches learn from whole frames: {boxed}.")
        return with_truth(train, partition)
    context.reporter.message(f"patches learn from boxes: {boxed}.")
    return PatchExamples(train.records, train.rows, partition.dataset.categories, grid)
