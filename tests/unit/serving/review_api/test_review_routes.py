"""The API over a session: every route, its faults, and what pictures it gives."""

from __future__ import annotations

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import islice
from pathlib import Path
from threading import Event, Semaphore
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image

from finding_nemo.reviewing.open_review_session import open_review_session
from finding_nemo.reviewing.review_session import ReviewSession
from finding_nemo.serving.make_app import Services, make_app
from finding_nemo.serving.middleware.access import AccessRules
from finding_nemo.serving.middleware.request_limits import USUAL_REQUEST_LIMITS
from finding_nemo.serving.review_api.review_routes import make_review_router
from finding_nemo.serving.review_api.serve_review import review_model_reply

FAILED = 23
SIZES = {0: (600, 300), 1: (100, 50), 2: (600, 300), 3: (64, 48)}


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory, reviewable: Path) -> Path:
    """Pictures of four frames: PNG, JPEG, TIFF and a damaged one, each named as a PNG."""
    folder = tmp_path_factory.mktemp("images")
    for number, form in ((0, "PNG"), (1, "JPEG"), (2, "TIFF")):
        image = Image.new("RGB", SIZES[number], (200, 30, 30))
        image.save(folder / f"d0-clip0_{number:03d}.png", form)
    (folder / "d0-clip0_003.png").write_bytes(b"no image")
    return folder


@pytest.fixture
def session(reviewable: Path, images: Path, tmp_path: Path) -> Iterator[ReviewSession]:
    found = open_review_session(
        reviewable / "fold0.parquet", images=images, store=tmp_path / "x.sqlite", reviewer="anna"
    )
    yield found
    found.close()


@pytest.fixture
def told() -> list[str]:
    """What the operator is told."""
    return []


@pytest.fixture
def client(session: ReviewSession, told: list[str]) -> Iterator[TestClient]:
    services = Services(
        model=lambda: review_model_reply(session, USUAL_REQUEST_LIMITS),
        rules=AccessRules(names=frozenset({"testserver"})),
        routers=(make_review_router(session),),
        tell_fault=told.append,
    )
    app: FastAPI = make_app(services)
    with TestClient(app, raise_server_exceptions=False) as found:
        yield found


def test_loop__from_suggestion_to_exports(client: TestClient) -> None:
    model = client.get("/model").json()
    assert (model["mode"], model["can_predict"], model["reviewer"]) == ("review", False, "anna")
    assert [c["name"] for c in model["categories"]] == ["crab", "fish", "squid"]
    wish = {"dive": None, "count": 2, "skip": [1]}
    suggested = client.post("/suggest", json=wish).json()["suggestions"]
    assert [s["rank"] for s in suggested] == [1, 2]
    row = suggested[0]["row"]
    reply = client.post("/reviews", json={"row": row, "categories": [3, "Aeolidia papillosa"]})
    assert reply.status_code == 201
    done = reply.json()
    assert set(done) == {
        "review",
        "dive",
        "overall",
        "changed",
        "seconds",
        "new_categories",
    }
    assert done["new_categories"] == [{"id": 4, "name": "Aeolidia papillosa"}]
    assert set(done["review"]) == {
        *("number", "row", "id", "categories", "rejected", "complete", "reviewer", "time")
    }
    assert [t["value"] for t in done["overall"]["to_reach"]] == [0.9, 0.95]
    assert client.get("/reviews").json()["reviews"] == [done["review"]]
    frame = client.get(f"/frames/{row}").json()
    assert (frame["review"], frame["state"]) == (done["review"], "reviewed")
    assert set(frame["guesses"][0]) == {"id", "name", "supercategory", "probability", "evidence"}
    table = client.get("/export/reviews.csv")
    assert table.headers["content-type"].startswith("text/csv")
    assert "Aeolidia papillosa" in table.text
    assert client.get("/export/coco.json").json()["annotations"][0]["category_id"] == 3
    undone = client.post("/reviews/undo", json={}).json()
    assert undone["undone"] == done["review"]
    assert undone["now"] is None
    nobody = client.post("/reviews/undo", json={"reviewer": "ben"}).json()
    assert nobody == {"undone": None, "now": None, "dive": None}


def test_lists(client: TestClient) -> None:
    page = client.get("/frames", params={"offset": 46, "limit": 1, "order": "time"}).json()
    assert (page["total"], page["frames"][0]["row"]) == (48, 46)
    assert set(page["frames"][0]) == {
        *("row", "id", "dive", "answer", "confidence", "probability", "unusual"),
        *("state", "method", "failure"),
    }
    dives = client.get("/dives").json()
    assert (dives["n_frames"], dives["n_reviewed"], dives["n_failed"]) == (48, 0, 1)
    name = dives["dives"][0]["name"]
    assert client.get("/frames", params={"dive": name, "state": "failed"}).json()["total"] == 1
    # The page sends filters that are not set as empty texts.
    empty = {"dive": "", "category": "", "state": "", "unusual_from": ""}
    assert client.get("/frames", params=empty).json()["total"] == 48
    animals = client.get("/animals").json()["animals"]
    assert sum(animal["n_frames"] for animal in animals) == 47


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("/frames/48", None, 404, "no frame 48"),
        ("/frames/-1", None, 422, "row"),
        ("/frames/x", None, 422, "row"),
        ("/frames?limit=501", None, 422, "limit"),
        ("/frames?order=name", None, 422, "order"),
        ("/frames?who=me", None, 422, "who"),
        ("/frames?dive=nowhere", None, 404, "no dive"),
        ("/frames/0/map/1", None, 404, "no map"),
        ("/frames/47/image", None, 404, "not found"),
        ("/frames/47/thumbnail", None, 404, "not found"),
        ("/frames/3/image", None, 404, "cannot be shown"),
        ("/frames/3/thumbnail", None, 404, "cannot be shown"),
        ("/export/predictions.parquet", None, 422, "Nobody has reviewed"),
        ("/reviews", {"row": FAILED, "categories": [1]}, 409, "is empty"),
        ("/reviews", {"row": 48, "categories": [1]}, 404, "no frame"),
        ("/reviews", {"row": 5, "categories": [99]}, 422, "no category 99"),
        ("/reviews", {"row": 5, "categories": [True]}, 422, "categories"),
        ("/reviews", {"row": 5, "categories": [1.5]}, 422, "categories"),
        ("/reviews", {"row": 5, "categories": "crab"}, 422, "categories"),
        ("/reviews", {"row": 5, "categories": [1], "rejected": [1]}, 422, "not to be there"),
        ("/reviews", {"row": 5, "categories": [], "complete": False}, 422, "says nothing"),
        ("/reviews", {"row": 5, "categories": ["x" * 201]}, 422, "201 characters"),
        ("/reviews", {"row": 5}, 422, "categories"),
        ("/reviews", {"row": 5, "categories": [1], "other": 1}, 422, "other"),
        ("/suggest", {"dive": "nowhere"}, 404, "no dive"),
        ("/suggest", {"count": 0}, 422, "count"),
        ("/suggest", {"skip": [48]}, 404, "no frame"),
    ],
)
def test_faults(client: TestClient, path: str, body: Any, status: int, words: str) -> None:
    reply = client.get(path) if body is None else client.post(path, json=body)
    error = reply.json()["error"]
    assert (reply.status_code, set(error)) == (status, {"what", "wanted", "do"})
    assert words in f"{error['what']} {error['do']}"
    assert client.get("/reviews").json() == {"reviews": []}


def test_reply__tells_no_path_of_the_server(
    client: TestClient, session: ReviewSession, told: list[str]
) -> None:
    """It refers to what the server printed, so that is printed."""
    session.store._connection.execute("PRAGMA query_only = ON")
    reply = client.post("/reviews", json={"row": 5, "categories": [1]})
    assert reply.status_code == 500
    assert str(session.store.path) not in reply.text
    assert [str(session.store.path) in words for words in told] == [True]
    assert client.get("/reviews").json() == {"reviews": []}


@pytest.mark.parametrize(("row", "media_type"), [(0, "image/png"), (1, "image/jpeg")])
def test_image__is_given_as_it_is(
    client: TestClient, images: Path, row: int, media_type: str
) -> None:
    reply = client.get(f"/frames/{row}/image")
    assert (reply.status_code, reply.headers["content-type"]) == (200, media_type)
    assert reply.content == (images / f"d0-clip0_{row:03d}.png").read_bytes()


def test_image__that_no_browser_shows_becomes_a_jpeg(client: TestClient) -> None:
    reply = client.get("/frames/2/image")
    assert reply.headers["content-type"] == "image/jpeg"
    with Image.open(io.BytesIO(reply.content)) as image:
        assert (image.format, image.size) == ("JPEG", (600, 300))


def test_thumbnail__is_256_wide_or_as_wide_as_the_frame(client: TestClient) -> None:
    for row, size in ((0, (256, 128)), (1, (100, 50)), (2, (256, 128)), (0, (256, 128))):
        reply = client.get(f"/frames/{row}/thumbnail")
        assert reply.headers["content-type"] == "image/jpeg"
        with Image.open(io.BytesIO(reply.content)) as image:
            assert (image.format, image.size) == ("JPEG", size)
            red, green, _ = image.convert("RGB").getpixel((10, 10))  # type: ignore[misc]
            assert red > 150 > 80 > green


def test_adapted_predictions__come_as_a_file_that_is_gone_afterwards(
    client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def written(session: ReviewSession, folder: Path) -> Path:
        del session
        (folder / "adapted.parquet").write_bytes(b"PAR1")
        return folder / "adapted.parquet"

    routes = "finding_nemo.serving.review_api.review_routes"
    monkeypatch.setattr(f"{routes}.write_adapted_predictions", written)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    reply = client.get("/export/predictions.parquet")
    assert (reply.status_code, reply.content) == (200, b"PAR1")
    assert 'filename="adapted.parquet"' in reply.headers["content-disposition"]
    assert not list(tmp_path.glob("finding-nemo-export-*"))


def test_exports__are_written_one_after_the_other(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of seven at once one is written, three wait, and the others are told to come again."""
    begun, go_on, running, most = Semaphore(0), Event(), [0], [0]

    def written(session: ReviewSession, folder: Path) -> Path:
        del session
        running[0] += 1
        most[0] = max(most[0], running[0])
        begun.release()
        go_on.wait(10)
        running[0] -= 1
        (folder / "adapted.parquet").write_bytes(b"PAR1")
        return folder / "adapted.parquet"

    routes = "finding_nemo.serving.review_api.review_routes"
    monkeypatch.setattr(f"{routes}.write_adapted_predictions", written)
    with ThreadPoolExecutor(7) as pool:
        asked = [pool.submit(client.get, "/export/predictions.parquet") for _ in range(7)]
        assert begun.acquire(timeout=10)
        refused = [future.result() for future in islice(as_completed(asked, timeout=10), 3)]
        go_on.set()
        replies = [future.result() for future in asked]
    assert {(reply.status_code, reply.headers["retry-after"]) for reply in refused} == {(429, "10")}
    assert [reply.status_code for reply in replies].count(200) == 4
    assert most == [1]
