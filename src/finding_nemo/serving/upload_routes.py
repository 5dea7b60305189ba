"""`POST /frames`: files to keep, predicted and added to the frames under review."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from finding_nemo.serving.api_schemas import FramesReply
from finding_nemo.serving.frame_intake import DiskSink, FrameIntake
from finding_nemo.serving.middleware.error_replies import JSON
from finding_nemo.serving.middleware.request_limits import RequestLimits
from finding_nemo.serving.middleware.server_metrics import ServerMetrics
from finding_nemo.serving.predict_routes import IMAGES_BODY
from finding_nemo.serving.review_api.session_errors import SessionRoute
from finding_nemo.serving.upload_reader import read_uploads


def make_upload_router(
    intake: FrameIntake, limits: RequestLimits, metrics: ServerMetrics
) -> APIRouter:
    """Return the route that keeps frames.

    Args:
        intake: What keeps, predicts and adds them.
        limits: What a request may cost.
        metrics: Where stages are counted.
    """
    router = APIRouter(route_class=SessionRoute)

    @router.post("/frames", response_model=FramesReply, openapi_extra=IMAGES_BODY)
    async def add_frames(request: Request) -> Response:
        """Keep images and videos, and add their frames to those under review, failed ones too."""
        sinks: list[DiskSink] = []

        def make_sink(name: str) -> DiskSink:
            sinks.append(intake.make_sink(name))
            return sinks[-1]

        try:
            with metrics.timed("receive"):
                uploads = await read_uploads(
                    request, limits, make_sink, most_bytes=limits.max_video_bytes
                )
            rows = await intake.add(uploads)
        except BaseException:
            for sink in sinks:
                sink.abort()
            raise
        reply = FramesReply.model_validate({"frames": rows}, from_attributes=True)
        return Response(reply.model_dump_json(), media_type=JSON)

    return router
