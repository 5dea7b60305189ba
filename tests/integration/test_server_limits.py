"""Everything that a server refuses, and that its memory stays flat while it does."""

from __future__ import annotations

import io
import socket
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PIL import Image

Form = Callable[..., tuple[bytes, str]]
HEAD = "POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n"
JUNK_BYTES = 1000 * 65_536
# Of a process that holds libraries, a network and a few frames.
_MOST_GROWTH_MB = 40


def png(width: int = 30, height: int = 20) -> bytes:
    """Return the bytes of a picture."""
    stream = io.BytesIO()
    Image.radial_gradient("L").resize((width, height)).convert("RGB").save(stream, "PNG")
    return stream.getvalue()


def bomb() -> bytes:
    """Return a PNG of 60 kB that claims 20,000 x 20,000 px."""
    head = b"IHDR" + struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    data = b"IDAT" + zlib.compress(bytes(60_000_000), 9)
    chunks = [struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in
              (head, data, b"IEND")]  # fmt: skip
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def talk(port: int, said: bytes, *, for_s: float = 20) -> bytes:
    """Say something over a connection, and return all that comes back until it is closed."""
    heard = b""
    with socket.create_connection(("127.0.0.1", port), timeout=for_s) as connection:
        connection.sendall(said)
        while piece := connection.recv(65536):
            heard += piece
    return heard


def endless(n_bytes: int, piece: bytes = b"\x01" * 65536) -> Iterator[bytes]:
    """Yield junk."""
    for _ in range(0, n_bytes, len(piece)):
        yield piece


def test_junk_and_bombs__are_refused_in_flat_memory(served: Any, form: Form) -> None:
    body, kind = form(("a.png", png()), ("b.png", bomb()))
    served.post("/predict", *form(("a.png", png())))
    before = served.memory_mb()
    for _ in range(3):
        status, told = served.post("/predict", body, kind)
        assert status == 200
        failures = [result["failure"] for result in told["results"]]
        assert failures[0] is None
        assert "20000 x 20000 px" in failures[1]
        junk = {"Content-Type": "image/png", "Content-Length": str(JUNK_BYTES)}
        status, told, _ = served.ask("POST", "/predict", endless(JUNK_BYTES), junk)
        assert (status, told["error"]["what"]) == (413, "The body is larger than 4 MB.")
        chunked = {"Content-Type": "image/png", "Transfer-Encoding": "chunked"}
        assert served.ask("POST", "/predict", endless(JUNK_BYTES), chunked)[0] == 413
        assert served.ask("POST", "/frames", endless(JUNK_BYTES), chunked)[0] == 413
    assert served.memory_mb() - before < _MOST_GROWTH_MB


def test_junk__within_the_limit_is_a_failed_image(served: Any) -> None:
    status, told = served.post("/predict", b"\x01" * 3_000_000, "image/png")
    assert status == 200
    assert told["results"][0]["failure"] == "is not an image that can be read"


def test_ten_thousand_images__are_refused_early(served: Any) -> None:
    part = b'--b\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\n\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=b", "Transfer-Encoding": "chunked"}
    status, told, _ = served.ask("POST", "/predict", iter([part * 500] * 20), headers)
    assert (status, told["error"]["what"]) == (413, "The request holds more than 20 files.")


def test_length__that_lies_low_cuts_the_body_and_the_connection(served: Any) -> None:
    heard = talk(served.port, f"{HEAD}Content-Length: 10\r\n\r\n".encode() + png())
    assert heard.startswith(b"HTTP/1.1 200")
    assert b'"failure":"' in heard
    assert b"HTTP/1.1 5" not in heard
    assert served.ask("GET", "/health")[0] == 200


def test_length__that_lies_high_waits_its_time_and_no_longer(served: Any) -> None:
    began = time.monotonic()
    heard = talk(served.port, f"{HEAD}Content-Length: 100000\r\n\r\n".encode() + png())
    assert heard.startswith(b"HTTP/1.1 408")
    assert time.monotonic() - began < 15


def test_truncated_multipart__is_refused(served: Any, form: Form) -> None:
    body, kind = form(("a.png", png()), ("b.png", png()))
    status, told = served.post("/predict", body[:-30], kind)
    assert (status, told["error"]["what"]) == (400, "The body ends before its last part does.")


def test_type__that_lies_is_not_believed(served: Any, form: Form) -> None:
    status, told = served.post("/predict", png(), "image/x-something")
    assert (status, told["results"][0]["failure"]) == (200, None)
    status, told = served.post("/predict", b"<html>hello", "image/png")
    assert "an HTML page" in told["results"][0]["failure"]
    assert served.post("/predict", png(), "text/plain")[0] == 415


@pytest.mark.parametrize(
    "name", ["../../../etc/passwd", "/etc/passwd", "..\\..\\x.png", "a\x00b", "<script>", "x" * 900]
)
def test_names__of_files_are_text(served: Any, form: Form, name: str) -> None:
    for path in ("/predict", "/frames"):
        status, told = served.post(path, *form((name, png())))
        assert status == 200
        shown = str(told)
        assert "/etc" not in shown
        assert "\x00" not in shown
        assert "finding-nemo-" not in shown  # of the session's folder
        assert len(shown) < 9000


@pytest.mark.parametrize(
    "path",
    [
        "/static/../../../../../../etc/passwd",
        "/static/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "/frames/..%2f..%2fetc%2fpasswd/image",
        "/frames/-1/image",
        "/frames/999999999999999999999/image",
        "//etc/passwd",
    ],
)
def test_paths__lead_nowhere(served: Any, path: str) -> None:
    status, told, _ = served.ask("GET", path)
    assert status in (404, 422)
    assert "root:" not in str(told)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
    ],
)
def test_strangers__are_refused(served: Any, headers: dict[str, str], status: int) -> None:
    found, told, told_headers = served.ask(
        "POST", "/predict", png(), {"Content-Type": "image/png", **headers}
    )
    assert found == status
    assert set(told["error"]) == {"what", "wanted", "do"}
    assert "frame-ancestors 'none'" in told_headers["content-security-policy"]


def test_rubbish__is_no_http(served: Any) -> None:
    heard = talk(served.port, b"\x16\x03\x01\x02\x00\x01\r\n\r\n")
    assert heard.startswith(b"HTTP/1.1 400")
    assert b"nosniff" in heard


def test_head__that_is_too_long_or_never_ends_is_cut(served: Any) -> None:
    long = b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 100_000
    assert talk(served.port, long)[:12] in (b"HTTP/1.1 400", b"")


def test_client__that_says_nothing_is_left(start_server: Any, bundle_with_maps: Any) -> None:
    """Ten connections that send half a head are closed within the stated time."""
    server = start_server("serve", str(bundle_with_maps), "--header-seconds", "0.5")
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as silent:
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as slow:
            slow.sendall(b"GET /health HT")
            assert slow.recv(100) == b""
        assert silent.recv(100) == b""
    assert time.monotonic() - began < 15
    assert server.ask("GET", "/health")[0] == 200


def test_token__keeps_others_out(start_server: Any, bundle_with_maps: Any, form: Form) -> None:
    token = "a-long-enough-token"  # noqa: S105
    server = start_server("serve", str(bundle_with_maps), "--token", token)
    bearer = {"Authorization": f"Bearer {token}"}
    body, kind = form(("a.png", png()))
    assert server.ask("GET", "/health")[0] == 200
    for path in ("/model", "/metrics", "/frames", "/frames/0/image", "/export/reviews.csv"):
        assert server.ask("GET", path)[0] == 401
    assert server.ask("GET", "/model", headers=bearer)[0] == 200
    assert server.post("/predict", body, kind)[0] == 401
    assert server.ask("POST", "/predict", body, {"Content-Type": kind, **bearer})[0] == 200
    json_type = {"Content-Type": "application/json"}
    said = b'{"token": "a-long-enough-token"}'
    status, _, headers = server.ask("POST", "/session", said, json_type)
    assert status == 204
    cookie = {"Cookie": headers["set-cookie"].split(";")[0]}
    assert server.ask("GET", "/frames", headers=cookie)[0] == 200
    assert server.ask("POST", "/frames", body, {"Content-Type": kind, **cookie})[0] == 403
    own = {"Content-Type": kind, "X-Finding-Nemo": "1", **cookie}
    assert server.ask("POST", "/frames", body, own)[0] == 200
    code, _, told = server.stop()
    assert code == 0
    assert token not in told
