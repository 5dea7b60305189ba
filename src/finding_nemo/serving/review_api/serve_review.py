"""A review session served: the page and the API over a finished predictions file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from finding_nemo.core.provenance import package_version
from finding_nemo.core.reporter import Reporter
from finding_nemo.reviewing.review_session import ReviewSession
from finding_nemo.serving.api_schemas import CategoryRow, ModelReply
from finding_nemo.serving.make_app import Services, make_app
from finding_nemo.serving.middleware.access import AccessRules
from finding_nemo.serving.middleware.request_gate import ServerState
from finding_nemo.serving.middleware.request_limits import USUAL_REQUEST_LIMITS, RequestLimits
from finding_nemo.serving.model_reply import limits_reply
from finding_nemo.serving.review_api.review_routes import make_review_router
from finding_nemo.serving.run_server import Address, run_server


@dataclass(frozen=True, kw_only=True)
class ReviewServing:
    """How a review session is served.

    Attributes:
        address: Where to listen.
        rules: Who may ask.
        limits: What requests may cost.
    """

    address: Address = field(default_factory=Address)
    rules: AccessRules = field(default_factory=AccessRules)
    limits: RequestLimits = USUAL_REQUEST_LIMITS


def serve_review(
    session: ReviewSession,
    options: ReviewServing,
    *,
    on_ready: Callable[[int], None],
    reporter: Reporter,
    state: ServerState | None = None,
) -> None:
    """Serve a review session until it is told to stop.

    Args:
        session: The frames and their reviews.
        options: How.
        on_ready: Told the port once requests are taken.
        reporter: Told what is going on.
        state: What stops it, beside signals.

    Raises:
        OutputError: If the address cannot be listened to.
    """
    stops = state or ServerState()
    services = Services(
        model=lambda: review_model_reply(session, options.limits),
        rules=options.rules,
        routers=(make_review_router(session),),
        state=stops,
        tell_fault=reporter.warning,
        limits=options.limits,
    )
    run_server(
        make_app(services),
        stops,
        address=options.address,
        limits=options.limits,
        on_ready=on_ready,
        reporter=reporter,
    )


def review_model_reply(session: ReviewSession, limits: RequestLimits) -> ModelReply:
    """Return what `/model` says of the bundle that made the predictions."""
    about = session.collection.metadata
    training = about.get("training")
    domain = about.get("domain_check")
    return ModelReply(
        mode="review",
        name=str(about.get("bundle_name", "")),
        recipe=str(about.get("recipe", "")),
        hash=str(about.get("bundle_hash", "")),
        created=None if about.get("started") is None else str(about["started"]),
        n_train_dives=training.get("n_dives") if isinstance(training, dict) else None,
        frame=None,
        categories=[
            CategoryRow(
                id=int(entry["category_id"]),
                name=str(entry.get("name", "")),
                supercategory=str(entry.get("supercategory", "none")),
                n_images=int(entry.get("n_images") or 0),
            )
            for entry in session.categories
        ],
        can_predict=False,
        has_embeddings=session.collection.has_features,
        has_maps=bool(about.get("maps")),
        reviewer=session.reviewer,
        domain_warning=(domain.get("message") or None) if isinstance(domain, dict) else None,
        notices=list(session.collection.notices),
        limits=limits_reply(limits),
        version=package_version(),
    )
