"""A network that is trained on pixels, from end to end."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.core.records import ImageRecord
from finding_nemo.models.networks.backbones import IMAGENET_MEAN, IMAGENET_STD
from finding_nemo.models.networks.study_networks import basic_network, linear_on_pixels
from finding_nemo.models.weights_origin import random_weights
from finding_nemo.training.augmentation.cutout import PreparePixels
from finding_nemo.training.augmentation.own_augmentation import load_augmentation
from finding_nemo.training.auto.hardware import normalising_device
from finding_nemo.training.examples.cached_inputs import CachedInputs, cache_pixels
from finding_nemo.training.examples.partition import Partition
from finding_nemo.training.loop.run_context import RunContext
from finding_nemo.training.optimization.losses import OBJECTIVES
from finding_nemo.training.recipes.settings import ON_PIXELS, NetworkSettings
from finding_nemo.training.tasks.open_backbone import open_trained_backbone
from finding_nemo.training.tasks.training_task import TrainingTask, cache_validation, with_truth

_PIXEL_NETWORKS = dict(zip(ON_PIXELS, (linear_on_pixels, basic_network), strict=True))


def build_finetune_task(
    settings: NetworkSettings, partition: Partition, context: RunContext
) -> TrainingTask:
    """Return a network that is trained on pixels."""
    n_categories = len(partition.dataset.categories)
    mean, std = IMAGENET_MEAN, IMAGENET_STD
    is_on_pixels = settings.backbone in _PIXEL_NETWORKS
    unread, origin = frozenset({"pretrained", "weights"}), random_weights(settings.backbone)
    if is_on_pixels:
        n_pixels = 3 * settings.width_px * settings.height_px
        network = _PIXEL_NETWORKS[settings.backbone](n_pixels, n_categories)
    else:
        loaded = open_trained_backbone(settings, n_categories, context.reporter)
        unread, origin = loaded.unread, loaded.origin
        network = loaded.network.to(memory_format=torch.channels_last)
        mean, std = loaded.mean, loaded.std
    if not settings.normalise:
        mean, std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    preprocessing = Preprocessing(
        width_px=settings.width_px,
        height_px=settings.height_px,
        resize=settings.resize,
        mean=mean,
        std=std,
    )

    def cache(records: Sequence[ImageRecord]) -> CachedInputs:
        with context.reporter.progress("reading images") as progress:
            return cache_pixels(records, preprocessing, progress=progress)

    train = cache(partition.train)
    objective = OBJECTIVES[settings.loss]
    return TrainingTask(
        settings=settings,
        network=network,
        deployed=network,
        activation=objective.activation,
        loss=objective.loss,
        preprocessing=preprocessing,
        prepare=PreparePixels(
            preprocessing,
            cutout_px=settings.cutout_px,
            channels_last=not is_on_pixels,
            augment=load_augmentation(settings.augmentation),
            device=normalising_device(settings.device),
        ),
        train_inputs=train,
        val_inputs=cache_validation(train, partition, cache),
        examples=with_truth(train, partition),
        weights_origin=origin,
        unused=unread,
    )
