"""Addresses: what a server may cost, and that each of its faults is a reason in a row."""

from __future__ import annotations

import io
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import fsspec
import pytest
from PIL import Image

from finding_nemo.core.errors import DatasetError, DatasetNotFoundError, ImageError, OutputError
from finding_nemo.core.files.atomic_files import prepare_output_folder, refuse_existing, write_text
from finding_nemo.core.files.input_limits import InputLimits
from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.data.filesystems import filesystem as places
from finding_nemo.data.filesystems.filesystem import (
    is_web,
    open_list,
    path_part,
    read_file,
    read_range,
    unreadable_reason,
)
from finding_nemo.data.filesystems.tar import image_members
from finding_nemo.data.filesystems.walking import has_wildcard
from finding_nemo.models.bundle.bundle import load_bundle
from finding_nemo.prediction.run.predict_to_file import predict_to_file
from finding_nemo.prediction.sources.image_loader import load_images
from finding_nemo.prediction.sources.image_sources import ImageInput, ImageSelection, collect_images

_SMALL = InputLimits(max_file_bytes=300_000, max_seconds=0.6)


def _picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (40, 30), (9, 99, 200)).save(file, "PNG")
    return file.getvalue()


def _shard() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        member = tarfile.TarInfo("d/a.png")
        member.size = len(_picture())
        tar.addfile(member, io.BytesIO(_picture()))
    return file.getvalue()


_FILES = {"/a.png": _picture(), "/x.tar": _shard(), "/empty.png": b"", "/noparts.tar": _shard()}
_FILES |= {"/big.png": bytes(300_001), "/plain": _picture()}
_PAGE = b'<a href="a.png">a</a><A HREF=/d/b.png?C=M>b<a href="sub/"><a href="../"><a href="c.txt">'


class _Server(BaseHTTPRequestHandler):
    """Serves `_FILES`, parts of them, and every fault that a server can have."""

    protocol_version = "HTTP/1.1"
    stop = threading.Event()

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        fault: Callable[[], None] | None = getattr(self, f"fault_{path.strip('/')}", None)
        try:
            if fault is not None:
                fault()
            elif path in ("/d", "/d/"):
                self._send(200, _PAGE, "text/html; charset=utf-8")
            elif path.strip("/").partition(".")[0].isdigit():
                self._send(int(path.strip("/").partition(".")[0]), b"no")
            elif path in _FILES:
                self._file(path)
            else:
                self._send(404, b"no")
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _file(self, path: str) -> None:
        content, asked = _FILES[path], self.headers.get("Range")
        if not asked or path == "/noparts.tar":
            return self._send(200, content)
        first, last = (int(part) for part in asked.removeprefix("bytes=").split("-"))
        if first >= len(content):
            return self._send(416, b"")
        part = content[first : last + 1]
        where = f"bytes {first}-{first + len(part) - 1}/{len(content)}"
        return self._send(206, part, where=where)

    def _send(self, status: int, content: bytes, kind: str = "image/png", where: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        if where:
            self.send_header("Content-Range", where)
        if status in (301, 302):
            self.send_header("Location", self.path)
        self.end_headers()
        self.wfile.write(content)

    def _endless(self, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()
        while not self.stop.is_set():
            self.wfile.write(b"x" * 65536)

    def fault_endless(self) -> None:
        self._endless("image/png")

    def fault_endlesspage(self) -> None:
        self._endless("text/html")

    def fault_silent(self) -> None:
        self.stop.wait(20)
        self.close_connection = True

    def fault_dripping(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        while not self.stop.wait(0.05):
            self.wfile.write(b"x")

    def fault_short(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        self.wfile.write(b"x" * 10)
        self.close_connection = True

    def fault_garbage(self) -> None:
        self.wfile.write(b"\0\xff no answer\r\n\r\n" * 9)
        self.close_connection = True

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    pytest.importorskip("aiohttp")
    running = ThreadingHTTPServer(("127.0.0.1", 0), _Server)
    running.daemon_threads = True
    running.block_on_close = False
    threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{running.server_address[1]}"
    _Server.stop.set()
    running.shutdown()
    running.server_close()


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("endless", "is larger than the 300,000 bytes that are read"),
        ("big.png", "is larger than the 300,000 bytes that are read"),
        ("silent", "is not read: the server gave no whole answer in 0.6 s"),
        ("dripping", "is not read: the server gave no whole answer in 0.6 s"),
        ("short", "is not read: the server's answer ends early (ClientPayloadError)"),
        ("garbage", "is not read: the server's answer cannot be understood"),
        ("500", "is not read: the server says 500 Internal Server Error"),
        ("503.png?sig=secret", "is not read: the server says 503 Service Unavailable"),
        ("403?sig=secret", "may not be read (the server says 403 Forbidden)"),
        ("401", "may not be read (the server says 401 Unauthorized)"),
        ("404", "file not found"),
        ("799", "is not read: the server says 799"),
        ("302", "is not read: the server redirects round and round (TooManyRedirects)"),
    ],
)
def test_fault__of_a_server_is_a_reason_without_the_address(
    server: str, path: str, reason: str
) -> None:
    started = time.monotonic()
    with pytest.raises(ImageError) as error:
        read_file(f"{server}/{path}", _SMALL)
    assert time.monotonic() - started < 5
    assert reason in str(error.value)
    assert "127.0.0.1" not in str(error.value)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/a.png", "http://[::1", "http:///a.png"])
def test_address__that_leads_nowhere_is_a_reason(address: str) -> None:
    with pytest.raises(ImageError, match="cannot be reached|no address"):
        read_file(address, _SMALL)


def test_whole_file_and_parts__are_right(server: str) -> None:
    assert read_file(f"{server}/a.png?sig=x&v=1#top") == _picture()
    assert read_file(f"{server}/empty.png") == b""
    assert read_range(f"{server}/a.png", 5, 7) == _picture()[5:12]
    assert read_range(f"{server}/noparts.tar", 5, 7) == _shard()[5:12]
    with pytest.raises(ImageError, match="ends after 2 of 9 bytes"):
        read_range(f"{server}/a.png", len(_picture()) - 2, 9)
    with pytest.raises(ImageError, match="has 537 MB, more than the 300,000 bytes"):
        read_range(f"{server}/a.png", 0, 512 << 20, _SMALL)
    with pytest.raises(ImageError, match="gives no parts of a file, and the whole is too large"):
        read_range(f"{server}/noparts.tar", 299_999, 9, _SMALL)


@pytest.mark.parametrize("name", ["x.tar", "noparts.tar"])
def test_tar__of_a_server_is_read(server: str, name: str) -> None:
    (member,) = image_members(f"{server}/{name}")
    assert read_range(f"{server}/{name}", member.start, member.size) == _picture()
    with pytest.raises(ImageError, match="the server says 500"):
        list(image_members(f"{server}/500", limits=_SMALL))
    with pytest.raises(ImageError, match="larger than what is read"):
        list(image_members(f"{server}/endless", limits=_SMALL))


def rows(*names: str) -> list[tuple[str, str, str | None]]:
    inputs = collect_images(list(names))
    loaded = load_images(inputs, Preprocessing(width_px=8, height_px=8))
    return [(image.image_id, image.path, ready.failure) for image, ready in loaded]


def test_names__with_a_query_or_without_suffix_are_images(server: str) -> None:
    signed = f"{server}/a.png?sig=x*[y]&v=1"
    assert rows(signed) == [("a", signed, None)]
    assert rows(f"{server}/plain") == [("plain", f"{server}/plain", None)]
    assert rows(f"{server}/plain?id=1", f"{server}/plain?id=2") == [
        (f"{server}/plain?id={n}", f"{server}/plain?id={n}", None) for n in (1, 2)
    ]
    reason = "is not read: the server says 500 Internal Server Error"
    assert rows(f"{server}/500") == [("500", f"{server}/500", reason)]
    (image,) = ImageSelection((f"{server}/endlesspage",), limits=_SMALL).stream()
    assert image.image_id == "endlesspage"


def test_index_page__is_a_folder(server: str) -> None:
    expected = [f"{server}/d/a.png"]
    for name in (f"{server}/d/", f"{server}/d/*.png", f"{server}/d"):
        images = ImageSelection((name,)).stream()
        assert [image.path for image in images] == expected, name


def test_wildcards__are_not_looked_for_in_queries() -> None:
    for name in ("http://h/a.jpg?x=1", "https://h/a.jpg?x=*", "http://[::1]:8/a.jpg", "a.jpg"):
        assert not has_wildcard(name), name
    for name in ("http://h/*.jpg", "s3://b/a?.jpg", "a[bc].jpg", "*/b.jpg"):
        assert has_wildcard(name), name
    assert path_part("https://h/a.jpg?b.png#c.tif") == "https://h/a.jpg"
    assert path_part("s3://b/a#1?.jpg") == "s3://b/a#1?.jpg"


def test_lists__of_a_server_are_read_within_limits(server: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="is larger than the 300,000 bytes"):
        open_list(f"{server}/endless?x=l.txt", _SMALL)
    with pytest.raises(DatasetError, match=r"The list .*/gone.txt is not read \(file not found\)"):
        ImageSelection((f"{server}/gone.txt",)).request()
    with pytest.raises(DatasetError, match="a data set is read from this machine only"):
        collect_images([f"{server}/set.csv"])


class _Refusing:
    """A store that lets nobody in."""

    async_impl = False

    def __getattr__(self, name: str) -> Any:
        def refuse(*_: Any, **__: Any) -> None:
            raise RuntimeError("Unable to locate credentials\nnor anything else")

        return refuse


def test_store__without_credentials_is_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "file_system", lambda _: _Refusing())
    places._remote.cache_clear()
    reason = r"\(cannot be read \(RuntimeError: Unable to locate credentials nor anything else\)\)"
    with pytest.raises(DatasetError, match=f"refusing://bucket/frames is not read {reason}"):
        collect_images(["refusing://bucket/frames"])
    with pytest.raises(DatasetError, match="No image to predict in .* could not be listed"):
        collect_images(["refusing://bucket/*.png"])
    (image,) = collect_images(["refusing://bucket/a.png"])
    with pytest.raises(ImageError, match="Unable to locate credentials"):
        read_file(image.path)
    (image,) = collect_images(["refusing://bucket/a.tar"])
    assert image.failure is not None
    places._remote.cache_clear()


def test_store__with_a_file_named_as_its_folder_keeps_it() -> None:
    store = fsspec.filesystem("memory")
    store.pipe("/same/same/same", b"x")
    store.pipe("/same/same/same.png", b"x")
    listed = places.file_system_of("memory://same/same").listed("memory://same/same")
    assert listed.files == ("same", "same.png")
    assert places.file_system_of("memory://same/same").kind("memory://same/same/same") == "file"
    with pytest.raises(DatasetNotFoundError, match="does not exist"):
        collect_images(["memory://same/no"])
    assert isinstance(collect_images(["memory://same/same/same"])[0], ImageInput)
    store.rm("/same", recursive=True)


def test_reasons__hold_no_path_and_one_line() -> None:
    assert unreadable_reason(OSError(5, "Input/output error", "/secret")) == (
        "cannot be read (OSError: Input/output error)"
    )
    assert len(unreadable_reason(ValueError("x\n\x1b" * 999))) < 250
    assert unreadable_reason(TimeoutError()).startswith("is not read: the server gave no whole")


@pytest.mark.parametrize("name", ["s3://b/o.csv", "gs://b/x", "https://h/o.csv", "file:///t/o"])
def test_output__at_an_address_is_refused_and_leaves_nothing(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_bundle: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    image = tmp_path / "a.png"
    image.write_bytes(_picture())
    tries: tuple[Callable[[Path], object], ...] = (
        lambda out: refuse_existing(out, overwrite=True),
        lambda out: prepare_output_folder(out, overwrite=True),
        lambda out: write_text(out, "x"),
        lambda out: predict_to_file(load_bundle(small_bundle), ImageSelection((str(image),)), out),
    )
    for attempt in tries:
        with pytest.raises(OutputError, match="is an address, and outputs are written to this"):
            attempt(Path(name))
    assert list(tmp_path.iterdir()) == [image]


def test_output__whose_name_has_a_colon_is_written(tmp_path: Path) -> None:
    write_text(tmp_path / "a:/b:c.txt", "x")
    assert (tmp_path / "a:/b:c.txt").read_text() == "x"


def test_plain_server__without_parts_gives_its_files(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(_picture())

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args, directory=str(tmp_path))

        def log_message(self, *_: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True).start()
        address = f"http://127.0.0.1:{running.server_address[1]}"
        assert [row[2] for row in rows(f"{address}/a.png?sig=1", address)] == [None, None]
        running.shutdown()


def test_web_addresses() -> None:
    assert is_web("https://h/a")
    assert is_web("http://h/a")
    assert not is_web("s3://bucket/a")
    assert not is_web("a.png")
