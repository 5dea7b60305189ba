"""Addresses as servers take them, and redirections that are not followed."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finding_nemo.core.errors import AddressError
from finding_nemo.fetching.transfer.addresses import (
    checked_address,
    host_of,
    is_on,
    moved_address,
    redirect_target,
)


@pytest.mark.parametrize(
    ("given_url", "asked"),
    [
        ("https://h.org/a.png", "https://h.org/a.png"),
        ("  HTTPS://H.org/A.png ", "https://h.org/A.png"),
        ("http://h.org", "http://h.org/"),
        ("https://h.org/Mini ROV/é.png", "https://h.org/Mini%20ROV/%C3%A9.png"),
        ("https://h.org/Mini%20ROV/50%/a.png", "https://h.org/Mini%20ROV/50%25/a.png"),
        ("https://h.org/a.png?x=1 2&y=é#top", "https://h.org/a.png?x=1%202&y=%C3%A9"),
        ("http://[::1]:8080/a.png", "http://[::1]:8080/a.png"),
    ],
)
def test_address__is_encoded_once(given_url: str, asked: str) -> None:
    assert checked_address(given_url) == asked
    assert checked_address(asked) == asked


@pytest.mark.parametrize(
    "url",
    [
        *("", "a.png", "/etc/passwd", "file:///etc/passwd", "ftp://h/a", "javascript:1", "http://"),
        *("http:///a.png", "http://[::1/a.png", "http://h:port/a.png", "http://h:99999999/a"),
        *(
            "http://user:secret@h/a.png",
            "http://h/a\nb.png",
            "http://h/\0",
            "http://h/" + "a" * 9000,
        ),
    ],
)
def test_address__that_is_none_is_refused_in_words(url: str) -> None:
    with pytest.raises(AddressError) as caught:
        checked_address(url)
    assert "secret" not in str(caught.value)
    assert len(str(caught.value)) < 200


@given(st.text(max_size=60))
def test_address__any_path_comes_back_by_decoding(path: str) -> None:
    try:
        found = checked_address(f"https://h.org/{path}")
    except AddressError:
        assert not path.isprintable() or any(sign in path for sign in "#?%[]@\\/")
        return
    assert found.isascii()
    assert " " not in found
    if not set(path) & set("#?%") and path == path.rstrip():
        assert unquote(urlsplit(found).path) == f"/{path}"


def test_host__is_scheme_name_and_port() -> None:
    assert host_of("https://h.org/a") == host_of("https://h.org:443/b") == "https://h.org"
    assert host_of("http://h.org./a") == "http://h.org"
    assert host_of("https://h.org:8443/a") == "https://h.org:8443"
    assert host_of("http://[::1]:80/a") == "http://[::1]"


def test_domain__holds_the_hosts_below_it_only() -> None:
    assert is_on("https://fathomnet.org/a", "fathomnet.org")
    assert is_on("https://database.fathomnet.org/a", "fathomnet.org")
    assert not is_on("https://notfathomnet.org/a", "fathomnet.org")
    assert not is_on("https://fathomnet.org.evil.example/a", "fathomnet.org")


def test_moved__keeps_the_path() -> None:
    found = moved_address("https://fathomnet.org/static/Mini%20ROV/a.png?b=1", "https://d.org")
    assert found == "https://d.org/static/Mini%20ROV/a.png?b=1"


@pytest.mark.parametrize(
    ("url", "location", "target"),
    [
        ("https://h.org/a/b.png", "c.png", "https://h.org/a/c.png"),
        ("https://h.org/a/b.png", "/c d.png", "https://h.org/c%20d.png"),
        ("https://h.org/a", "//other.org/c.png", "https://other.org/c.png"),
        ("http://h.org/a", "https://h.org/a", "https://h.org/a"),
        ("http://127.0.0.1/a", "http://127.0.0.1:8/b", "http://127.0.0.1:8/b"),
    ],
)
def test_redirect__is_followed(url: str, location: str, target: str) -> None:
    assert redirect_target(url, location) == target


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("https://h.org/a", "http://h.org/a"),
        ("https://h.org/a", "file:///etc/passwd"),
        ("https://h.org/a", "https://user:pw@h.org/a"),
        ("http://h.org/a", "http://169.254.169.254/latest/meta-data"),
        ("http://h.org/a", "http://127.0.0.1:8080/"),
        ("http://h.org/a", "http://[::1]/"),
        ("http://h.org/a", "http://localhost/"),
        ("http://h.org/a", "http://printer.local/"),
        ("http://h.org/a", "http://10.0.0.1/"),
    ],
)
def test_redirect__is_refused(url: str, location: str) -> None:
    with pytest.raises(AddressError):
        redirect_target(url, location)
