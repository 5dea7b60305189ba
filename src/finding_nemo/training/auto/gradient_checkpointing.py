"""Gradient checkpointing: whether activations are kept, or computed a second time."""

from __future__ import annotations

from finding_nemo.training.auto.hardware import Choice

STORED, RECOMPUTED = "off", "on"
# Lite2 with every layer trained, two frames of 768 x 544 together (0.84 million pixels): 3.2 GB
# kept; three: 4.1 GB. A laptop of 8 GB has about 5 to give
# (docs/experiments/0022-memory-of-a-step.md).
_MOST_PIXELS = 1_000_000


def choose_gradient_checkpointing(
    wanted: bool | None, *, n_pixels: int, every_layer: bool, device: str
) -> Choice:
    """Return `STORED` or `RECOMPUTED`, which needs less memory and more time and learns the same.

    Args:
        wanted: Whether they are to be computed twice; None to choose.
        n_pixels: Of the images that are computed together.
        every_layer: Whether the lowest layers are trained, whose maps are the largest.
        device: What trains.

    Source:
        Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016, arXiv:1604.06174.
    """
    if wanted is not None:
        return Choice(RECOMPUTED if wanted else STORED, "as set")
    if not every_layer:
        return Choice(STORED, "the lowest layers, whose maps are the largest, are not trained")
    said = f"{n_pixels / 1e6:.1f} million pixels at once"
    if device != "cpu":
        return Choice(
            STORED, f"{said} on {device}; gradient_checkpointing=true if its memory is too small"
        )
    if n_pixels > _MOST_PIXELS:
        return Choice(
            RECOMPUTED, f"{said} would take a laptop's memory; it costs a fifth of the time"
        )
    return Choice(STORED, f"{said} fit a laptop's memory")
