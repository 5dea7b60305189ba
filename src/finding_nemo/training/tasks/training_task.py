"""A training that is made ready, and what every way of making it ready shares."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.core.records import ImageRecord
from finding_nemo.training.examples.array_cache import CachedRows
from finding_nemo.training.examples.cached_inputs import CachedInputs
from finding_nemo.training.examples.partition import Partition
from finding_nemo.training.loop.trainer import Examples, Prepare, TrainingExamples
from finding_nemo.training.optimization.losses import Objective

# A category without a training image still needs a finite logit: half an image.
_LEAST_IMAGES = 0.5


@dataclass(frozen=True)
class TrainingTask:
    """A training, ready for the loop.

    Attributes:
        trained: What the loop trains.
        whole: From preprocessed pixels to the output; shares its weights with `trained`.
        preprocessing: What is done to pixels.
        prepare: From stored rows to what `trained` takes.
        objective: What is made small, and what the outputs of `whole` therefore mean: a fact of the
            network that was set up, which the bundle records.
        train: Usable training images.
        val: Usable validation images.
        training: What the loop learns from: the training images, or views of them.
        rate_factors: By parameter name of `trained`, what its learning rate is multiplied with.
        micro_batch_size: Images of a step that are computed together, where the set-up chose;
            else 0.
        unused: Settings that this data set or network gave no use for; the bundle does not hold
            them.
    """

    trained: nn.Module
    whole: nn.Module
    preprocessing: Preprocessing
    prepare: Prepare
    objective: Objective
    train: CachedInputs
    val: CachedInputs
    training: TrainingExamples
    rate_factors: Mapping[str, float] = field(default_factory=dict)
    micro_batch_size: int = 0
    unused: frozenset[str] = frozenset()


def examples(inputs: CachedInputs, partition: Partition) -> Examples:
    """Return stored rows with their truth."""
    return Examples(inputs.rows, partition.dataset.truth(inputs.records).astype(np.float32))


def validation_inputs(
    train: CachedInputs,
    partition: Partition,
    ready: Callable[[Sequence[ImageRecord]], CachedInputs],
) -> CachedInputs:
    """Return the validation images, made ready as the training images were; perhaps none."""
    if not partition.val:
        nothing = CachedRows(train.rows.shards, np.empty((0, 2), dtype=np.int64))
        return CachedInputs((), nothing, ())
    return ready(partition.val)


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
