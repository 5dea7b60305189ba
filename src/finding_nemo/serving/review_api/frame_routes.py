"""`GET /frames...`: the frames under review, their pictures, and one with all that is known."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field, field_validator
from starlette.responses import Response

from finding_nemo.reviewing.adapting.current_answers import FrameFilter, Order
from finding_nemo.reviewing.review_objects import FrameDetail, FramePage, State
from finding_nemo.reviewing.review_session import MAX_PAGE, ReviewSession
from finding_nemo.serving.review_api.frame_images import FrameImages, Picture, map_picture

_LARGEST = 2**31 - 1
RowNumber = Annotated[int, Path(ge=0, le=_LARGEST)]
# A picture of a row never changes while a server runs, but another server may have other rows.
_CACHED = {"Cache-Control": "private, max-age=3600"}


class FrameQuery(BaseModel):
    """Which frames are wanted, and in which order."""

    model_config = ConfigDict(extra="forbid")

    offset: int = Field(0, ge=0, le=_LARGEST)
    limit: int = Field(200, ge=1, le=MAX_PAGE)
    dive: str | None = None
    category: int | None = Field(None, ge=0, le=_LARGEST)
    state: State | None = None
    unusual_from: float | None = Field(None, ge=0, le=1)
    order: Order = "time"

    @field_validator("dive", "category", "state", "unusual_from", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value


def add_frame_routes(router: APIRouter, session: ReviewSession, images: FrameImages) -> None:
    """Add the routes of frames.

    Args:
        router: Where to.
        session: Whose frames they are.
        images: Their pictures.
    """

    @router.get("/frames")
    def frames(query: Annotated[FrameQuery, Query()]) -> FramePage:
        """List frames; filters that are empty want all."""
        wanted = FrameFilter(
            dive=query.dive,
            category=query.category,
            state=query.state,
            unusual_from=query.unusual_from,
        )
        return session.frames(wanted, offset=query.offset, limit=query.limit, order=query.order)

    @router.get("/frames/{row}")
    def frame(row: RowNumber) -> FrameDetail:
        """Say all that is known of a frame."""
        return session.frame(row)

    @router.get("/frames/{row}/image", response_class=Response)
    def image(row: RowNumber) -> Response:
        """Give the image: JPEG, PNG or WebP as it is, all else as JPEG."""
        return _reply(images.picture(row))

    @router.get("/frames/{row}/thumbnail", response_class=Response)
    def thumbnail(row: RowNumber) -> Response:
        """Give the image as a JPEG 256 px wide."""
        return _reply(images.thumbnail(row))

    @router.get("/frames/{row}/map/{category_id}", response_class=Response)
    def heat_map(row: RowNumber, category_id: int) -> Response:
        """Give where a category is seen, a PNG with one pixel a patch."""
        return _reply(map_picture(session.map_of(row, category_id)))


def _reply(picture: Picture) -> Response:
    return Response(picture.content, media_type=picture.media_type, headers=_CACHED)
