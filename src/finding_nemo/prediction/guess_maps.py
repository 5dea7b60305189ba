"""Where in the frame each of the best guesses is seen: maps of patches, in one byte a patch."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from finding_nemo.core.arrays import AnyFloats, Float64s
from finding_nemo.core.errors import BundleError
from finding_nemo.metrics.ranking import rank_columns
from finding_nemo.results.schema import N_MAPS, Columns

MOST = 255
# Sixteen steps look as smooth as 256 and take 282 bytes a row of 11 x 15 patches, not 771.
_STEPS = 15
SCALE = (
    "by how much the patch's logit is above the mean of all patches, as a share of the largest, in "
    "steps of 17: 255 is the patch that speaks most for the guess, 0 one that speaks no more for "
    "it than the mean. How sure the guess is, its probability says."
)
# Logits beyond are those of no patch: without a border the mean of a map would be endless, too.
_LARGEST = 1e4
# Of maps that say the same everywhere; what differs then is rounding.
_LEVEL = 1e-5


def guess_maps(patch_logits: AnyFloats, scores: AnyFloats) -> npt.NDArray[np.uint8]:
    """Return maps of each image's best guesses, (images, guesses, rows, columns), best guess first.

    Each map has its own scale: its largest patch is 255. Of a guess with a probability of 1 in 100
    one of probabilities alone would show nothing. A map that says the same everywhere is 0.

    Args:
        patch_logits: What each patch says, shape (images, categories, rows, columns).
        scores: What the categories of whole frames are ranked by, shape (images, categories).

    Raises:
        BundleError: If a patch says NaN.
    """
    if np.isnan(patch_logits).any():
        raise BundleError(
            "The network gives NaN for a patch of an image: its weights are damaged, or its "
            "training went astray. Train or copy it again, or predict with --no-maps."
        )
    best = rank_columns(scores, k=N_MAPS)
    chosen = np.take_along_axis(patch_logits, best[:, :, np.newaxis, np.newaxis], axis=1)
    return in_bytes(above_mean(chosen))


def in_bytes(shares: AnyFloats) -> npt.NDArray[np.uint8]:
    """Return shares in [0, 1] as they are kept: 0 to 255 in steps of 17."""
    return np.asarray(np.rint(_STEPS * shares) * (MOST // _STEPS)).astype(np.uint8)


def above_mean(patch_logits: AnyFloats) -> Float64s:
    """Return how far each logit is above its map's mean, as a share of the largest, in [0, 1].

    Of three scales it puts most of the map into the boxes of animals
    (docs/experiments/0041-explanations.md). Where the mean over patches is the frame's logit, it
    is what the patch adds to it.

    Args:
        patch_logits: Shape (..., rows, columns).
    """
    logits = np.clip(patch_logits.astype(np.float64), -_LARGEST, _LARGEST)
    above = np.maximum(logits - logits.mean(axis=(-2, -1), keepdims=True), 0.0)
    largest = above.max(axis=(-2, -1), keepdims=True)
    shares: Float64s = np.where(largest > _LEVEL, above / np.maximum(largest, _LEVEL), 0.0)
    return shares


def maps_metadata(columns: Columns) -> dict[str, Any]:
    """Return what a predictions file says of its column "maps"; nothing where it has none."""
    if columns.map_grid is None:
        return {}
    rows, n_columns = columns.map_grid
    guesses = min(N_MAPS, columns.n_categories)
    return {"maps": {"rows": rows, "columns": n_columns, "guesses": guesses, "scale": SCALE}}
