"""What a session leaves behind: its reviews as a table and as COCO, and the adapted predictions."""

from __future__ import annotations

import io
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from finding_nemo.core.errors import OutputError, ReviewsError
from finding_nemo.core.files.table_files import TableWriter
from finding_nemo.core.provenance import now_utc, package_version
from finding_nemo.data.datasets.fields.path_spelling import slashed
from finding_nemo.reviewing.review_categories import as_list
from finding_nemo.reviewing.review_objects import FrameReview, Named
from finding_nemo.reviewing.review_session import ReviewSession

COLUMNS = ("id", "categories", "complete", "reviewer", "time", "rejected", "names", "image", "dive")
_WHOLE_FRAME = (
    "Each category was seen somewhere in the frame by a person: its box is the whole frame, not "
    "the animal. Frames that were reviewed in part only are left out"
)


def reviews_table(session: ReviewSession) -> str:
    """Return the reviews that count as the text of `reviews.csv`, in the order they were given.

    Categories are ids where the table has all of a frame's, and names where a review brought one;
    names stand beside them in any case, for people and for a training without a category table.
    """
    columns = session.collection.columns
    text = io.StringIO(newline="")
    writer = TableWriter(text)
    writer.write(COLUMNS)
    for review in session.reviews():
        writer.write(
            (
                review.id,
                _cell(session, review.categories),
                "yes" if review.complete else "no",
                review.reviewer,
                review.time,
                _cell(session, review.rejected),
                as_list([category.name for category in review.categories]),
                columns.paths[review.row],
                columns.places.dives[review.row],
            )
        )
    return text.getvalue()


def _cell(session: ReviewSession, categories: Sequence[Named]) -> str:
    names = session.names
    if any(names.is_new(c.id) for c in categories) or names.has_numbers_for_names:
        return as_list([str(c.id) if names.needs_id(c.name) else c.name for c in categories])
    return " ".join(str(c.id) for c in categories)


def reviews_as_coco(session: ReviewSession) -> dict[str, Any]:
    """Return the complete reviews that count as a COCO file, JSON-ready.

    COCO knows no category of a whole image; pycocotools and `read_dataset` need a box, so each has
    the box of the frame. `info` says so.
    """
    reviews = session.reviews()
    kept = [review for review in reviews if review.complete]
    with session.lock:
        held = [session.collection.values(review.row) for review in kept]
    names = _file_names([session.collection.columns.paths[review.row] for review in kept])
    images, boxes = [], []
    for number, (review, values, name) in enumerate(zip(kept, held, names, strict=True), start=1):
        width, height = int(values.get("width") or 1), int(values.get("height") or 1)
        images.append({"id": number, "file_name": name, "width": width, "height": height})
        boxes += [_box(number, review, category, width, height) for category in review.categories]
    n_left_out = len(reviews) - len(kept)
    return {
        "info": {
            "description": f"{_WHOLE_FRAME} ({n_left_out}).",
            "version": package_version(),
            "date_created": now_utc(),
        },
        "images": images,
        "annotations": [{"id": number, **box} for number, box in enumerate(boxes, start=1)],
        "categories": [
            {
                "id": int(entry["category_id"]),
                "name": str(entry.get("name", "")),
                "supercategory": str(entry.get("supercategory", "none")),
            }
            for entry in session.categories
        ],
    }


def _box(
    image: int, review: FrameReview, category: Named, width: int, height: int
) -> dict[str, Any]:
    return {
        "image_id": image,
        "category_id": category.id,
        "bbox": [0, 0, width, height],
        "area": width * height,
        "iscrowd": 0,
        "reviewer": review.reviewer,
    }


def _file_names(paths: Sequence[str]) -> list[str]:
    """Return the names of files, with their folders where names alone would be alike."""
    found = [PurePosixPath(slashed(path)) for path in paths]
    counts = Counter(path.name for path in found)
    if all(count == 1 for count in counts.values()):
        return [path.name for path in found]
    return [str(path).lstrip("/").replace("../", "") for path in found]


def write_adapted_predictions(session: ReviewSession, folder: Path) -> Path:
    """Write what `adapt PREDICTIONS --reviews reviews.csv` writes, by that very command.

    It runs beside the session, whose memory it would double.

    Args:
        session: With at least one review.
        folder: Where `reviews.csv` and `adapted.parquet` are written.

    Returns:
        The file.

    Raises:
        ReviewsError: If nobody reviewed a frame yet.
        OutputError: If the command fails.
    """
    if not session.reviews():
        raise ReviewsError(
            "Nobody has reviewed a frame yet, so the predictions are as they were. Review one "
            "first."
        )
    collection = session.collection
    reviews, out = folder / "reviews.csv", folder / "adapted.parquet"
    reviews.write_text(reviews_table(session), encoding="utf-8", newline="")
    command = [
        *(sys.executable, "-m", "finding_nemo", "adapt", str(collection.as_file(folder))),
        *("--reviews", str(reviews), "--out", str(out), *collection.places_options.arguments()),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no words"])[-1]
        raise OutputError(f"The adapted predictions could not be written: {last}")
    return out
