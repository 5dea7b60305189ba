"""A bundle served: predictions by HTTP, and frames that are dropped on the page kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from fastapi import APIRouter

from finding_nemo.core.errors import BundleError
from finding_nemo.core.reporter import Reporter
from finding_nemo.models.bundle.bundle import load_bundle
from finding_nemo.models.inference.open_bundle_network import DEFAULT_INFERENCE, InferenceOptions
from finding_nemo.prediction.postprocess import PRECISION
from finding_nemo.prediction.predictor import Predictor
from finding_nemo.reviewing.review_session import ReviewSession
from finding_nemo.serving.api_schemas import ModelReply
from finding_nemo.serving.batching import BatchingPredictor
from finding_nemo.serving.frame_intake import FrameIntake
from finding_nemo.serving.make_app import Services, make_app
from finding_nemo.serving.middleware.access import AccessRules
from finding_nemo.serving.middleware.request_gate import ServerState
from finding_nemo.serving.middleware.request_limits import (
    USUAL_REQUEST_LIMITS,
    ByteBudget,
    RequestLimits,
)
from finding_nemo.serving.middleware.server_metrics import ServerMetrics
from finding_nemo.serving.model_reply import domain_warning, model_reply
from finding_nemo.serving.predict_routes import make_predict_router
from finding_nemo.serving.review_api.live_session import open_live_session
from finding_nemo.serving.review_api.review_routes import make_review_router
from finding_nemo.serving.run_server import Address, run_server
from finding_nemo.serving.session_folder import open_session_folder
from finding_nemo.serving.upload_routes import make_upload_router


@dataclass(frozen=True, kw_only=True)
class ServeOptions:
    """How a bundle is served.

    Attributes:
        address: Where to listen.
        rules: Who may ask.
        limits: What requests may cost.
        folder: Where dropped frames are kept; `None`: a temporary folder.
        reviewer: Who reviews.
        every_s: Seconds between the frames taken of a video.
        dive_pattern: Where to find the dive in a file's name.
        precision: Share of the categories named that should be right.
        network: How the network is to be computed.
    """

    address: Address = field(default_factory=Address)
    rules: AccessRules = field(default_factory=AccessRules)
    limits: RequestLimits = USUAL_REQUEST_LIMITS
    folder: Path | None = None
    reviewer: str = ""
    every_s: float = 1.0
    dive_pattern: str | None = None
    precision: float = PRECISION
    network: InferenceOptions = DEFAULT_INFERENCE


def serve_bundle(
    bundle: Path,
    options: ServeOptions,
    *,
    on_ready: Callable[[int], None],
    reporter: Reporter,
    state: ServerState | None = None,
) -> None:
    """Serve a bundle until it is told to stop.

    Args:
        bundle: The bundle, or the run folder that holds it.
        options: How.
        on_ready: Told the port once requests are taken.
        reporter: Told what is going on.
        state: What stops it, beside signals.

    Raises:
        BundleError: If the bundle cannot be used.
        OutputError: If the address or the folder cannot be used.
    """
    state, metrics = state or ServerState(), ServerMetrics()
    predictor = open_predictor(bundle, options)
    with ExitStack() as stack:
        folder = stack.enter_context(open_session_folder(options.folder))
        batching = BatchingPredictor(
            predictor,
            metrics,
            most_waiting=options.limits.max_queue_images,
            tell_fault=reporter.warning,
        )
        stack.enter_context(batching)
        session = open_live_session(
            folder.path,
            predictor,
            reviewer=options.reviewer,
            dive_pattern=options.dive_pattern,
            reporter=Reporter(reporter.message),  # a bar for each review would say nothing
        )
        stack.callback(session.close)
        intake = FrameIntake(
            batching,
            folder,
            session,
            options.limits,
            every_s=options.every_s,
            dive_pattern=options.dive_pattern,
        )
        if folder.frames:
            with reporter.progress("frames of before", unit="frames") as progress:
                asyncio.run(intake.add_again(progress))
        services = Services(
            model=_model_of(predictor, session, options),
            rules=options.rules,
            routers=_routers(batching, intake, session, options.limits, metrics),
            metrics=metrics,
            state=state,
            tell_fault=reporter.warning,
            limits=options.limits,
        )
        run_server(
            make_app(services),
            state,
            address=options.address,
            limits=options.limits,
            on_ready=on_ready,
            reporter=reporter,
        )


def _routers(
    batching: BatchingPredictor,
    intake: FrameIntake,
    session: ReviewSession,
    limits: RequestLimits,
    metrics: ServerMetrics,
) -> tuple[APIRouter, ...]:
    return (
        make_predict_router(batching, limits, ByteBudget(limits.max_held_bytes), metrics),
        make_upload_router(intake, limits, metrics),
        make_review_router(session),
    )


def _model_of(
    predictor: Predictor, session: ReviewSession, options: ServeOptions
) -> Callable[[], ModelReply]:
    """Return what says what is served, and whether the frames so far look foreign."""
    model = model_reply(
        predictor.bundle,
        options.limits,
        reviewer=options.reviewer,
        has_embeddings=predictor.with_embedding,
        has_maps=predictor.map_grid is not None,
    )

    def model_now() -> ModelReply:
        frames = session.collection.columns
        warning = domain_warning(frames.places.dives, frames.unusual)
        return model.model_copy(update={"domain_warning": warning})

    return model_now


def open_predictor(bundle: Path, options: ServeOptions) -> Predictor:
    """Return what predicts: with the network's features, where it gives them, and with maps.

    Raises:
        BundleError: If the bundle cannot be used.
    """
    opened = partial(
        Predictor,
        load_bundle(bundle),
        with_maps=True,
        precision=options.precision,
        network=options.network,
        limits=options.limits.of_images,
    )
    try:
        return opened(with_embedding=True)
    except BundleError:
        return opened()
