"""A task states its facts: network, what is deployed of it, examples, loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.core.records import ImageRecord
from finding_nemo.models.bundle.manifest import Activation
from finding_nemo.models.weights_origin import WeightsOrigin
from finding_nemo.training.examples.array_cache import CachedRows
from finding_nemo.training.examples.cached_inputs import CachedInputs
from finding_nemo.training.examples.examples import Examples, Prepare, TrainingExamples
from finding_nemo.training.examples.partition import Partition
from finding_nemo.training.optimization.losses import Loss
from finding_nemo.training.recipes.settings import TrainerSettings

# A category without a training image still needs a finite logit: half an image.
_LEAST_IMAGES = 0.5


@dataclass(frozen=True, kw_only=True)
class TrainingTask:
    """A training, ready for the trainer.

    Attributes:
        settings: As used: what was chosen automatically is filled in.
        network: What the trainer optimises.
        deployed: From preprocessed pixels to outputs; shares its weights with `network`.
        activation: From outputs of `deployed` to probabilities: "sigmoid" of logits, or "clip" to
            [0, 1]; stated by who builds it, recorded in the bundle.
        loss: What is made small.
        preprocessing: What is done to pixels.
        prepare: From stored rows to what `network` takes.
        train_inputs: Usable training images.
        val_inputs: Usable validation images.
        examples: What the trainer learns from: the training images, or augmented views of them.
        rate_factors: By parameter name of `network`, what its learning rate is multiplied with.
        micro_batch_size: Images of a step that are computed together, where the task chose; else 0.
        unused: Settings that this data set or network gave no use for; the bundle does not hold
            them.
        weights_origin: Where the network's weights came from before this training.
        built_as: The recipe in whose place this was built, and why; "" for the one asked for.
    """

    settings: TrainerSettings
    network: nn.Module
    deployed: nn.Module
    activation: Activation
    loss: Loss
    preprocessing: Preprocessing
    prepare: Prepare
    train_inputs: CachedInputs
    val_inputs: CachedInputs
    examples: TrainingExamples
    weights_origin: WeightsOrigin
    rate_factors: Mapping[str, float] = field(default_factory=dict)
    micro_batch_size: int = 0
    unused: frozenset[str] = frozenset()
    built_as: str = ""


@dataclass(frozen=True, slots=True)
class BaselineTask:
    """A baseline, which has nothing to train.

    Attributes:
        runner: How a bundle of it predicts.
    """

    runner: Literal["prior", "time-copy"]


def with_truth(inputs: CachedInputs, partition: Partition) -> Examples:
    """Return stored rows with their truth."""
    return Examples(inputs.rows, partition.dataset.truth(inputs.records).astype(np.float32))


def cache_validation(
    train: CachedInputs,
    partition: Partition,
    cache: Callable[[Sequence[ImageRecord]], CachedInputs],
) -> CachedInputs:
    """Return the validation images, cached as the training images were; perhaps none."""
    if not partition.val:
        nothing = CachedRows(train.rows.shards, np.empty((0, 2), dtype=np.int64))
        return CachedInputs((), nothing, ())
    return cache(partition.val)


def prior_of(train: CachedInputs, partition: Partition) -> npt.NDArray[np.float64]:
    """Return the share of training images that hold each category, in (0, 1)."""
    n_images = len(train.records)
    counts = partition.dataset.truth(train.records).sum(axis=0)
    prior: npt.NDArray[np.float64] = (
        np.clip(counts, _LEAST_IMAGES, n_images - _LEAST_IMAGES) / n_images
    )
    return prior


def as_tensor(rows: npt.NDArray[np.generic], generator: torch.Generator | None) -> torch.Tensor:
    """Return stored rows as float32, whatever they are kept in."""
    del generator
    return torch.from_numpy(np.asarray(rows, dtype=np.float32))
