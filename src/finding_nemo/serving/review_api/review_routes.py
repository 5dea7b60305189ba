"""Dives, animals, suggestions, reviews and exports of a review session, over HTTP."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock, Semaphore
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StrictInt, StringConstraints
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response

from finding_nemo.reviewing.review_exports import (
    reviews_as_coco,
    reviews_table,
    write_adapted_predictions,
)
from finding_nemo.reviewing.review_objects import (
    AnimalRow,
    DiveList,
    FrameReview,
    Reviewed,
    SuggestedFrame,
    Undone,
)
from finding_nemo.reviewing.review_session import MAX_SUGGESTED, ReviewSession
from finding_nemo.serving.middleware.request_limits import busy
from finding_nemo.serving.review_api.frame_images import FrameImages
from finding_nemo.serving.review_api.frame_routes import add_frame_routes
from finding_nemo.serving.review_api.session_errors import SessionRoute

_MOST_CATEGORIES = 500
_MOST_SKIPPED = 100_000
_MOST_EXPORTS = 4
Name = Annotated[str, StringConstraints(max_length=1000)]
Categories = Annotated[list[StrictInt | Name], Field(max_length=_MOST_CATEGORIES)]


class SuggestRequest(BaseModel):
    """Which frames to ask for."""

    model_config = ConfigDict(extra="forbid")

    dive: Name | None = None
    count: int = Field(1, ge=1, le=MAX_SUGGESTED)
    skip: list[int] = Field([], max_length=_MOST_SKIPPED)


class ReviewRequest(BaseModel):
    """What a person saw in a frame."""

    model_config = ConfigDict(extra="forbid")

    row: int = Field(ge=0)
    categories: Categories
    rejected: Categories = []
    complete: bool = True
    reviewer: Name | None = None


class UndoRequest(BaseModel):
    """Whose latest review is taken back; without a name anybody's."""

    model_config = ConfigDict(extra="forbid")

    reviewer: Name | None = None


@dataclass(frozen=True)
class AnimalList:
    """The animals that are any frame's first guess."""

    animals: Sequence[AnimalRow]


@dataclass(frozen=True)
class SuggestionList:
    """The frames to look at next."""

    suggestions: Sequence[SuggestedFrame]


@dataclass(frozen=True)
class ReviewList:
    """The reviews that count, by time."""

    reviews: Sequence[FrameReview]


def make_review_router(session: ReviewSession) -> APIRouter:
    """Return the routes over a review session.

    Args:
        session: The frames and their reviews.
    """
    router = APIRouter(route_class=SessionRoute)
    add_frame_routes(router, session, FrameImages(session))
    _add_lists(router, session)
    _add_reviews(router, session)
    _add_exports(router, session)
    return router


def _add_lists(router: APIRouter, session: ReviewSession) -> None:
    @router.get("/dives")
    def dives() -> DiveList:
        """List the dives, and say where the collection stands."""
        return session.dives()

    @router.get("/animals")
    def animals() -> AnimalList:
        """List the animals that are any frame's first guess, the most frequent first."""
        return AnimalList(session.animals())

    @router.post("/suggest")
    def suggest(request: SuggestRequest) -> SuggestionList:
        """Say which frames to look at next."""
        return SuggestionList(session.suggest(request.dive, count=request.count, skip=request.skip))


def _add_reviews(router: APIRouter, session: ReviewSession) -> None:
    @router.post("/reviews", status_code=201)
    def review(statement: ReviewRequest) -> Reviewed:
        """Keep a review: it is on the disk when the reply comes."""
        return session.review(
            statement.row,
            statement.categories,
            rejected=statement.rejected,
            is_complete=statement.complete,
            reviewer=statement.reviewer,
        )

    @router.post("/reviews/undo")
    def undo(request: UndoRequest | None = None) -> Undone:
        """Take back the latest review that counts."""
        return session.undo(None if request is None else request.reviewer)

    @router.get("/reviews")
    def reviews() -> ReviewList:
        """List the reviews that count, by time."""
        return ReviewList(session.reviews())


class _Exports:
    """Lets one export run at a time, and a few wait: each takes the memory of the whole file."""

    def __init__(self) -> None:
        self._running = Lock()
        self._places = Semaphore(_MOST_EXPORTS)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for the turn of this thread.

        Raises:
            RequestError: 429 if enough wait already.
        """
        if not self._places.acquire(blocking=False):
            raise busy(f"{_MOST_EXPORTS} exports are being written already.", after_s=10)
        try:
            with self._running:
                yield
        finally:
            self._places.release()


def _add_exports(router: APIRouter, session: ReviewSession) -> None:
    exports = _Exports()

    @router.get("/export/reviews.csv", response_class=Response)
    def reviews_csv() -> Response:
        """Give the reviews as `adapt` and `train` read them."""
        return _download(reviews_table(session).encode(), "text/csv; charset=utf-8", "reviews.csv")

    @router.get("/export/coco.json", response_class=Response)
    def coco() -> Response:
        """Give the complete reviews as COCO, each category with the whole frame as its box."""
        content = json.dumps(reviews_as_coco(session), ensure_ascii=False, indent=1)
        return _download(content.encode(), "application/json", "coco.json")

    @router.get("/export/predictions.parquet", response_class=FileResponse)
    def predictions() -> FileResponse:
        """Give the adapted predictions, the same that `adapt` writes."""
        folder = Path(tempfile.mkdtemp(prefix="finding-nemo-export-"))
        try:
            with exports.turn():
                path = write_adapted_predictions(session, folder)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return FileResponse(
            path,
            media_type="application/vnd.apache.parquet",
            filename="adapted.parquet",
            background=BackgroundTask(shutil.rmtree, folder, ignore_errors=True),
        )


def _download(content: bytes, media_type: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, media_type=media_type, headers=headers)
