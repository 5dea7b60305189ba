"""Frames of different clips that look the same and are labelled as different animals."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from finding_nemo.core.categories import CategoryTable
from finding_nemo.core.records import ImageRecord
from finding_nemo.data.quality.file_check import NearPair
from finding_nemo.evaluation.label_errors.dive_neighbors import NOBODY, DiveNeighbors
from finding_nemo.evaluation.label_errors.labelled_frames import LabelledFrames

# Cosine of unit features. Of the 5,768 TrashCan frames that leaves five pairs that contradict.
SAME_LOOK = 0.9


@dataclass(frozen=True, kw_only=True)
class Contradiction:
    """Two frames that look the same and have no label in common.

    Attributes:
        image_ids: Both frames.
        dives: The dive of each.
        names: The labels of each.
        likeness: In words how alike they are.
    """

    image_ids: tuple[str, str]
    dives: tuple[str, str]
    names: tuple[tuple[str, ...], tuple[str, ...]]
    likeness: str


def find_contradictions(
    frames: LabelledFrames,
    categories: CategoryTable,
    others: DiveNeighbors,
    near: Iterable[NearPair] = (),
) -> tuple[Contradiction, ...]:
    """Return pairs without a common label, most alike first; of each two clips the most alike.

    Args:
        frames: With labels and clips.
        categories: Their names.
        others: The most similar frames of other clips of the dive.
        near: Frames of different dives that look alike, from `check_files`.
    """
    row_of = {record.image_id: row for row, record in enumerate(frames.records)}
    found: dict[object, tuple[float, Contradiction]] = {}
    for pair in near:
        rows = [row_of.get(record.image_id) for record in (pair.first, pair.second)]
        if rows[0] is not None and rows[1] is not None:
            likeness = f"{pair.bits} of 256 bits differ"
            _take(found, frames, categories, (rows[0], rows[1]), 1.0, likeness)
    alike = (others.rows != NOBODY) & (others.similarity >= SAME_LOOK)
    for row, place in zip(*alike.nonzero(), strict=True):
        cosine = float(others.similarity[row, place])
        pair_rows = (int(row), int(others.rows[row, place]))
        _take(found, frames, categories, pair_rows, cosine, f"likeness {cosine:.2f} of 1")
    ordered = sorted(found.values(), key=lambda item: (-item[0], item[1].image_ids))
    return tuple(contradiction for _, contradiction in ordered)


def _take(
    found: dict[object, tuple[float, Contradiction]],
    frames: LabelledFrames,
    categories: CategoryTable,
    rows: tuple[int, int],
    likeness: float,
    words: str,
) -> None:
    """Keep a pair if it contradicts and its clips have no pair that is more alike."""
    first, second = sorted(rows)
    one, other = frames.records[first], frames.records[second]
    ids = (set(one.category_ids or ()), set(other.category_ids or ()))
    if not ids[0] or not ids[1] or ids[0] & ids[1]:
        return
    key = (*sorted((int(frames.clips[first]), int(frames.clips[second]))), *map(frozenset, ids))
    if key in found and found[key][0] >= likeness:
        return
    contradiction = Contradiction(
        image_ids=(one.image_id, other.image_id),
        dives=(frames.dive_names[first], frames.dive_names[second]),
        names=(_names(one, categories), _names(other, categories)),
        likeness=words,
    )
    found[key] = (likeness, contradiction)


def _names(record: ImageRecord, categories: CategoryTable) -> tuple[str, ...]:
    return tuple(categories.names[categories.column_of(n)] for n in record.category_ids or ())
