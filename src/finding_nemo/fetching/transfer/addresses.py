"""Addresses of images: checked, written as servers take them, and where they may lead on to."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, quote, urljoin, urlsplit, urlunsplit

from finding_nemo.core.errors import AddressError
from finding_nemo.core.text.cells import quoted

MAX_REDIRECTS = 5
_MAX_CHARACTERS = 8_000
_PORTS = {"http": 80, "https": 443}
# What RFC 3986 lets stand in a path or a query; "%" is looked at apart.
_KEPT = "%/:@!$&'()*+,;=-._~?[]|"
_LONE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_LOCAL_ENDINGS = (".localhost", ".local", ".internal", ".lan")


def checked_address(url: str) -> str:
    """Return an address as a server takes it: blanks and letters beyond ASCII percent-encoded.

    What is encoded already stays so; what stands behind "#" is dropped, which servers never see.

    Raises:
        AddressError: If it is no http:// or https:// address of a host, or carries a password.

    Example:
        >>> checked_address("https://fathomnet.org/Mini ROV/a%20b.png#top")
        'https://fathomnet.org/Mini%20ROV/a%20b.png'
    """
    url = url.strip()
    if len(url) > _MAX_CHARACTERS or not url.isprintable():
        raise AddressError(
            f"{quoted(url)} is no address: it is too long or holds control characters"
        )
    parts = _split(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise AddressError(f"{quoted(url)} is no address that begins with http:// or https://")
    if "@" in parts.netloc:
        raise AddressError(
            f"the address at {quoted(parts.hostname)} carries a user name or password"
        )
    path, query = (
        quote(_LONE_PERCENT.sub("%25", text), safe=_KEPT) for text in (parts.path, parts.query)
    )
    return urlunsplit((parts.scheme, parts.netloc.lower(), path or "/", query, ""))


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port  # a port that is no number is noticed only here
    except ValueError:
        raise AddressError(f"{quoted(url)} is no address that can be read") from None
    return parts


def host_of(url: str) -> str:
    """Return what one server is known by: its scheme, host and port, "https://fathomnet.org"."""
    parts = urlsplit(url)
    name = (parts.hostname or "").rstrip(".")
    shown = f"[{name}]" if ":" in name else name
    port = parts.port
    return f"{parts.scheme}://{shown}" + (
        f":{port}" if port and port != _PORTS.get(parts.scheme) else ""
    )


def is_on(url: str, domain: str) -> bool:
    """Return whether an address is on a domain or on a host below it."""
    name = (urlsplit(url).hostname or "").rstrip(".")
    return name == domain or name.endswith(f".{domain}")


def moved_address(url: str, base: str) -> str:
    """Return the same path on another server.

    Example:
        >>> moved_address("https://fathomnet.org/static/a.png", "https://database.fathomnet.org")
        'https://database.fathomnet.org/static/a.png'
    """
    parts, other = urlsplit(url), urlsplit(base)
    return urlunsplit((other.scheme, other.netloc, parts.path, parts.query, ""))


def redirect_target(url: str, location: str) -> str:
    """Return where a redirection leads, checked as any address is.

    Raises:
        AddressError: If it leads to no address, from https:// to http://, or from a public host
            into a private network.
    """
    target = checked_address(urljoin(url, location.strip()))
    if url.startswith("https:") and target.startswith("http:"):
        raise AddressError("the server redirects from https:// to http://, which is not followed")
    if _is_private(target) and not _is_private(url):
        raise AddressError("the server redirects into a private network, which is not followed")
    return target


def _is_private(url: str) -> bool:
    name = (urlsplit(url).hostname or "").rstrip(".")
    try:
        return not ipaddress.ip_address(name.partition("%")[0]).is_global
    except ValueError:
        return name == "localhost" or name.endswith(_LOCAL_ENDINGS)
