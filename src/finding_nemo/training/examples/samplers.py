"""Which images an epoch shows, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch

from finding_nemo.core.arrays import Bools
from finding_nemo.core.errors import TrainingError
from finding_nemo.core.names.registries import load
from finding_nemo.training.recipes.loop_choices import SAMPLERS

# From the number of images and the generator of an epoch to row numbers, as many.
Order = Callable[[int, torch.Generator], npt.NDArray[np.int64]]


def shuffled_order(n_images: int, generator: torch.Generator) -> npt.NDArray[np.int64]:
    """Return every row once, in an order that `generator` draws."""
    order: npt.NDArray[np.int64] = torch.randperm(n_images, generator=generator).numpy()
    return order


def shuffle(
    truth: Bools, dives: Sequence[str], generator: torch.Generator
) -> npt.NDArray[np.int64]:
    """Return every row once, in an order that `generator` draws."""
    del dives
    return shuffled_order(len(truth), generator)


def sampling_order(name: str, truth: Bools, dives: Sequence[str]) -> Order:
    """Return the sampler `name` of these images as the trainer takes it.

    A person's own is asked twice with the same random numbers: one that answers differently draws
    from others, and a training that was stopped could not go on as if it had not been.

    Args:
        name: A name of `SAMPLERS`.
        truth: What is in each image, shape (images, categories).
        dives: The dive of each image.
    """
    sampler = load(SAMPLERS[name].function)
    if name not in SAMPLERS.added:
        return lambda _, generator: np.asarray(sampler(truth, dives, generator), dtype=np.int64)

    def order(n_images: int, generator: torch.Generator) -> npt.NDArray[np.int64]:
        again = torch.Generator().set_state(generator.get_state())
        first = _row_numbers(sampler(truth, dives, generator), n_images, name)
        if not np.array_equal(first, _row_numbers(sampler(truth, dives, again), n_images, name)):
            raise TrainingError(
                f"The sampler {name!r} gives another order for the same generator, so a training "
                "could not be repeated. Let it draw from the generator that it is given alone, "
                "such as torch.multinomial(..., generator=generator)."
            )
        return first

    return order


def _row_numbers(found: object, n_images: int, name: str) -> npt.NDArray[np.int64]:
    rows = np.asarray(found)
    fits = rows.ndim == 1 and rows.dtype.kind in "iu" and len(rows) == n_images
    if not fits or (n_images and not (rows.min() >= 0 and rows.max() < n_images)):
        raise TrainingError(
            f"The sampler {name!r} returned {rows.dtype} of shape {rows.shape}; it must return "
            f"{n_images} row numbers from 0 to {n_images - 1}, some of them more than once if it "
            "likes: as many as there are training images."
        )
    return rows.astype(np.int64)
