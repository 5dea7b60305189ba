"""The app: the page, the routes that it is given, and the gate before all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter, FastAPI, Request
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles

from finding_nemo.core.errors import RequestError
from finding_nemo.core.provenance import package_version
from finding_nemo.serving.api_schemas import ErrorReply, HealthReply, ModelReply, SessionRequest
from finding_nemo.serving.middleware.access import AccessRules, session_cookie
from finding_nemo.serving.middleware.error_replies import add_error_replies
from finding_nemo.serving.middleware.request_gate import RequestGate, ServerState
from finding_nemo.serving.middleware.request_limits import USUAL_REQUEST_LIMITS, RequestLimits
from finding_nemo.serving.middleware.server_metrics import METRICS_TYPE, ServerMetrics

STATIC = Path(str(files("finding_nemo.serving"))) / "static"


def _tell_nobody(words: str) -> None:
    del words


@dataclass(frozen=True, kw_only=True)
class Services:
    """What an app is made of.

    Attributes:
        model: Gives what is served, as of now.
        rules: Who may ask.
        routers: The routes beside those that every server has.
        metrics: Where requests are counted.
        state: Whether the server stops.
        tell_fault: Told of faults of the server itself.
        limits: What requests may cost.
        static: The folder of the page.
    """

    model: Callable[[], ModelReply]
    rules: AccessRules = field(default_factory=AccessRules)
    routers: Sequence[APIRouter] = ()
    metrics: ServerMetrics = field(default_factory=ServerMetrics)
    state: ServerState = field(default_factory=ServerState)
    tell_fault: Callable[[str], None] = _tell_nobody
    limits: RequestLimits = USUAL_REQUEST_LIMITS
    static: Path = STATIC


def make_app(services: Services) -> FastAPI:
    """Return the app; its pages of documentation are off, as they would ask a stranger's server.

    Example:
        >>> app = make_app(Services(model=lambda: reply))  # doctest: +SKIP
    """
    app = FastAPI(
        title="Finding Nemo",
        summary="Which animals are in each deep-sea frame, and how far to trust it.",
        version=package_version(),
        docs_url=None,
        redoc_url=None,
        responses={"4XX": {"model": ErrorReply, "description": "Refused, with the reason."}},
    )
    add_error_replies(app)
    app.add_middleware(
        RequestGate,
        rules=services.rules,
        state=services.state,
        metrics=services.metrics,
        tell_fault=services.tell_fault,
        limits=services.limits,
    )
    app.include_router(_own_routes(services))
    for router in services.routers:
        app.include_router(router)
    if services.static.is_dir():
        app.mount("/static", StaticFiles(directory=services.static), name="static")
    return app


def _own_routes(services: Services) -> APIRouter:
    """Return the routes that every server has."""
    router = APIRouter()

    @router.get("/", include_in_schema=False)
    def page() -> FileResponse:
        return FileResponse(services.static / "index.html")

    @router.get("/health", responses={503: {"model": HealthReply}})
    async def health(response: Response) -> HealthReply:
        """Say whether the server takes work."""
        if services.state.is_stopping:
            response.status_code = 503
            return HealthReply(status="stopping")
        return HealthReply(status="ready")

    @router.get("/metrics", response_class=Response)
    async def metrics() -> Response:
        """Give the server's counts as Prometheus reads them."""
        return Response(services.metrics.text(), media_type=METRICS_TYPE)

    @router.get("/model")
    def model() -> ModelReply:
        """Say what is served: the bundle, its animals, and what requests may cost."""
        return services.model()

    @router.post("/session", status_code=204)
    async def session(given: SessionRequest, request: Request) -> Response:
        """Take the token and set the page's cookie, so that its images load."""
        rules = services.rules
        if rules.token is None:
            return Response(status_code=204)
        if not rules.knows_token(given.token):
            raise RequestError(
                401,
                "This is not the server's token.",
                do="Open the page by the address that the server printed.",
            )
        cookie = session_cookie(rules, request.headers.get("host", ""))
        return Response(status_code=204, headers={"Set-Cookie": cookie})

    return router
