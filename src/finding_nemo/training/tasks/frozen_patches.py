"""Heads on the patches of a frozen network, made ready for the one loop."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from finding_nemo.core.records import ImageRecord
from finding_nemo.core.reporter import Tell
from finding_nemo.models.networks.backbones import freeze
from finding_nemo.models.networks.frozen_patch_network import (
    FrozenPatchHeads,
    FrozenPatchNetwork,
    PatchFeatures,
    spread_of,
)
from finding_nemo.models.networks.patch_heads import PatchHeads, PoolingConfig
from finding_nemo.models.onnx_export.export_onnx import export_onnx
from finding_nemo.training.examples.cached_inputs import CachedInputs, Tick, cache_features
from finding_nemo.training.examples.partition import Partition
from finding_nemo.training.examples.patch_examples import PatchExamples
from finding_nemo.training.loop.trainer import TrainingExamples
from finding_nemo.training.optimization.layer_decay import boxes_in_words, has_box_supervision
from finding_nemo.training.optimization.losses import Objective, image_and_patch_loss
from finding_nemo.training.recipes.registry import PatchesSettings
from finding_nemo.training.tasks.backbone_spec import choose_backbone_spec
from finding_nemo.training.tasks.training_task import (
    TrainingTask,
    as_tensor,
    examples,
    prior_of,
    validation_inputs,
)

# Half the bytes on disk; features of a network are known to three digits at best.
_STORED = np.float16
# Twice as many at most: enough for a spread, and 0.4 GB of 15 x 11 patches.
_FRAMES_FOR_SPREAD = 256


def set_up_patches(
    settings: PatchesSettings, partition: Partition, *, notify: Tell, tick: Tick
) -> TrainingTask:
    """Return heads on the features of each patch, computed once and kept on disk."""
    backbone_spec = choose_backbone_spec(settings, partition, notify)
    backbone: Any = freeze(backbone_spec.backbone)
    row_shape = (math.prod(backbone_spec.grid), backbone.num_features)
    notify(f"features of patches: {_on_disk(row_shape, partition)}.")
    features = PatchFeatures(backbone)
    exported = export_onnx(features, backbone_spec.preprocessing, output="patches")

    def ready(records: Sequence[ImageRecord]) -> CachedInputs:
        return cache_features(
            records,
            backbone_spec.preprocessing,
            exported,
            row_shape=row_shape,
            dtype=_STORED,
            tick=tick,
        )

    train = ready(partition.train)
    heads = _heads(settings, train, partition, announced_pooling(settings, notify))
    return TrainingTask(
        trained=heads,
        whole=FrozenPatchNetwork(features, heads),
        preprocessing=backbone_spec.preprocessing,
        prepare=as_tensor,
        objective=Objective(
            image_and_patch_loss(len(partition.dataset.categories), settings.patch_loss_weight),
            "sigmoid",
        ),
        train=train,
        val=validation_inputs(train, partition, ready),
        training=_training(train, partition, backbone_spec.grid, notify),
        unused=frozenset(() if has_box_supervision(partition.train) else {"patch_loss_weight"}),
    )


def announced_pooling(settings: PatchesSettings, notify: Tell) -> PoolingConfig:
    """Return how prediction weighs the heads, as set, and say so."""
    said = PoolingConfig(settings.global_weight, settings.top_k_patches)
    patches = f"its {said.top_k_patches} clearest" if said.top_k_patches else "all its"
    notify(
        f"prediction: {said.global_weight} of what the whole frame says, beside {patches} patches: "
        "the recipe's."
    )
    return said


def _on_disk(row_shape: tuple[int, int], partition: Partition) -> str:
    n_images = len(partition.train) + len(partition.val)
    size = n_images * math.prod(row_shape) * np.dtype(_STORED).itemsize
    return f"those of {n_images} images are computed once and take {size / 1e9:.1f} GB on disk"


def _heads(
    settings: PatchesSettings, train: CachedInputs, partition: Partition, pooling: PoolingConfig
) -> FrozenPatchHeads:
    step = max(len(train.rows) // _FRAMES_FOR_SPREAD, 1)
    frames = train.rows.take(np.arange(0, len(train.rows), step)).astype(np.float32)
    n_features = frames.shape[2]
    heads = PatchHeads(prior_of(train, partition), n_features=n_features, pooling=pooling)
    return FrozenPatchHeads(heads, spread_of(frames), dropout=settings.dropout)


def _training(
    train: CachedInputs, partition: Partition, grid: tuple[int, int], notify: Tell
) -> TrainingExamples:
    boxed = boxes_in_words(partition.train)
    if not has_box_supervision(partition.train):
        notify(f"patches learn from whole frames: {boxed}.")
        return examples(train, partition)
    notify(f"patches learn from boxes: {boxed}.")
    return PatchExamples(train.records, train.rows, partition.dataset.categories, grid)
