"""What a person says of a frame, checked before it is kept, and as it is shown again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from finding_nemo.core.errors import ReviewsError
from finding_nemo.core.text.cells import quoted
from finding_nemo.core.text.printable import printable
from finding_nemo.reviewing.frame_collection import FrameCollection
from finding_nemo.reviewing.review_categories import ReviewCategories
from finding_nemo.reviewing.review_objects import FrameReview, Named
from finding_nemo.reviewing.review_store import NamedCategory, NewReview, StoredReview

_MAX_REVIEWER = 100


def check_review(
    names: ReviewCategories,
    image_id: str,
    categories: Sequence[int | str],
    rejected: Sequence[int | str] = (),
    *,
    is_complete: bool = True,
    reviewer: str = "",
    time: str = "",
    machine: Mapping[str, Any] | None = None,
) -> NewReview:
    """Return a review that can be kept.

    Args:
        names: What names and ids stand for.
        image_id: The frame.
        categories: What is there, ids or names.
        rejected: What was looked for and is not there.
        is_complete: Whether all that is there is named.
        reviewer: Who looked.
        time: When; "" takes the present.
        machine: What the model had answered.

    Raises:
        ReviewsError: If a category is unknown, or the review says nothing or contradicts itself.
    """
    if not categories and not rejected and not is_complete:
        raise ReviewsError(
            "This review says nothing: no category is there or not there, and it is not complete. "
            "Name one, or say that the review is complete."
        )
    both = names.resolve((*categories, *rejected))
    there, absent = set(both[: len(categories)]), set(both[len(categories) :])
    if there & absent:
        name = min(category.name for category in there & absent)
        raise ReviewsError(
            f"{quoted(name)} is said to be there and not to be there. Choose one of both."
        )
    return NewReview(
        image_id=image_id,
        categories=_in_order(both, there),
        rejected=_in_order(both, absent),
        is_complete=is_complete,
        reviewer=_checked_reviewer(reviewer),
        time=time,
        machine=machine,
    )


def _in_order(
    all_of_them: Sequence[NamedCategory], kept: set[NamedCategory]
) -> tuple[NamedCategory, ...]:
    return tuple(category for category in dict.fromkeys(all_of_them) if category in kept)


def _checked_reviewer(name: str) -> str:
    if len(name) > _MAX_REVIEWER or printable(name) != name:
        raise ReviewsError(
            f"{quoted(printable(name))} is no name of a reviewer: up to {_MAX_REVIEWER} characters "
            "that can be seen. Give a shorter one, or type it anew."
        )
    return name.strip()


def machine_answer(collection: FrameCollection, row: int) -> Mapping[str, Any]:
    """Return what the model answered to a frame, JSON-ready, to be kept beside the review."""
    columns = collection.columns
    chance = float(columns.probabilities[row])
    return {
        "answer": columns.answers[row],
        "category_id": int(columns.first_ids[row]),
        "confidence": columns.confidences[row],
        "probability": None if np.isnan(chance) else chance,
        "bundle_hash": collection.metadata.get("bundle_hash"),
    }


def shown_review(row: int, review: StoredReview) -> FrameReview:
    """Return a kept review as it is shown.

    Args:
        row: Its frame in the collection, -1 where that does not have it.
        review: From the log.
    """
    statement = review.statement
    return FrameReview(
        number=review.number,
        row=row,
        id=statement.image_id,
        categories=[Named(id=c.category_id, name=c.name) for c in statement.categories],
        rejected=[Named(id=c.category_id, name=c.name) for c in statement.rejected],
        complete=statement.is_complete,
        reviewer=statement.reviewer,
        time=statement.time,
    )
