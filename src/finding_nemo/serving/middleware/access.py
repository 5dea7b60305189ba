"""Who may ask: hosts, origins, the token and its cookie, and the headers of every reply.

A page of a stranger that is open in the same browser can send requests to this machine. Three
checks keep it out: the Host must be this server's own (a stranger's name may be made to point
here), the Origin must be the same, and what changes something must be of a kind that a form of
another page cannot send, or come from our own origin.

Source: OWASP Cross-Site Request Forgery Prevention Cheat Sheet.
"""

from __future__ import annotations

import hmac
import ipaddress
import secrets
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie

from finding_nemo.core.errors import RequestError

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
CONFIRMATION_HEADER = "x-finding-nemo"
BODY_TYPES = ("application/json", "multipart/form-data", "image/")
SECURITY_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' blob: data:; style-src 'self'; script-src 'self'; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# What the page needs before it can give the token, and what a supervisor of the server asks.
_OPEN = frozenset({"/", "/health", "/session", "/favicon.ico"})
_OPEN_BELOW = "/static/"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRules:
    """Who may ask.

    Attributes:
        token: What a client must send; `None`: nobody is asked for one.
        names: Host names and addresses by which the server may be called.
        any_address: Whether it may also be called by any address in numbers.
        session: What the cookie holds; a new one each start, so that a stolen cookie ends with it.
    """

    token: str | None = None
    names: frozenset[str] = LOOPBACK_NAMES
    any_address: bool = False
    session: str = field(default_factory=secrets.token_urlsafe, repr=False)

    def knows_token(self, given: str) -> bool:
        """Return whether `given` is the token; how long it takes tells nothing of it."""
        return self.token is not None and _same(given, self.token)


def access_rules(host: str, token: str | None, names: Iterable[str] = ()) -> AccessRules:
    """Return the rules of a server that listens on `host`.

    Args:
        host: As given on the command line.
        token: What clients must send, or `None`.
        names: More host names by which it may be called.
    """
    called = {name.lower().rstrip(".") for name in names}
    if is_loopback(host):
        return AccessRules(token=token, names=LOOPBACK_NAMES | called)
    own = {host.lower(), socket.gethostname().lower(), f"{socket.gethostname().lower()}.local"}
    return AccessRules(token=token, names=LOOPBACK_NAMES | called | own, any_address=True)


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches a server that listens on `host`."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_access(rules: AccessRules, method: str, path: str, headers: Mapping[str, str]) -> None:
    """Refuse a request that may not be answered.

    Args:
        rules: Who may ask.
        method: Of the request, in capitals.
        path: Its path.
        headers: Its headers, names in lower case.

    Raises:
        RequestError: 401, 403 or 415.
    """
    host = headers.get("host", "")
    _check_host(rules, host)
    changes = method not in SAFE_METHODS
    if changes:
        _check_origin(headers.get("origin"), host)
        _check_type(headers)
    if rules.token is None or path in _OPEN or path.startswith(_OPEN_BELOW):
        return
    scheme, _, given = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and rules.knows_token(given.strip()):
        return
    if not _same(_cookie(headers.get("cookie", ""), cookie_name(host)), rules.session):
        raise RequestError(
            401,
            "This server asks for its token.",
            do="Open the page by the address that the server printed, or send the header "
            "Authorization: Bearer TOKEN.",
            headers={"WWW-Authenticate": "Bearer"},
        )
    if changes and CONFIRMATION_HEADER not in headers:
        raise RequestError(
            403,
            "This request has the page's cookie but not the page's header.",
            wanted="A request of the page sends X-Finding-Nemo: 1.",
            do="Send that header, or Authorization: Bearer TOKEN instead of the cookie.",
        )


def cookie_name(host: str) -> str:
    """Return the cookie's name: cookies know no ports, and two servers may share a machine."""
    return f"finding_nemo_{_split_host(host)[1] or 80}"


def session_cookie(rules: AccessRules, host: str) -> str:
    """Return the value of Set-Cookie that lets the page's images load."""
    return f"{cookie_name(host)}={rules.session}; Path=/; HttpOnly; SameSite=Strict"


def _check_host(rules: AccessRules, host: str) -> None:
    name, _ = _split_host(host)
    if name in rules.names or (rules.any_address and _is_address(name)):
        return
    raise RequestError(
        403,
        "The request names a host that is not this server's.",
        wanted="It is called by the address that it printed.",
        do="Use that address, or start the server with --allow-host NAME.",
    )


def _split_host(host: str) -> tuple[str, int | None]:
    """Return name and port of a Host header; the name is "" where it is none."""
    name, _, port = host.rpartition(":")
    if not name or (host.startswith("[") and host.endswith("]")):
        name, port = host, ""
    if port and not (port.isascii() and port.isdigit() and len(port) <= 5):
        return "", None
    bare = name.lower().rstrip(".")
    if bare.startswith("[") and bare.endswith("]"):
        bare = bare[1:-1]
    return bare, int(port) if port else None


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _check_origin(origin: str | None, host: str) -> None:
    if origin is None or origin.lower() in (f"http://{host.lower()}", f"https://{host.lower()}"):
        return
    raise RequestError(
        403,
        "The request comes from a page of another origin.",
        wanted="Only this server's own page, or a program that sends no Origin, may change "
        "anything here.",
    )


def _check_type(headers: Mapping[str, str]) -> None:
    kind = headers.get("content-type", "").strip().lower()
    if kind.startswith(BODY_TYPES):
        return
    raise RequestError(
        415,
        f"A body of the type {kind[:80]!r}." if kind else "A body without a Content-Type.",
        wanted="application/json, multipart/form-data or image/...",
        do="Send the header Content-Type.",
    )


def _cookie(header: str, name: str) -> str:
    try:
        found = SimpleCookie(header).get(name)
    except CookieError:
        return ""
    return "" if found is None else found.value


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(
        given.encode(errors="surrogateescape"), wanted.encode(errors="surrogateescape")
    )
