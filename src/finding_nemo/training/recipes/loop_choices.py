"""The losses, optimizers, schedules, samplers and augmentations that settings name.

The tables load no torch. What people register in their own programs is added to them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from finding_nemo.core.config import one_of
from finding_nemo.core.names.registries import Registry, registry

# "module:function", or what a person registered.
Target = str | Callable[..., Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class LossRow:
    """One loss.

    Attributes:
        name: As given to the setting `loss`.
        about: One line for people.
        function: "module:function"; it takes outputs and truth, both (images, categories), and
            returns a mean over images.
        activation: From outputs to probabilities once the loss is small: "sigmoid" of logits, or
            "clip" to [0, 1] of what was trained to be a probability itself.
    """

    name: str
    about: str
    function: Target
    activation: Literal["sigmoid", "clip"]


LOSSES: Registry[LossRow] = registry(
    LossRow(
        name="mean-bce",
        about="binary cross-entropy, mean over categories, as the study took it",
        function="finding_nemo.training.optimization.losses:mean_bce_loss",
        activation="sigmoid",
    ),
    LossRow(
        name="summed-bce",
        about="binary cross-entropy, summed over categories",
        function="finding_nemo.training.optimization.losses:summed_bce_loss",
        activation="sigmoid",
    ),
    LossRow(
        name="squared-error",
        about="squared error of bare outputs, as the study's basic network took it",
        function="finding_nemo.training.optimization.losses:squared_error_loss",
        activation="clip",
    ),
)


@dataclass(frozen=True, slots=True)
class OptimizerRow:
    """One optimizer.

    Attributes:
        name: As given to the setting `optimizer`.
        about: One line for people.
        builder: "module:class" of torch's form; it takes parameter groups and `lr`.
        decays_biases: Whether its weight decay is on biases too.
    """

    name: str
    about: str
    builder: str
    decays_biases: bool = True


OPTIMIZERS: Registry[OptimizerRow] = registry(
    OptimizerRow("sgd", "gradient descent without momentum", "torch.optim:SGD"),
    OptimizerRow("adam", "Adam", "torch.optim:Adam"),
    OptimizerRow(
        "adamw", "Adam with decoupled weight decay", "torch.optim:AdamW", decays_biases=False
    ),
)


@dataclass(frozen=True, slots=True)
class ScheduleRow:
    """One schedule of the learning rate.

    Attributes:
        name: As given to the setting `schedule`.
        about: One line for people.
        function: "module:function"; from the step and the number of steps to what the learning
            rate is multiplied with, in (0, 1].
    """

    name: str
    about: str
    function: str


SCHEDULES: Registry[ScheduleRow] = registry(
    ScheduleRow(
        "constant",
        "the same in every step",
        "finding_nemo.training.optimization.optimizers:constant_factor",
    ),
    ScheduleRow(
        "one-cycle",
        "a rise over 30 % of the steps, then a fall",
        "finding_nemo.training.optimization.optimizers:one_cycle_factor",
    ),
)


@dataclass(frozen=True, slots=True)
class SamplerRow:
    """One way to draw the images of an epoch.

    Attributes:
        name: As given to the setting `sampler`.
        about: One line for people.
        function: "module:function"; from truth, bool (images, categories), the dive of each image
            and a generator to as many row numbers as there are images.
    """

    name: str
    about: str
    function: Target


SAMPLERS: Registry[SamplerRow] = registry(
    SamplerRow(
        "shuffle",
        "every image once, in another order in each epoch",
        "finding_nemo.training.examples.samplers:shuffle",
    ),
)


@dataclass(frozen=True, slots=True)
class AugmentationRow:
    """One augmentation of whole frames.

    Attributes:
        name: As given to the setting `augmentation`.
        about: One line for people.
        function: "module:function"; from a batch, uint8 (images, 3, height, width), and perhaps a
            generator to a batch of the same shape.
    """

    name: str
    about: str
    function: Target


AUGMENTATIONS: Registry[AugmentationRow] = registry(
    AugmentationRow(
        "none",
        "images as they are",
        "finding_nemo.training.augmentation.own_augmentation:unchanged",
    ),
)

LossName = Annotated[str, one_of(LOSSES)]
OptimizerName = Annotated[str, one_of(OPTIMIZERS)]
ScheduleName = Annotated[str, one_of(SCHEDULES)]
SamplerName = Annotated[str, one_of(SAMPLERS)]
AugmentationName = Annotated[str, one_of(AUGMENTATIONS)]
