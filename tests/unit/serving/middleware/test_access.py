"""Who may ask: every refusal and everything that passes."""

from __future__ import annotations

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finding_nemo.core.errors import RequestError
from finding_nemo.serving.middleware.access import (
    LOOPBACK_NAMES,
    AccessRules,
    access_rules,
    check_access,
    cookie_name,
    is_loopback,
    session_cookie,
)

HOST = "127.0.0.1:8765"
OPEN = AccessRules()
TOKEN = "a token of some length"  # noqa: S105
GUARDED = AccessRules(token=TOKEN, session="the-session")
COOKIE = {"cookie": "finding_nemo_8765=the-session"}


def status_of(
    rules: AccessRules, method: str = "GET", path: str = "/model", host: str = HOST, **headers: str
) -> int:
    """Return the status of the refusal, 200 where there is none."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        check_access(rules, method, path, {"host": host, **named})
    except RequestError as error:
        return error.status
    return 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8765", 200),
        ("localhost:8765", 200),
        ("LOCALHOST", 200),
        ("localhost.:8765", 200),
        ("[::1]:8765", 200),
        ("evil.example", 403),
        ("evil.example:8765", 403),
        ("127.0.0.1.evil.example", 403),
        ("localhost:evil", 403),
        ("localhost:8765:1", 403),
        ("192.168.1.5:8765", 403),
        ("", 403),
        ("[::1", 403),
        ("127.0.0.1:٣", 403),
    ],
)
def test_host__must_be_this_machine(host: str, status: int) -> None:
    assert status_of(OPEN, host=host) == status


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("192.168.1.5:8765", 200),
        ("[fe80::1]:8765", 200),
        (f"{socket.gethostname()}:8765", 200),
        ("ship.example", 200),
        ("evil.example", 403),
        ("1.2.3.4.5", 403),
    ],
)
def test_host__beyond_this_machine(host: str, status: int) -> None:
    rules = access_rules("0.0.0.0", None, ["Ship.Example."])  # noqa: S104
    assert status_of(rules, host=host) == status


def test_names__of_a_loopback_server_grow_by_those_given() -> None:
    assert access_rules("localhost", None, ["nemo.local"]).names == LOOPBACK_NAMES | {"nemo.local"}
    assert not access_rules("::1", None).any_address


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("LocalHost", True),
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("0.0.0.0", False),  # noqa: S104
        ("::", False),
        ("10.0.0.1", False),
        ("example.org", False),
    ],
)
def test_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (f"http://{HOST}", 200),
        (f"https://{HOST}", 200),
        ("http://127.0.0.1", 403),
        ("http://127.0.0.1:9999", 403),
        ("http://evil.example", 403),
        ("null", 403),
        ("", 403),
        (f"http://{HOST}.evil.example", 403),
    ],
)
def test_origin__where_sent_must_be_our_own(origin: str, status: int) -> None:
    headers = {"origin": origin, "content_type": "application/json"}
    assert status_of(OPEN, "POST", **headers) == status


def test_origin__does_not_matter_where_nothing_changes() -> None:
    assert status_of(OPEN, "GET", origin="http://evil.example") == 200


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json", 200),
        ("Application/JSON; charset=utf-8", 200),
        ("multipart/form-data; boundary=x", 200),
        ("image/png", 200),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("", 415),
    ],
)
def test_type__that_a_form_of_a_stranger_can_send_is_refused(kind: str, status: int) -> None:
    assert status_of(OPEN, "POST", content_type=kind) == status


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_type__is_asked_of_every_method_that_changes(method: str) -> None:
    assert status_of(OPEN, method) == 415


@pytest.mark.parametrize("path", ["/", "/health", "/static/app.js", "/favicon.ico"])
def test_token__is_not_asked_for_the_page_itself(path: str) -> None:
    assert status_of(GUARDED, path=path) == 200


@pytest.mark.parametrize(
    "path", ["/model", "/metrics", "/frames/1/image", "/openapi.json", "/staticx", "//", "/Health"]
)
def test_token__is_asked_for_everything_else(path: str) -> None:
    assert status_of(GUARDED, path=path) == 401
    assert status_of(GUARDED, path=path, authorization=f"Bearer {TOKEN}") == 200


@pytest.mark.parametrize(
    "value",
    [
        "",
        TOKEN,
        f"Basic {TOKEN}",
        "Bearer",
        "Bearer ",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        "Bearer the-session",
        "Bearer \xff\udcff",
    ],
)
def test_token__must_be_the_whole_one(value: str) -> None:
    assert status_of(GUARDED, authorization=value) == 401


def test_token__of_a_server_without_one_is_never_right() -> None:
    assert not OPEN.knows_token("")


def test_cookie__lets_read_and_with_the_header_write() -> None:
    assert status_of(GUARDED, **COOKIE) == 200
    change = {"content_type": "application/json", **COOKIE}
    assert status_of(GUARDED, "POST", **change) == 403
    assert status_of(GUARDED, "POST", x_finding_nemo="1", **change) == 200


@pytest.mark.parametrize(
    "cookie",
    [
        "finding_nemo_8765=another",
        "finding_nemo_80=the-session",
        "finding_nemo_8765=",
        ";;;=",
        "\x00",
    ],
)
def test_cookie__of_another_server_or_start_is_none(cookie: str) -> None:
    assert status_of(GUARDED, cookie=cookie) == 401


def test_cookie__is_named_by_port_and_kept_from_programs() -> None:
    assert cookie_name("localhost") == "finding_nemo_80"
    assert session_cookie(GUARDED, HOST) == (
        "finding_nemo_8765=the-session; Path=/; HttpOnly; SameSite=Strict"
    )


def test_session__is_another_one_each_start_and_not_shown() -> None:
    assert AccessRules().session != AccessRules().session
    assert "the-session" not in repr(GUARDED)


@given(st.text(), st.text(), st.text(), st.sampled_from(["GET", "POST", "DELETE"]))
def test_anything__is_answered_or_refused(host: str, cookie: str, token: str, method: str) -> None:
    assert status_of(
        GUARDED, method, host=host, cookie=cookie, authorization=f"Bearer {token}"
    ) in (200, 401, 403, 415)
