"""A linear head on the features of a frozen network."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.core.records import ImageRecord
from finding_nemo.models.networks.backbones import freeze
from finding_nemo.models.networks.frozen_patch_network import scale_of
from finding_nemo.models.networks.patch_network import averaged_grid
from finding_nemo.models.networks.study_networks import LinearProbe, ProbeNetwork
from finding_nemo.models.onnx_export.export_onnx import export_onnx
from finding_nemo.training.examples.cached_inputs import CachedInputs, cache_features
from finding_nemo.training.examples.partition import Partition
from finding_nemo.training.loop.run_context import RunContext
from finding_nemo.training.optimization.losses import OBJECTIVES
from finding_nemo.training.recipes.settings import ProbeSettings
from finding_nemo.training.tasks.open_backbone import open_frozen_backbone
from finding_nemo.training.tasks.training_task import (
    TrainingTask,
    as_tensor,
    cache_validation,
    prior_of,
    with_truth,
)


def build_probe_task(
    settings: ProbeSettings, partition: Partition, context: RunContext
) -> TrainingTask:
    """Return a linear head on frozen features, which are computed once and kept on disk."""
    loaded = open_frozen_backbone(
        settings, (settings.height_px, settings.width_px), context.reporter
    )
    backbone = freeze(loaded.network)
    preprocessing = Preprocessing(
        width_px=settings.width_px,
        height_px=settings.height_px,
        resize=settings.resize,
        mean=loaded.mean,
        std=loaded.std,
    )
    with torch.inference_mode():
        example = torch.zeros(1, 3, settings.height_px, settings.width_px)
        n_features = int(backbone(example).shape[1])
    exported = export_onnx(backbone, preprocessing, output="features")

    def cache(records: Sequence[ImageRecord]) -> CachedInputs:
        with context.reporter.progress("reading images") as progress:
            return cache_features(
                records, preprocessing, exported, row_shape=(n_features,), progress=progress
            )

    train = cache(partition.train)
    head = _head(train, partition, settings)
    objective = OBJECTIVES[settings.loss]
    return TrainingTask(
        settings=settings,
        network=head,
        deployed=ProbeNetwork(
            backbone,
            head,
            grid=averaged_grid(
                backbone, width_px=preprocessing.width_px, height_px=preprocessing.height_px
            ),
        ),
        activation=objective.activation,
        loss=objective.loss,
        preprocessing=preprocessing,
        prepare=as_tensor,
        train_inputs=train,
        val_inputs=cache_validation(train, partition, cache),
        examples=with_truth(train, partition),
        weights_origin=loaded.origin,
        unused=loaded.unread,
    )


def _head(train: CachedInputs, partition: Partition, settings: ProbeSettings) -> LinearProbe:
    features = train.rows.take(np.arange(len(train.rows))).astype(np.float64)
    return LinearProbe(
        features.mean(axis=0).astype(np.float32),
        scale_of(features.std(axis=0)).astype(np.float32),
        prior_of(train, partition),
        dropout=settings.dropout,
    )
