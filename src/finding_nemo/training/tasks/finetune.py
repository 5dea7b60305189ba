"""Each kind of network recipe, made ready for the one loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.core.records import ImageRecord
from finding_nemo.core.reporter import Tell
from finding_nemo.models.networks.backbones import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    freeze,
    load_backbone,
)
from finding_nemo.models.networks.patch_heads import TRAINING_POOLING, PatchHeads, PoolingConfig
from finding_nemo.models.networks.patch_network import PatchNetwork
from finding_nemo.models.networks.study_networks import (
    LinearProbe,
    ProbeNetwork,
    basic_network,
    linear_on_pixels,
)
from finding_nemo.models.onnx_export.export_onnx import export_onnx
from finding_nemo.training.augmentation.cutout import PreparePixels
from finding_nemo.training.auto.gradient_checkpointing import (
    RECOMPUTED,
    choose_gradient_checkpointing,
)
from finding_nemo.training.auto.hardware import choose_device
from finding_nemo.training.examples.augmented_examples import AugmentedExamples
from finding_nemo.training.examples.cached_inputs import (
    CachedInputs,
    Tick,
    cache_features,
    cache_pixels,
)
from finding_nemo.training.examples.partition import Partition
from finding_nemo.training.optimization.grad_accumulation import choose_micro_batch_size
from finding_nemo.training.optimization.layer_decay import (
    LayerCount,
    choose_layers,
    freeze_lowest,
    has_box_supervision,
    layer_rate_factors,
)
from finding_nemo.training.optimization.losses import OBJECTIVES, Objective, image_and_patch_loss
from finding_nemo.training.recipes.registry import (
    ON_PIXELS,
    NemoSettings,
    NetworkSettings,
    ProbeSettings,
)
from finding_nemo.training.tasks.backbone_spec import choose_backbone_spec
from finding_nemo.training.tasks.frozen_patches import announced_pooling
from finding_nemo.training.tasks.training_task import (
    TrainingTask,
    as_tensor,
    examples,
    prior_of,
    validation_inputs,
)

_PIXEL_NETWORKS = dict(zip(ON_PIXELS, (linear_on_pixels, basic_network), strict=True))


def set_up_network(
    settings: NetworkSettings, partition: Partition, *, notify: Tell, tick: Tick
) -> TrainingTask:
    """Return a network that is trained on pixels."""
    n_categories = len(partition.dataset.categories)
    mean, std = IMAGENET_MEAN, IMAGENET_STD
    if settings.backbone in _PIXEL_NETWORKS:
        n_pixels = 3 * settings.width_px * settings.height_px
        network = _PIXEL_NETWORKS[settings.backbone](n_pixels, n_categories)
    else:
        loaded = load_backbone(
            settings.backbone, n_outputs=n_categories, pretrained=settings.pretrained is not False
        )
        notify(f"backbone {settings.backbone}: {loaded.weights}.")
        network = loaded.network.to(memory_format=torch.channels_last)
        mean, std = loaded.mean, loaded.std
    if not settings.normalise:
        mean, std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    preprocessing = Preprocessing(
        width_px=settings.width_px, height_px=settings.height_px, mean=mean, std=std
    )
    prepare = PreparePixels(
        preprocessing,
        cutout_px=settings.cutout_px,
        channels_last=settings.backbone not in _PIXEL_NETWORKS,
    )

    def ready(records: Sequence[ImageRecord]) -> CachedInputs:
        return cache_pixels(records, preprocessing, tick=tick)

    train = ready(partition.train)
    return TrainingTask(
        trained=network,
        whole=network,
        preprocessing=preprocessing,
        prepare=prepare,
        objective=OBJECTIVES[settings.loss],
        train=train,
        val=validation_inputs(train, partition, ready),
        training=examples(train, partition),
        unused=frozenset({"pretrained"} if settings.backbone in _PIXEL_NETWORKS else ()),
    )


def set_up_probe(
    settings: ProbeSettings, partition: Partition, *, notify: Tell, tick: Tick
) -> TrainingTask:
    """Return a linear head on frozen features."""
    loaded = load_backbone(settings.backbone, n_outputs=0, pretrained=settings.pretrained)
    notify(f"backbone {settings.backbone}: {loaded.weights}.")
    backbone = freeze(loaded.network)
    preprocessing = Preprocessing(
        width_px=settings.width_px, height_px=settings.height_px, mean=loaded.mean, std=loaded.std
    )
    with torch.inference_mode():
        example = torch.zeros(1, 3, settings.height_px, settings.width_px)
        n_features = int(backbone(example).shape[1])
    exported = export_onnx(backbone, preprocessing, output="features")

    def ready(records: Sequence[ImageRecord]) -> CachedInputs:
        return cache_features(records, preprocessing, exported, row_shape=(n_features,), tick=tick)

    train = ready(partition.train)
    head = _probe_head(train, partition, settings)
    return TrainingTask(
        trained=head,
        whole=ProbeNetwork(backbone, head),
        preprocessing=preprocessing,
        prepare=as_tensor,
        objective=OBJECTIVES[settings.loss],
        train=train,
        val=validation_inputs(train, partition, ready),
        training=examples(train, partition),
    )


def set_up_small_animals(
    settings: NemoSettings, partition: Partition, *, seed: int, notify: Tell, tick: Tick
) -> TrainingTask:
    """Return a network that looks for each animal in each patch, and views to teach it."""
    backbone_spec = choose_backbone_spec(settings, partition, notify)
    backbone: Any = backbone_spec.backbone.to(memory_format=torch.channels_last)
    chosen = choose_layers(settings.trained_layers, partition.train)
    trained = freeze_lowest(backbone, trained_layers=chosen.layers)
    notify(f"training {trained.trained} of {trained.all} layers: {chosen.reason}.")
    step = _step_in_memory(settings, backbone_spec.preprocessing, trained, notify)
    if step.recomputation == RECOMPUTED:
        backbone.set_grad_checkpointing()

    def ready(records: Sequence[ImageRecord]) -> CachedInputs:
        return cache_pixels(records, backbone_spec.preprocessing, tick=tick)

    train = ready(partition.train)
    categories = partition.dataset.categories
    heads = PatchHeads(
        prior_of(train, partition),
        n_features=backbone.num_features,
        pooling=_pooling(settings, partition, notify),
    )
    network = PatchNetwork(backbone, heads, dropout=settings.dropout)
    return TrainingTask(
        trained=network,
        whole=network,
        preprocessing=backbone_spec.preprocessing,
        prepare=PreparePixels(backbone_spec.preprocessing, cutout_px=0, channels_last=True),
        objective=Objective(
            image_and_patch_loss(len(categories), settings.patch_loss_weight), "sigmoid"
        ),
        train=train,
        val=validation_inputs(train, partition, ready),
        training=AugmentedExamples.of(
            train,
            categories,
            grid=backbone_spec.grid,
            copy_paste=settings.copy_paste,
            color_transfer_prob=settings.color_transfer_prob,
            seed=seed,
        ),
        rate_factors=layer_rate_factors(
            backbone,
            highest=settings.backbone_rate,
            decay=settings.layer_decay,
            prefix="backbone.",
        ),
        micro_batch_size=step.micro_batch_size,
        unused=frozenset(
            () if has_box_supervision(partition.train) else {"global_weight", "top_k_patches"}
        ),
    )


def _pooling(settings: NemoSettings, partition: Partition, notify: Tell) -> PoolingConfig:
    """Return how prediction weighs the heads: patches that no box taught are not set apart."""
    if not has_box_supervision(partition.train):
        notify("prediction weighs patches and frame as training does: boxes did not teach it.")
        return TRAINING_POOLING
    return announced_pooling(settings, notify)


@dataclass(frozen=True, slots=True)
class _Step:
    micro_batch_size: int
    recomputation: str


def _step_in_memory(
    settings: NemoSettings, frames: Preprocessing, trained: LayerCount, notify: Tell
) -> _Step:
    """Return how a step is kept within the machine's memory."""
    n_pixels = frames.width_px * frames.height_px
    every_layer = trained.trained == trained.all
    device = choose_device(settings.device).value
    micro_batch = choose_micro_batch_size(
        settings.micro_batch_size,
        batch_size=settings.batch_size,
        n_pixels=n_pixels,
        every_layer=every_layer,
        device=device,
    )
    notify(f"micro-batch size {micro_batch.in_words}: {micro_batch.reason}.")
    recomputation = choose_gradient_checkpointing(
        settings.gradient_checkpointing,
        n_pixels=n_pixels * (micro_batch.images or settings.batch_size),
        every_layer=every_layer,
        device=device,
    )
    notify(f"gradient checkpointing {recomputation.value}: {recomputation.reason}.")
    return _Step(micro_batch.images, recomputation.value)


def _probe_head(train: CachedInputs, partition: Partition, settings: ProbeSettings) -> LinearProbe:
    features = train.rows.take(np.arange(len(train.rows))).astype(np.float64)
    std = np.maximum(features.std(axis=0), 1e-6)
    return LinearProbe(
        features.mean(axis=0).astype(np.float32),
        std.astype(np.float32),
        prior_of(train, partition),
        dropout=settings.dropout,
    )
