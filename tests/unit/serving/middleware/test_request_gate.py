"""The gate: headers on every reply, one form of refusals, counts, the stop."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter
from fastapi.testclient import TestClient
from pydantic import BaseModel
from starlette.types import Message

from finding_nemo.core.errors import RequestError
from finding_nemo.serving.api_schemas import LimitsReply, ModelReply
from finding_nemo.serving.make_app import Services, make_app
from finding_nemo.serving.middleware.access import SECURITY_HEADERS, AccessRules
from finding_nemo.serving.middleware.request_gate import RequestGate, ServerState
from finding_nemo.serving.middleware.request_limits import RequestLimits
from finding_nemo.serving.middleware.server_metrics import ServerMetrics

MODEL = ModelReply(
    mode="serve",
    name="probe",
    recipe="probe",
    hash="0",
    created=None,
    n_train_dives=3,
    frame=None,
    categories=[],
    can_predict=True,
    has_embeddings=True,
    has_maps=False,
    reviewer="",
    limits=LimitsReply(files=1, bytes=2, pixels=3),
    version="0",
)


class _Numbers(BaseModel):
    number: int


def _odd_routes() -> APIRouter:
    router = APIRouter()

    @router.get("/fault")
    def fault() -> None:
        raise RuntimeError("/secret/path is broken")

    @router.get("/refused/{row}")
    def refused(row: int) -> None:
        raise RequestError(409, f"Frame {row} failed.", wanted="Another.", do="Choose one.")

    @router.post("/numbers")
    def numbers(numbers: _Numbers) -> int:
        return numbers.number

    @router.post("/reviews", status_code=201)
    def reviews() -> None:
        pass

    return router


class _Server:
    """An app with odd routes, and all that it told."""

    def __init__(self, static: Path) -> None:
        self.told: list[str] = []
        self.services = Services(
            model=lambda: MODEL,
            routers=(_odd_routes(),),
            tell_fault=self.told.append,
            static=static,
        )
        self.client = TestClient(make_app(self.services), base_url="http://127.0.0.1:8765")

    def ask(self, method: str, path: str, **choices: Any) -> tuple[int, Any]:
        """Return status and JSON."""
        reply = self.client.request(method, path, **choices)
        for name, value in SECURITY_HEADERS.items():
            assert reply.headers[name] == value
        return reply.status_code, reply.json() if reply.content else None

    def count(self, route: str, status: int) -> float | None:
        """Return how often a route was answered so."""
        labels = {"route": route, "status": str(status)}
        return self.services.metrics.registry.get_sample_value(
            "finding_nemo_requests_total", labels
        )


@pytest.fixture(scope="module")
def static(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a page."""
    folder = tmp_path_factory.mktemp("static")
    (folder / "index.html").write_text("<!doctype html><title>x</title>")
    (folder / "app.js").write_text("1")
    return folder


@pytest.fixture
def server(static: Path) -> _Server:
    return _Server(static)


def test_health_and_model(server: _Server) -> None:
    assert server.ask("GET", "/health") == (200, {"status": "ready"})
    status, model = server.ask("GET", "/model")
    assert (status, model["name"], model["limits"]["bytes"]) == (200, "probe", 2)


def test_refusal__is_told_in_three_parts(server: _Server) -> None:
    assert server.ask("GET", "/refused/7") == (
        409,
        {"error": {"what": "Frame 7 failed.", "wanted": "Another.", "do": "Choose one."}},
    )


def test_fault__is_told_to_the_operator_and_not_to_the_client(server: _Server) -> None:
    status, told = server.ask("GET", "/fault")
    assert status == 500
    assert "secret" not in json.dumps(told)
    assert "RuntimeError: /secret/path is broken (test_request_gate.py:" in server.told[-1]
    assert "\n" not in server.told[-1]  # a screen shows the words of anybody in one line


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/static/nothing.js", 404),
        ("GET", "/static/../make_app.py", 404),
        ("GET", "/static/%2e%2e/make_app.py", 404),
        ("GET", "/static//etc/passwd", 404),
        ("GET", "/docs", 404),
        ("GET", "/redoc", 404),
        ("DELETE", "/health", 415),
    ],
)
def test_strange_requests__are_refused(
    server: _Server, method: str, path: str, status: int
) -> None:
    found, told = server.ask(method, path)
    assert found == status
    assert told["error"]["what"]


def test_wrong_fields__are_told_by_name_without_their_values(server: _Server) -> None:
    status, told = server.ask("POST", "/numbers", json={"number": "<b>many</b>"})
    assert status == 422
    assert told["error"]["what"].startswith("Wrong fields: number: Input should be a valid integer")
    assert "<b>" not in told["error"]["what"]
    nothing = server.ask("POST", "/numbers", content=b"{", headers={"content-type": "text/json"})
    assert nothing[0] == 415
    broken = server.ask(
        "POST", "/numbers", content=b"{", headers={"content-type": "application/json"}
    )
    assert broken[0] == 422


def test_counts__know_routes_of_the_program_alone(server: _Server) -> None:
    for path in ("/refused/1", "/refused/2", "/a", "/b", "/static/x", "/health"):
        server.ask("GET", path)
    server.ask("GET", "/health", headers={"host": "evil.example"})
    assert server.count("/refused/{row}", 409) == 2
    assert server.count("other", 404) == 2
    assert server.count("/static", 404) == 1
    assert server.count("/health", 200) == 1
    assert server.count("other", 403) == 1
    text = server.client.get("/metrics").text
    assert "evil" not in text
    assert 'route="/a"' not in text


def test_counts__of_reviews(server: _Server) -> None:
    server.ask("POST", "/reviews", json={})
    value = server.services.metrics.registry.get_sample_value("finding_nemo_reviews_total")
    assert value == 1


def test_stop__refuses_new_work_and_says_so(server: _Server) -> None:
    server.services.state.stop()
    assert server.ask("GET", "/health") == (503, {"status": "stopping"})
    status, told = server.ask("GET", "/model")
    assert status == 503
    assert "stopping" in told["error"]["what"]
    assert server.client.get("/metrics").status_code == 200


def test_state__is_drained_when_the_last_accepted_request_is_answered() -> None:
    async def story() -> list[bool]:
        state = ServerState()
        waiting = asyncio.create_task(state.drained())
        found = []
        state.enter()
        state.enter()
        state.stop()
        for _ in range(2):
            await asyncio.sleep(0)
            found.append(waiting.done())
            state.leave()
        await waiting
        return [*found, waiting.done()]

    assert asyncio.run(story()) == [False, False, True]


def test_refused_body__is_drained_so_that_the_reply_arrives() -> None:
    """What a client still sends is read and forgotten before the connection is closed."""
    left = [b"x" * 10] * 5
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": left.pop(), "more_body": bool(left)}

    async def send(message: Message) -> None:
        sent.append(message)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise RequestError(413, "Too much.")

    gate = RequestGate(
        app,
        rules=AccessRules(),
        state=ServerState(),
        metrics=ServerMetrics(),
        tell_fault=lambda words: None,
    )
    headers = [(b"host", b"localhost"), (b"content-length", b"50"), (b"content-type", b"image/x")]
    scope = {"type": "http", "method": "POST", "path": "/predict", "headers": headers}
    asyncio.run(gate(scope, receive, send))
    assert not left
    assert (b"connection", b"close") in sent[0]["headers"]
    assert [message.get("more_body", False) for message in sent] == [False, True, False]


def _posted(static: Path, limits: RequestLimits, bodies: list[bytes], path: str) -> tuple[int, str]:
    """Return status and words of a request whose body comes in pieces, and then no more of it."""
    app = make_app(
        Services(model=lambda: MODEL, routers=(_odd_routes(),), static=static, limits=limits)
    )
    left, sent = list(bodies), list[Message]()

    async def receive() -> Message:
        if not left:
            await asyncio.sleep(60)
        return {"type": "http.request", "body": left.pop(0), "more_body": True}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [
        (b"host", b"localhost"),
        (b"content-length", b"900"),
        (b"content-type", b"application/json"),
    ]
    scope = {"type": "http", "method": "POST", "path": path, "headers": headers}
    more = {"query_string": b"", "root_path": "", "raw_path": path.encode()}

    async def ask() -> None:
        with suppress(TimeoutError):  # what the client still sends is waited for; not here
            async with asyncio.timeout(0.5):
                await app(scope | more, receive, send)

    asyncio.run(ask())
    return sent[0]["status"], json.loads(sent[1]["body"])["error"]["what"]


@pytest.mark.parametrize("path", ["/numbers", "/session"])
def test_body__that_brings_no_files_may_be_long_and_slow_only_so_far(
    static: Path, path: str
) -> None:
    """Such a body is held in memory in whole, and that of /session is anybody's."""
    short = RequestLimits(max_json_bytes=100)
    assert _posted(static, short, [b"[" * 60, b"[" * 60], path) == (
        413,
        "The body is larger than 0.0001 MB.",
    )
    hasty = RequestLimits(body_s=0.05)
    status, what = _posted(static, hasty, [b"{"], path)
    assert status == 408
    assert what.startswith("The body came too slowly: 1 bytes in 0 s")


def test_body__that_is_no_text_is_told(server: _Server) -> None:
    headers = {"Content-Type": "application/json"}
    status, told = server.ask("POST", "/numbers", content=b"\xff\xfe[", headers=headers)
    assert (status, told["error"]["what"]) == (400, "The body cannot be read.")


def test_page__and_session(static: Path) -> None:
    rules = AccessRules(token="t" * 12, session="s")
    services = Services(model=lambda: MODEL, static=static, rules=rules)
    client = TestClient(make_app(services), base_url="http://127.0.0.1:8765")
    assert client.get("/").headers["content-type"].startswith("text/html")
    assert client.get("/static/app.js").status_code == 200
    assert client.get("/model").status_code == 401
    assert client.post("/session", json={"token": "wrong"}).status_code == 401
    reply = client.post("/session", json={"token": "t" * 12})
    assert reply.status_code == 204
    assert "HttpOnly; SameSite=Strict" in reply.headers["set-cookie"]
    assert client.get("/model").status_code == 200  # by the cookie


def test_session__of_a_server_without_token_needs_none(server: _Server) -> None:
    assert server.ask("POST", "/session", json={"token": ""}) == (204, None)
