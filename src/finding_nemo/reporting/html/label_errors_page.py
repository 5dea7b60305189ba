"""Suspect labels as a page: each frame beside one that speaks against its label."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from finding_nemo.core.records import Dataset
from finding_nemo.core.reporter import ProgressCallback, no_progress
from finding_nemo.evaluation.label_errors.find_label_errors import LabelErrors
from finding_nemo.evaluation.label_errors.suspect_labels import SuspectLabel
from finding_nemo.reporting.html.page import thumbnail, write_page

# 120 pictures of 12 KB each: a page of 2 to 3 MB.
_N_SHOWN = 30


@dataclass(frozen=True, slots=True)
class FrameShown:
    """A frame: `picture` is a data URI, "" where the file cannot be read."""

    image_id: str
    labels: str
    picture: str


@dataclass(frozen=True, slots=True)
class SuspectShown:
    """A suspect label, or two frames that contradict each other."""

    heading: str
    why: str
    dive: str
    is_likely: bool
    frames: tuple[FrameShown, ...]


def write_label_errors_page(
    found: LabelErrors,
    dataset: Dataset,
    path: Path,
    *,
    name: str,
    review: str = "",
    overwrite: bool = False,
    progress: ProgressCallback = no_progress,
) -> None:
    """Write the page.

    Args:
        found: What was found.
        dataset: With labels and image files.
        path: The page.
        name: The data set's name for the heading.
        review: The command that opens the frames for review, if there is one.
        overwrite: Whether an existing page may be replaced.
        progress: Told after each picture.

    Raises:
        OutputExistsError: If the page exists and `overwrite` is false.
        OutputError: If it cannot be written.
    """
    shown = _pictures(found, dataset, progress)
    write_page(
        "label_errors.html",
        path,
        overwrite=overwrite,
        title=f"Which labels of {name} look wrong?",
        found=found,
        wrong=[_suspect(label, shown) for label in found.wrong[:_N_SHOWN]],
        missing=[_suspect(label, shown) for label in found.missing[:_N_SHOWN]],
        contradictions=[
            SuspectShown(
                heading=" or ".join(", ".join(names) for names in pair.names) + "?",
                why=pair.likeness,
                dive=" and ".join(dict.fromkeys(pair.dives)),
                is_likely=False,
                frames=tuple(shown[image_id] for image_id in pair.image_ids),
            )
            for pair in found.contradictions[:_N_SHOWN]
        ],
        review=review,
    )


def _suspect(label: SuspectLabel, shown: Mapping[str, FrameShown]) -> SuspectShown:
    if label.kind == "missing":
        heading = f"Is {label.category} missing?"
    elif label.suggestion:
        heading = f"{label.category}, or rather {label.suggestion}?"
    else:
        heading = f"Is this {label.category}?"
    ids = [image_id for image_id in (label.image_id, label.compare_with) if image_id]
    return SuspectShown(
        heading=heading,
        why=label.why,
        dive=label.dive,
        is_likely=label.is_likely,
        frames=tuple(shown[image_id] for image_id in ids),
    )


def _pictures(
    found: LabelErrors, dataset: Dataset, progress: ProgressCallback
) -> dict[str, FrameShown]:
    """Return every frame that the page shows, each opened once."""
    ids = list(dict.fromkeys(_shown_ids(found)))
    shown = {}
    for number, image_id in enumerate(ids, start=1):
        record = dataset.by_id[image_id]
        columns = [dataset.categories.column_of(n) for n in record.category_ids or ()]
        names = ", ".join(dataset.categories.names[column] for column in columns)
        shown[image_id] = FrameShown(image_id, names or "nothing", thumbnail(record.path) or "")
        progress(number, len(ids))
    return shown


def _shown_ids(found: LabelErrors) -> Iterable[str]:
    for label in (*found.wrong[:_N_SHOWN], *found.missing[:_N_SHOWN]):
        yield label.image_id
        if label.compare_with:
            yield label.compare_with
    for pair in found.contradictions[:_N_SHOWN]:
        yield from pair.image_ids
