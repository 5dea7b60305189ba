"""The service of WoRMS, played by a local server that answers in all the ways that it does."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from finding_nemo.core.reporter import Reporter
from finding_nemo.fetching.transfer.politeness import Politeness
from finding_nemo.fetching.worms.update_names import update_names
from finding_nemo.fetching.worms.worms_cache import WormsCache, cache_path
from finding_nemo.fetching.worms.worms_service import (
    API_VARIABLE,
    NAMES_A_REQUEST,
    WormsService,
    worms_address,
)
from finding_nemo.marine.resolve_names import resolve_names

_Answer = Callable[[str, list[str]], tuple[int, dict[str, str], bytes]]


def _entry(name: str, number: int = 5) -> dict[str, Any]:
    return {"AphiaID": str(number), "scientificname": name, "status": "accepted", "rank": "Genus",
            "valid_AphiaID": number, "valid_name": name, "match_type": "exact"}  # fmt: skip


def _match(names: list[str]) -> bytes:
    return json.dumps([[_entry(name, 100 + len(name))] for name in names]).encode()


@contextmanager
def _server(answer: _Answer) -> Iterator[tuple[str, list[list[str]]]]:
    """Serve what `answer` says of an endpoint and the names that it is asked for."""
    asked: list[list[str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            found = parse_qs(url.query)
            keys = found.get("scientificnames[]", []) + found.get("aphiaids[]", [])
            asked.append(keys)
            status, headers, content = answer(url.path.rpartition("/")[2], keys)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/rest", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def _service(api: str, folder: Path, waited: list[float] | None = None) -> Iterator[WormsService]:
    with httpx.Client(trust_env=False) as client:
        yield WormsService(
            client=client,
            cache=WormsCache(folder / "worms.json"),
            reporter=Reporter(),
            api=api,
            politeness=Politeness(connections=1, per_s=1e6, tries=3, first_wait_s=8.0),
            sleep=(waited if waited is not None else []).append,
        )


def test_names__are_asked_fifty_at_a_time_and_kept(tmp_path: Path) -> None:
    names = tuple(f"Genus{number}" for number in range(120))
    with (
        _server(lambda _, keys: (200, {}, _match(keys))) as (api, asked),
        _service(api, tmp_path) as service,
    ):
        found = service.by_names(names)
        assert [len(keys) for keys in asked] == [NAMES_A_REQUEST, NAMES_A_REQUEST, 20]
        assert found["Genus7"][0].aphia_id == 106
        assert service.by_names(names) == found
    assert len(asked) == 3
    with _service(api, tmp_path) as again:  # the server is gone; what it said is on disk
        assert again.by_names(names) == found
        assert again.why_not == ""
        assert again.by_names(("Other",)) == {}
        assert "no connection" in again.why_not


def test_no_content__means_that_no_name_is_known(tmp_path: Path) -> None:
    with _server(lambda *_: (204, {}, b"")) as (api, _), _service(api, tmp_path) as service:
        assert service.by_names(("Aa", "Bb")) == {"Aa": (), "Bb": ()}
        assert service.by_ids((3,)) == {}


@pytest.mark.parametrize("status", [206, 414, 413])
def test_answer_in_parts_or_too_long_a_question__is_asked_in_halves(
    tmp_path: Path, status: int
) -> None:
    def answer(_: str, keys: list[str]) -> tuple[int, dict[str, str], bytes]:
        return (200 if len(keys) < 3 else status), {}, _match(keys)

    names = tuple(f"Genus{number}" for number in range(5))
    with _server(answer) as (api, asked), _service(api, tmp_path) as service:
        found = service.by_names(names)
    assert [len(keys) for keys in asked] == [5, 2, 3, 1, 2]
    assert set(found) == set(names)
    assert all(len(records) == 1 for records in found.values())


def test_one_name__too_long_or_in_parts_is_not_asked_for_ever(tmp_path: Path) -> None:
    with (
        _server(lambda _, keys: (206, {}, _match(keys))) as (api, asked),
        _service(api, tmp_path) as service,
    ):
        assert len(service.by_names(("Aa",))["Aa"]) == 1
    assert len(asked) == 1
    with _server(lambda *_: (414, {}, b"")) as (api, asked), _service(api, tmp_path) as service:
        assert service.by_names(("Bb",)) == {"Bb": ()}


def test_busy_service__is_left_alone_for_as_long_as_it_asks(tmp_path: Path) -> None:
    replies = iter([(429, {"Retry-After": "7"}, b""), (500, {}, b""), (200, {}, _match(["Aa"]))])
    waited: list[float] = []
    with (
        _server(lambda *_: next(replies)) as (api, asked),
        _service(api, tmp_path, waited) as service,
    ):
        assert set(service.by_names(("Aa",))) == {"Aa"}
    assert len(asked) == 3
    long = [wait for wait in waited if wait > 1]
    assert long[0] == 7.0
    assert 8.0 <= long[1] <= 16.0  # twice the first wait, less a random half of it


@pytest.mark.parametrize(
    ("reply", "words", "n_asked"),
    [
        ((500, {}, b""), "says 500", 3),
        ((503, {"Retry-After": "0"}, b""), "says 503", 3),
        ((403, {}, b""), "says 403", 1),
        ((200, {}, b"<html>"), "no JSON", 1),
        ((200, {}, b'{"a": 1}'), "no list", 1),
        ((200, {}, b"[[], [], []]"), "about 3 names", 1),
        ((200, {}, b"[" * 100_000), "no JSON", 1),
    ],
)
def test_service_that_fails__leaves_names_as_they_were(
    tmp_path: Path, reply: tuple[int, dict[str, str], bytes], words: str, n_asked: int
) -> None:
    with _server(lambda *_: reply) as (api, asked), _service(api, tmp_path) as service:
        assert service.by_names(("Aa",)) == {}
    assert words in service.why_not
    assert len(asked) == n_asked
    assert not (tmp_path / "worms.json").exists()


def test_first_batch__is_kept_where_the_second_fails(tmp_path: Path) -> None:
    def answer(_: str, keys: list[str]) -> tuple[int, dict[str, str], bytes]:
        return (200, {}, _match(keys)) if len(keys) == NAMES_A_REQUEST else (500, {}, b"")

    names = tuple(f"Genus{number}" for number in range(60))
    with _server(answer) as (api, _), _service(api, tmp_path) as service:
        assert set(service.by_names(names)) == set(names[:NAMES_A_REQUEST])
        assert "says 500" in service.why_not


def test_cache__forgets_after_a_month_and_passes_over_what_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "worms.json"
    WormsCache(path, today=date(2026, 1, 1)).put({"a": [1]})
    assert WormsCache(path, today=date(2026, 1, 31)).get("a") == [1]
    assert WormsCache(path, today=date(2026, 2, 1)).get("a") is None
    assert WormsCache(path, today=date(2025, 12, 31)).get("a") is None  # a clock that was wrong
    for content in ("", "[]", '{"a": 3}', '{"a": {"day": "x", "records": []}}', "[" * 99_999):
        path.write_text(content)
        assert WormsCache(path).get("a") is None
    (tmp_path / "file").write_text("")
    WormsCache(tmp_path / "file" / "worms.json").put({"a": []})  # cannot be written: no error


def test_update__without_a_network_says_what_it_could_not_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv(API_VARIABLE, "http://127.0.0.1:9/rest/")
    monkeypatch.setattr("time.sleep", lambda _: None)
    assert worms_address() == "http://127.0.0.1:9/rest"
    records = resolve_names(("Munida", "crab", "Pandalus ampla"))
    found = update_names(records, Reporter())
    assert found.records == records
    assert (found.not_asked, found.n_no_science) == (("Munida", "Pandalus ampla"), 1)
    assert "no connection" in found.why_not


def test_cache__without_a_home_lasts_as_long_as_the_program(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    assert cache_path() is None
    cache = WormsCache(cache_path())
    cache.put({"question": [{"AphiaID": 1}]})
    assert cache.get("question") == [{"AphiaID": 1}]
    assert WormsCache(None).get("question") is None
    monkeypatch.setenv("XDG_CACHE_HOME", "kept")
    assert cache_path() == Path("kept/finding-nemo/worms.json")
