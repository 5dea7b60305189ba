"""Whether boxes say where things are, and what that decides: how many layers are trained."""

from __future__ import annotations

from collections.abc import Sequence

from finding_nemo.core.choice import Choice
from finding_nemo.core.records import ImageRecord

# More than any network has.
EVERY_LAYER = 1_000
_LEAST_BOXED = 0.5


def boxed_share(records: Sequence[ImageRecord]) -> float:
    """Return the share, of the images that hold something, whose boxes say where; 0 for none."""
    holding = [record for record in records if record.category_ids]
    boxed = sum(bool(record.boxes and record.width and record.height) for record in holding)
    return boxed / max(len(holding), 1)


def has_box_supervision(records: Sequence[ImageRecord]) -> bool:
    """Return whether boxes say in at least half of the images where things are."""
    return boxed_share(records) >= _LEAST_BOXED


def boxes_in_words(records: Sequence[ImageRecord]) -> str:
    """Return in words how many of the training images `records` have boxes."""
    return (
        f"boxes say where things are in {100 * boxed_share(records):.0f} % of the training images"
    )


def choose_layers(wanted: int | None, records: Sequence[ImageRecord]) -> Choice[int]:
    """Return how many layers are trained, from the top: `wanted`, or every one.

    Args:
        wanted: As set; None to choose. Where boxes are too few, the task is another.
        records: Training images.
    """
    if wanted is not None:
        return Choice(wanted, "as set")
    return Choice(EVERY_LAYER, boxes_in_words(records))
