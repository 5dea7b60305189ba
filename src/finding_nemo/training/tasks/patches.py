"""`nemo`: a network that looks for each animal in each patch, trained on augmented views."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.core.records import ImageRecord
from finding_nemo.models.networks.patch_heads import TRAINING_POOLING, PatchHeads, PoolingConfig
from finding_nemo.models.networks.patch_network import PatchNetwork
from finding_nemo.training.augmentation.cutout import PreparePixels
from finding_nemo.training.augmentation.plan import AugmentationPolicy
from finding_nemo.training.auto.box_supervision import (
    EVERY_LAYER,
    choose_layers,
    has_box_supervision,
)
from finding_nemo.training.auto.epoch_budget import (
    EVERY_LAYER_BUDGET,
    SOME_LAYERS_BUDGET,
)
from finding_nemo.training.auto.fallback_without_boxes import choose_fallback
from finding_nemo.training.auto.gradient_checkpointing import choose_gradient_checkpointing
from finding_nemo.training.auto.hardware import (
    choose_device,
    choose_rendering_threads,
    normalising_device,
)
from finding_nemo.training.examples.augmented_examples import AugmentedExamples
from finding_nemo.training.examples.cached_inputs import CachedInputs, cache_pixels
from finding_nemo.training.examples.partition import Partition
from finding_nemo.training.loop.run_context import RunContext
from finding_nemo.training.optimization.grad_accumulation import choose_micro_batch_size
from finding_nemo.training.optimization.layer_decay import (
    LayerCount,
    freeze_lowest,
    layer_rate_factors,
)
from finding_nemo.training.optimization.losses import image_and_patch_loss
from finding_nemo.training.recipes.registry import find_recipe
from finding_nemo.training.recipes.settings import NemoSettings
from finding_nemo.training.tasks.backbone_spec import choose_backbone_spec
from finding_nemo.training.tasks.frozen_patches import announced_pooling, with_epochs
from finding_nemo.training.tasks.training_task import TrainingTask, cache_validation, prior_of


def build_nemo_task(
    settings: NemoSettings, partition: Partition, context: RunContext
) -> TrainingTask:
    """Return a network that looks for each animal in each patch, and augmented views for it.

    Where boxes are wanted and there are few, or the backbone cannot be trained, another recipe is
    built in its place, which the task states.
    """
    fallback = choose_fallback(settings, context.recipe, partition.train)
    if fallback is None:
        return _build(settings, partition, context)
    context.reporter.message(fallback.in_words)
    build = find_recipe(fallback.recipe).builder()
    task: TrainingTask = build(fallback.settings, partition, context)
    return replace(task, built_as=f"{fallback.recipe}: {fallback.reason}")


def _build(settings: NemoSettings, partition: Partition, context: RunContext) -> TrainingTask:
    chosen = choose_layers(settings.trained_layers, partition.train)
    budget = EVERY_LAYER_BUDGET if chosen.value >= EVERY_LAYER else SOME_LAYERS_BUDGET
    settings = with_epochs(settings, partition, budget, context)
    spec = choose_backbone_spec(settings, partition, context)
    backbone: Any = spec.backbone.to(memory_format=torch.channels_last)
    trained = freeze_lowest(backbone, trained_layers=chosen.value)
    context.reporter.message(
        f"training {trained.trained} of {trained.all} layers: {chosen.reason}."
    )
    memory = _choose_memory(settings, spec.preprocessing, trained, context)
    if memory.gradient_checkpointing:
        _checkpoint_gradients(backbone, context)

    def cache(records: Sequence[ImageRecord]) -> CachedInputs:
        with context.reporter.progress("reading images") as progress:
            return cache_pixels(records, spec.preprocessing, progress=progress)

    train = cache(partition.train)
    categories = partition.dataset.categories
    heads = PatchHeads(
        prior_of(train, partition),
        n_features=backbone.num_features,
        pooling=_pooling(settings, partition, context),
    )
    network = PatchNetwork(backbone, heads, dropout=settings.dropout, grid=spec.grid)
    has_boxes = has_box_supervision(partition.train)
    return TrainingTask(
        settings=settings,
        network=network,
        deployed=network,
        activation="sigmoid",
        loss=image_and_patch_loss(len(categories), settings.patch_loss_weight),
        preprocessing=spec.preprocessing,
        weights_origin=spec.origin,
        prepare=PreparePixels(
            spec.preprocessing,
            cutout_px=0,
            channels_last=True,
            device=normalising_device(settings.device),
        ),
        train_inputs=train,
        val_inputs=cache_validation(train, partition, cache),
        examples=AugmentedExamples.of(
            train,
            categories,
            grid=spec.grid,
            policy=AugmentationPolicy.of(settings),
            seed=context.seed,
            threads=_rendering_threads(settings, context),
        ),
        rate_factors=layer_rate_factors(
            backbone,
            highest=settings.backbone_rate,
            decay=settings.layer_decay,
            prefix="backbone.",
        ),
        micro_batch_size=memory.micro_batch_size,
        unused=spec.unread | frozenset(() if has_boxes else {"global_weight", "top_k_patches"}),
    )


def _checkpoint_gradients(backbone: Any, context: RunContext) -> None:  # noqa: ANN401
    """Let a timm network compute its activations twice, or say that it cannot."""
    try:
        backbone.set_grad_checkpointing()
    except (AssertionError, AttributeError):  # timm's way to say so; a registered network's
        context.reporter.message(
            "gradient checkpointing: this backbone has none, so activations are kept. If memory "
            "does not do: --set micro_batch_size=1, or smaller frames."
        )


def _rendering_threads(settings: NemoSettings, context: RunContext) -> int:
    device = choose_device(settings.device).value
    choice = choose_rendering_threads(device, n_processes=context.group.count)
    return context.announce("rendering threads", choice)


def _pooling(settings: NemoSettings, partition: Partition, context: RunContext) -> PoolingConfig:
    """Return how prediction weighs the heads: patches that no box supervised are not set apart."""
    if not has_box_supervision(partition.train):
        context.reporter.message(
            "prediction weighs patches and frame as training does: boxes did not teach it."
        )
        return TRAINING_POOLING
    return announced_pooling(settings, context)


@dataclass(frozen=True, slots=True)
class _Memory:
    micro_batch_size: int
    gradient_checkpointing: bool


def _choose_memory(
    settings: NemoSettings, frames: Preprocessing, trained: LayerCount, context: RunContext
) -> _Memory:
    """Return how a step is kept within the machine's memory."""
    n_pixels = frames.width_px * frames.height_px
    every_layer = trained.trained == trained.all
    device = choose_device(settings.device).value
    micro_batch_size = context.announce(
        "micro-batch size",
        choose_micro_batch_size(
            settings.micro_batch_size,
            batch_size=settings.batch_size,
            n_pixels=n_pixels,
            every_layer=every_layer,
            device=device,
        ),
    )
    gradient_checkpointing = context.announce(
        "gradient checkpointing",
        choose_gradient_checkpointing(
            settings.gradient_checkpointing,
            n_pixels=n_pixels * (micro_batch_size or settings.batch_size),
            every_layer=every_layer,
            device=device,
        ),
    )
    return _Memory(micro_batch_size, gradient_checkpointing)
