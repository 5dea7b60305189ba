"""`POST /predict`: images in, what the bundle says of each, nothing kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from finding_nemo.data.datasets.fields.record_fields import record_of_path
from finding_nemo.prediction.sources.image_sources import ImageInput
from finding_nemo.serving.api_schemas import PredictReply
from finding_nemo.serving.batching import BatchingPredictor
from finding_nemo.serving.middleware.error_replies import JSON
from finding_nemo.serving.middleware.request_limits import ByteBudget, RequestLimits
from finding_nemo.serving.middleware.server_metrics import ServerMetrics
from finding_nemo.serving.prediction_reply import predict_result
from finding_nemo.serving.upload_reader import MemorySink, Upload, read_uploads

_FILES: dict[str, Any] = {
    "type": "object",
    "properties": {"file": {"type": "array", "items": {"type": "string", "format": "binary"}}},
}
IMAGES_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {"schema": _FILES},
            "image/*": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


def make_predict_router(
    batching: BatchingPredictor,
    limits: RequestLimits,
    budget: ByteBudget,
    metrics: ServerMetrics,
) -> APIRouter:
    """Return the route of stateless predictions.

    Args:
        batching: What predicts.
        limits: What a request may cost.
        budget: The memory that all requests share.
        metrics: Where stages are counted.
    """
    router = APIRouter()
    categories = batching.predictor.bundle.manifest.categories

    @router.post("/predict", response_model=PredictReply, openapi_extra=IMAGES_BODY)
    async def predict(request: Request) -> Response:
        """Say what is in each image: one result a part, in order, failures kept.

        The body is one image (`Content-Type: image/png`, for one) or `multipart/form-data` with
        any number of files up to the limit.
        """
        sinks: list[MemorySink] = []

        def make_sink(name: str) -> MemorySink:
            sinks.append(MemorySink(name, limits, budget))
            return sinks[-1]

        try:
            with metrics.timed("receive"):
                uploads = await read_uploads(
                    request, limits, make_sink, most_bytes=limits.max_request_bytes
                )
            predictions = await batching.predict(inputs_of(uploads))
        finally:
            for sink in sinks:
                sink.abort()
        with metrics.timed("reply"):
            reply = PredictReply(
                results=[
                    predict_result(upload.name, prediction, categories)
                    for upload, prediction in zip(uploads, predictions, strict=True)
                ]
            )
            return Response(reply.model_dump_json(), media_type=JSON)

    return router


def inputs_of(uploads: Sequence[Upload]) -> list[ImageInput]:
    """Return files in memory as inputs of a prediction; their names are told apart by nobody."""
    found = []
    for upload in uploads:
        record = record_of_path(Path(upload.name))
        found.append(
            ImageInput(
                record.image_id,
                upload.name,
                record,
                failure=upload.failure,
                content=upload.content,
            )
        )
    return found
