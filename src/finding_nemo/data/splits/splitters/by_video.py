"""Whole clips apart, though clips of one dive may sit on both sides: between random and dive."""

from __future__ import annotations

from dataclasses import replace

from finding_nemo.core.errors import SplitError
from finding_nemo.core.records import Dataset, ImageRecord, Split, SplitRow
from finding_nemo.data.splits.splitters.by_dive import assign_dives

VIDEO_NOTICE = (
    "A split by video keeps clips whole, but clips of one dive, often of the same animals by "
    "another camera, are on both sides."
)


def split_by_video(
    dataset: Dataset,
    *,
    fraction: float = 0.2,
    val_fraction: float = 0.1,
    folds: int | None = None,
    seed: int = 0,
) -> Split:
    """Divide the annotated images by clip, stratified by category.

    A clip is what stands before the frame number in the file's name, within a dive.

    Raises:
        SplitError: If there are fewer clips than parts, or frames are not numbered by clip.
        SettingsError: If the shares are out of range.
    """
    unnamed = sum(not record.sequence for record in dataset.annotated)
    if unnamed:
        raise SplitError(
            f"{unnamed} of {len(dataset.annotated)} images have no clip in their file's name "
            "(such as clip7_frame0012.jpg). Split with --by dive."
        )
    clips = [_as_dive(record) for record in dataset.annotated]
    part_of = assign_dives(
        clips,
        dataset.categories,
        fraction=fraction,
        val_fraction=val_fraction,
        folds=folds,
        seed=seed,
    )
    return Split(
        rows=tuple(
            SplitRow(record.image_id, record.dive or "", part_of[str(clip.dive)])
            for record, clip in zip(dataset.annotated, clips, strict=True)
        ),
        kind="video",
        seed=seed,
        notices=(VIDEO_NOTICE,),
    )


def _as_dive(record: ImageRecord) -> ImageRecord:
    return replace(record, dive=f"{record.dive or ''} {record.sequence}")
