"""An augmentation of whole frames that a person registered, between stored pixels and network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from finding_nemo.core.errors import TrainingError
from finding_nemo.core.names.registries import has_parameter, load
from finding_nemo.training.recipes.loop_choices import AUGMENTATIONS

# From stored rows, uint8 (images, height, width, 3), to others of the same shape.
Augment = Callable[[npt.NDArray[np.uint8], torch.Generator], npt.NDArray[np.uint8]]

_NONE = "none"


def unchanged(images: torch.Tensor) -> torch.Tensor:
    """Return images as they are."""
    return images


def load_augmentation(name: str) -> Augment | None:
    """Return the augmentation `name` over stored rows; `None` for "none".

    It gets a batch, uint8 (images, 3, height, width), and, if it has a parameter `generator`, the
    generator of the epoch. What it draws from that, or from torch's own random numbers, is the same
    in every training of one seed, also in one that was stopped and goes on.

    Raises:
        TrainingError: When used, if what it returns is no such batch.
    """
    if name == _NONE:
        return None
    function: Callable[..., Any] = load(AUGMENTATIONS[name].function)
    takes_generator = has_parameter(function, "generator")

    def augment(rows: npt.NDArray[np.uint8], generator: torch.Generator) -> npt.NDArray[np.uint8]:
        # A copy: what changes its input in place must not change the stored pixels.
        images = torch.from_numpy(rows.transpose(0, 3, 1, 2).copy())
        given = {"generator": generator} if takes_generator else {}
        found: object = function(images, **given)
        _check(found, images, name)
        return images_as_rows(found)

    return augment


def _check(found: object, images: torch.Tensor, name: str) -> None:
    wanted = f"uint8 of shape {tuple(images.shape)}"
    if not isinstance(found, torch.Tensor):
        got = type(found).__name__
    elif found.shape != images.shape or found.dtype != torch.uint8:
        got = f"{str(found.dtype).removeprefix('torch.')} of shape {tuple(found.shape)}"
    else:
        return
    raise TrainingError(
        f"The augmentation {name!r} returned {got}; it must return the batch that it got, changed: "
        f"{wanted}."
    )


def images_as_rows(images: Any) -> npt.NDArray[np.uint8]:  # noqa: ANN401 - a checked tensor
    """Return a batch of images (images, 3, height, width) as stored rows."""
    rows: npt.NDArray[np.uint8] = images.numpy().transpose(0, 2, 3, 1)
    return np.ascontiguousarray(rows)
