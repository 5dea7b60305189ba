"""Gradient checkpointing: whether activations are kept, or computed a second time."""

from __future__ import annotations

from finding_nemo.core.choice import Choice

# Lite2 with every layer trained, two frames of 768 x 544 together (0.84 million pixels): 3.2 GB
# kept; three: 4.1 GB. A laptop of 8 GB has about 5 to give
# (docs/experiments/0022-memory-of-a-step.md).
_MOST_PIXELS = 1_000_000


def choose_gradient_checkpointing(
    wanted: bool | None, *, n_pixels: int, every_layer: bool, device: str
) -> Choice[bool]:
    """Return whether activations are computed twice: less memory, more time, the same learnt.

    Args:
        wanted: Whether they are to be computed twice; None to choose.
        n_pixels: Of the images that are computed together.
        every_layer: Whether the lowest layers are trained, whose maps are the largest.
        device: What trains.

    Source:
        Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016, arXiv:1604.06174.
    """
    if wanted is not None:
        return _choice(wanted, "as set")
    if not every_layer:
        return _choice(False, "the lowest layers, whose maps are the largest, are not trained")
    pixels = f"{n_pixels / 1e6:.1f} million pixels at once"
    if device != "cpu":
        return _choice(
            False, f"{pixels} on {device}; gradient_checkpointing=true if its memory is too small"
        )
    if n_pixels > _MOST_PIXELS:
        return _choice(True, f"{pixels} would take a laptop's memory; it costs a fifth of the time")
    return _choice(False, f"{pixels} fit a laptop's memory")


def _choice(is_on: bool, reason: str) -> Choice[bool]:
    return Choice(is_on, reason, shown="on" if is_on else "off")
